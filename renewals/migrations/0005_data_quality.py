"""Data quality: its tables, and the rules that a new installation starts with; an admin changes all of them."""

# ruff: noqa: E501  the bodies of triggers stand as pgtrigger writes them

import uuid
from typing import Any

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.fields.json
import django.db.models.functions.comparison
import pghistory.utils
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

# name, condition, parameters, severity (1 info, 2 warning, 3 error), who is asked, suggested fix
RULES = [
    ("Impossible dates", "impossible_dates", {}, 3, "owner", ""),
    ("Missing dates", "missing_dates", {}, 2, "owner", ""),
    ("Contract ended without a renewal", "ended_without_renewal", {"days": 0}, 3, "admin", ""),
    ("Overdue without an outcome", "open_past_due", {"days": 0}, 2, "owner", ""),
    ("Confidence contradicts the stage", "confidence_against_stage", {"points": 30}, 2, "owner", "stage_confidence"),
    (
        "No forecast amount",
        "field_empty",
        {"field": "forecast_amount", "rows": "open", "due_within_days": 180},
        2,
        "owner",
        "baseline_forecast",
    ),
    ("No offer", "field_empty", {"field": "offer", "rows": "open", "due_within_days": 90}, 2, "owner", ""),
    ("No owner, or one who left", "no_active_owner", {}, 3, "manager", "account_owner"),
    ("Account looks like another", "duplicate_account", {}, 2, "admin", ""),
    ("Forecast above the uplift cap", "forecast_above_cap", {}, 3, "owner", "capped_forecast"),
    ("Stale next step", "stale_next_step", {"days": 14}, 1, "owner", "next_step_date"),
    ("Currency missing or without a rate", "currency_without_rate", {}, 3, "admin", ""),
]
# What deletes renewals, contracts or accounts, in bulk and in SQL too, need not know of these tables.
CASCADE = """
ALTER TABLE renewals_renewalquality ADD CONSTRAINT renewal_quality_of_renewal
    FOREIGN KEY (renewal_id) REFERENCES renewals_renewal ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE renewals_accountbreach ADD CONSTRAINT account_breach_of_account
    FOREIGN KEY (account_id) REFERENCES accounts_account ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE renewals_accountbreach ADD CONSTRAINT account_breach_of_contract
    FOREIGN KEY (contract_id) REFERENCES renewals_contract ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
"""
DROP = """
ALTER TABLE renewals_renewalquality DROP CONSTRAINT renewal_quality_of_renewal;
ALTER TABLE renewals_accountbreach DROP CONSTRAINT account_breach_of_account;
ALTER TABLE renewals_accountbreach DROP CONSTRAINT account_breach_of_contract;
"""


def create_rules(apps: Any, schema_editor: Any) -> None:
    rules = apps.get_model("renewals", "DataRule").objects
    for name, condition, parameters, severity, asked, fix in RULES:
        rules.create(name=name, condition=condition, parameters=parameters, severity=severity, asked=asked, fix=fix)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_history_indexes"),
        ("renewals", "0004_history"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="DataRuleEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("pgh_context", pghistory.utils.JSONField(null=True)),
                ("pgh_context_id", models.UUIDField(null=True)),
                ("id", models.IntegerField()),
                ("name", models.CharField(error_messages={"unique": "There is a rule of this name."}, max_length=80)),
                (
                    "condition",
                    models.CharField(
                        choices=[
                            ("impossible_dates", "Dates that cannot be"),
                            ("missing_dates", "Dates that are missing"),
                            ("ended_without_renewal", "A contract that ended without a renewal"),
                            ("open_past_due", "Past due without an outcome"),
                            ("confidence_against_stage", "A confidence that contradicts the stage"),
                            ("no_active_owner", "No owner, or one who left"),
                            ("duplicate_account", "An account that looks like another"),
                            ("forecast_above_cap", "A forecast above the uplift cap"),
                            ("stale_next_step", "A next step that is past"),
                            ("currency_without_rate", "A currency that is missing or has no rate"),
                            ("field_empty", "A field is empty"),
                            ("field_old", "A date is too long ago"),
                            ("field_out_of_range", "A number is outside a range"),
                            ("date_order", "A date is after another"),
                        ],
                        max_length=24,
                    ),
                ),
                ("parameters", models.JSONField(blank=True, default=dict)),
                (
                    "severity",
                    models.PositiveSmallIntegerField(choices=[(1, "Info"), (2, "Warning"), (3, "Error")], default=2),
                ),
                (
                    "asked",
                    models.CharField(
                        choices=[("owner", "The owner"), ("manager", "The manager"), ("admin", "An admin")],
                        default="owner",
                        max_length=7,
                        verbose_name="who is asked",
                    ),
                ),
                (
                    "fix",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "No suggestion"),
                            ("stage_confidence", "Set the confidence to the stage's"),
                            ("baseline_forecast", "Set the forecast to the baseline"),
                            ("capped_forecast", "Lower the forecast to the uplift cap"),
                            ("next_step_date", "Move the next step to a week from today"),
                            ("account_owner", "Hand it to the account's owner"),
                        ],
                        default="",
                        max_length=17,
                        verbose_name="suggested fix",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="QualitySnapshot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("taken_on", models.DateField()),
                ("renewal_count", models.IntegerField()),
                ("breach_count", models.IntegerField()),
                ("broken_count", models.IntegerField()),
                ("baseline_amount", models.DecimalField(decimal_places=2, max_digits=18)),
                ("broken_amount", models.DecimalField(decimal_places=2, max_digits=18)),
            ],
            options={
                "ordering": ["taken_on"],
            },
        ),
        migrations.CreateModel(
            name="RenewalQuality",
            fields=[
                (
                    "renewal",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="quality",
                        serialize=False,
                        to="renewals.renewal",
                    ),
                ),
                ("due_on", models.DateField()),
                (
                    "rule_ids",
                    django.contrib.postgres.fields.ArrayField(base_field=models.SmallIntegerField(), size=None),
                ),
                (
                    "worst_severity",
                    models.PositiveSmallIntegerField(choices=[(1, "Info"), (2, "Warning"), (3, "Error")]),
                ),
            ],
            options={
                "verbose_name_plural": "renewal qualities",
            },
        ),
        migrations.CreateModel(
            name="AccountName",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="folded_name",
                        serialize=False,
                        to="accounts.account",
                    ),
                ),
                ("name", models.CharField(max_length=200)),
                ("family_id", models.BigIntegerField()),
                ("key", models.CharField(db_collation="C", max_length=400)),
            ],
            options={
                "indexes": [models.Index(fields=["key"], name="account_name_key")],
            },
        ),
        migrations.CreateModel(
            name="DataRule",
            fields=[
                ("id", models.SmallAutoField(primary_key=True, serialize=False)),
                (
                    "name",
                    models.CharField(
                        error_messages={"unique": "There is a rule of this name."}, max_length=80, unique=True
                    ),
                ),
                (
                    "condition",
                    models.CharField(
                        choices=[
                            ("impossible_dates", "Dates that cannot be"),
                            ("missing_dates", "Dates that are missing"),
                            ("ended_without_renewal", "A contract that ended without a renewal"),
                            ("open_past_due", "Past due without an outcome"),
                            ("confidence_against_stage", "A confidence that contradicts the stage"),
                            ("no_active_owner", "No owner, or one who left"),
                            ("duplicate_account", "An account that looks like another"),
                            ("forecast_above_cap", "A forecast above the uplift cap"),
                            ("stale_next_step", "A next step that is past"),
                            ("currency_without_rate", "A currency that is missing or has no rate"),
                            ("field_empty", "A field is empty"),
                            ("field_old", "A date is too long ago"),
                            ("field_out_of_range", "A number is outside a range"),
                            ("date_order", "A date is after another"),
                        ],
                        max_length=24,
                    ),
                ),
                ("parameters", models.JSONField(blank=True, default=dict)),
                (
                    "severity",
                    models.PositiveSmallIntegerField(choices=[(1, "Info"), (2, "Warning"), (3, "Error")], default=2),
                ),
                (
                    "asked",
                    models.CharField(
                        choices=[("owner", "The owner"), ("manager", "The manager"), ("admin", "An admin")],
                        default="owner",
                        max_length=7,
                        verbose_name="who is asked",
                    ),
                ),
                (
                    "fix",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "No suggestion"),
                            ("stage_confidence", "Set the confidence to the stage's"),
                            ("baseline_forecast", "Set the forecast to the baseline"),
                            ("capped_forecast", "Lower the forecast to the uplift cap"),
                            ("next_step_date", "Move the next step to a week from today"),
                            ("account_owner", "Hand it to the account's owner"),
                        ],
                        default="",
                        max_length=17,
                        verbose_name="suggested fix",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "ordering": ["-severity", "id"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("severity__gte", 1), ("severity__lte", 3)),
                        name="data_rule_severity",
                        violation_error_message="A severity is info, warning or error.",
                    ),
                    models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="data_rule_has_name"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccountBreach",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", models.DecimalField(decimal_places=2, max_digits=14, null=True)),
                (
                    "currency",
                    models.CharField(
                        blank=True,
                        max_length=3,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[A-Z]{3}$", "A currency is three capital letters, such as EUR."
                            )
                        ],
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="breaches",
                        to="accounts.account",
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="breaches",
                        to="renewals.contract",
                    ),
                ),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="account_breaches",
                        to="renewals.datarule",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "account breaches",
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="datarule",
            trigger=pgtrigger.compiler.Trigger(
                name="before_update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "renewals_dataruleevent" ("asked", "condition", "fix", "id", "is_active", "name", "parameters", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "severity") SELECT old_values."asked", old_values."condition", old_values."fix", old_values."id", old_values."is_active", old_values."name", old_values."parameters", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_update\', old_values."id", old_values."severity" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="184a87607829f51e1ad585102b1075e593b38333",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_before_update_update_94b29",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="renewals_datarule",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="datarule",
            trigger=pgtrigger.compiler.Trigger(
                name="before_delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "renewals_dataruleevent" ("asked", "condition", "fix", "id", "is_active", "name", "parameters", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "severity") SELECT old_values."asked", old_values."condition", old_values."fix", old_values."id", old_values."is_active", old_values."name", old_values."parameters", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'before_delete\', old_values."id", old_values."severity" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="416a55b1285f173e2e415e10c300a571b9d0cca3",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_before_delete_delete_5520a",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="renewals_datarule",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="dataruleevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="renewals.datarule",
            ),
        ),
        migrations.AddField(
            model_name="qualitysnapshot",
            name="owner",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="quality_snapshots",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="renewalquality",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.account",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountbreach",
            constraint=models.UniqueConstraint(
                fields=("rule", "account", "contract"), name="account_breach_once", nulls_distinct=False
            ),
        ),
        migrations.AddIndex(
            model_name="dataruleevent",
            index=models.Index(fields=["pgh_obj", "pgh_id"], name="datarule_ev_row"),
        ),
        migrations.AddIndex(
            model_name="dataruleevent",
            index=models.Index(
                models.F("pgh_created_at"),
                django.db.models.functions.comparison.Coalesce(
                    "pgh_context_id",
                    models.Value(uuid.UUID("00000000-0000-0000-0000-000000000000"), models.UUIDField()),
                ),
                models.F("pgh_id"),
                name="datarule_ev_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="dataruleevent",
            index=models.Index(
                django.db.models.fields.json.KeyTextTransform("user", "pgh_context"),
                models.F("pgh_created_at"),
                django.db.models.functions.comparison.Coalesce(
                    "pgh_context_id",
                    models.Value(uuid.UUID("00000000-0000-0000-0000-000000000000"), models.UUIDField()),
                ),
                models.F("pgh_id"),
                name="datarule_ev_user",
            ),
        ),
        migrations.AddIndex(
            model_name="dataruleevent",
            index=models.Index(fields=["pgh_context_id"], name="datarule_ev_batch"),
        ),
        migrations.AddConstraint(
            model_name="qualitysnapshot",
            constraint=models.UniqueConstraint(
                fields=("owner", "taken_on"), name="quality_snapshot_once", nulls_distinct=False
            ),
        ),
        migrations.AddIndex(
            model_name="renewalquality",
            index=models.Index(fields=["-worst_severity", "due_on", "renewal"], name="renewal_quality_worst"),
        ),
        migrations.AddIndex(
            model_name="renewalquality",
            index=django.contrib.postgres.indexes.GinIndex(fields=["rule_ids"], name="renewal_quality_rules"),
        ),
        migrations.RunSQL(CASCADE, DROP),
        migrations.RunPython(create_rules, migrations.RunPython.noop, elidable=False),
    ]

"""What is open and what was lost, added up, and the triggers that mark what of it is to be added up again.

A mark of an account without a month: only what is open of it. Whose score was edited is told by `FreshScore`, of which
every such edit writes rows; health is written with triggers off, so its triggers are always on.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from config.one_step import InOneStep

NOBODY = 0
# As in 0009; beside what a cell is made of, what tells what was lost, and what tells an open renewal.
COUNTED = (
    "owner_id, account_id, due_on, currency, baseline_amount, final_amount, cross_sell_amount, outcome, ordered_on,"
    " is_excluded"
).split(", ")
TOLD = [*COUNTED, "churn_reason_id", "contract_id"]
WORKED = "owner_id, account_id, stage_id, due_on, currency, baseline_amount, outcome, is_excluded".split(", ")
OPENED = ["stage_id", "decision_on"]


def _of(alias, names):
    return ", ".join(f"{alias}.{name}" for name in names)


def _differs(names):
    return f"({_of('o', names)}) IS DISTINCT FROM ({_of('n', names)})"


def _updated(told, opened):
    """One pass over what a statement changed."""
    return f"""
CREATE OR REPLACE FUNCTION dashboards_mark_renewal_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH changed AS MATERIALIZED (
        SELECT o.due_on AS due_then, o.ordered_on AS ordered_then, o.account_id AS account_then,
            n.due_on, n.ordered_on, n.account_id, o.owner_id AS owner_then, n.owner_id,
            {_differs(told)} AS is_counted,
            'open' IN (o.outcome, n.outcome) AND {_differs(WORKED)} AS is_work
        FROM old_rows o JOIN new_rows n ON n.id = o.id WHERE {_differs((*told, *opened))}
    ), worked AS (
        INSERT INTO dashboards_stalework (owner_id)
        SELECT DISTINCT coalesce(owner, {NOBODY})
        FROM changed CROSS JOIN LATERAL unnest(ARRAY[owner_then, owner_id]) owners (owner) WHERE is_work
    )
    INSERT INTO dashboards_stalecell (month_on, account_id)
    SELECT DISTINCT date_trunc('month', day)::date, account FROM changed CROSS JOIN LATERAL (VALUES
        (due_then, account_then), (ordered_then, account_then), (due_on, account_id), (ordered_on, account_id)
    ) days (day, account) WHERE is_counted AND day IS NOT NULL
    {"UNION ALL SELECT DISTINCT NULL::date, account_id FROM changed WHERE NOT is_counted" if told != COUNTED else ""};
    RETURN NULL;
END $$
"""


def _marking(name, rows):
    return (
        f"CREATE FUNCTION dashboards_mark_{name}() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n"
        f"    INSERT INTO dashboards_stalecell (month_on, account_id) {rows};\n    RETURN NULL;\nEND $$"
    )


OLD, NEW = "OLD TABLE AS old_rows", "NEW TABLE AS new_rows"
HEALTH = "accounts_accounthealth"
MARKS = (
    (
        "fresh_score", "INSERT", "forecasting_freshscore", NEW,
        "SELECT DISTINCT NULL::date, r.account_id FROM new_rows n JOIN renewals_renewal r ON r.id = n.renewal_id"
        " WHERE r.outcome = 'open'",
    ),
    ("health_insert", "INSERT", HEALTH, NEW, "SELECT NULL::date, account_id FROM new_rows"),
    (
        "health_update", "UPDATE", HEALTH, f"{OLD} {NEW}",
        "SELECT NULL::date, account_id FROM old_rows o JOIN new_rows n USING (account_id)"
        " WHERE (o.band, o.score) IS DISTINCT FROM (n.band, n.score)",
    ),
    ("health_delete", "DELETE", HEALTH, OLD, "SELECT NULL::date, account_id FROM old_rows"),
    (
        "product", "UPDATE", "renewals_contract", f"{OLD} {NEW}",
        "SELECT DISTINCT date_trunc('month', r.due_on)::date, r.account_id FROM old_rows o JOIN new_rows n USING (id)"
        " JOIN renewals_renewal r ON r.contract_id = n.id WHERE o.product <> n.product AND r.outcome <> 'open'",
    ),
)  # fmt: skip
TRIGGERS = [
    *(_marking(name, rows) for name, _, _, _, rows in MARKS),
    *(
        f"CREATE TRIGGER dashboards_mark_{name} AFTER {event} ON {table} REFERENCING {tables}"
        f" FOR EACH STATEMENT EXECUTE FUNCTION dashboards_mark_{name}()"
        for name, event, table, tables, _ in MARKS
    ),
    *(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER dashboards_mark_{name}" for name, _, table, _, _ in MARKS[1:4]),
    # Marks everything, as one for a team that changes.
    "CREATE TRIGGER dashboards_category AFTER UPDATE ON renewals_stage FOR EACH ROW"
    " WHEN (OLD.forecast_category IS DISTINCT FROM NEW.forecast_category) EXECUTE FUNCTION dashboards_mark_team()",
    "INSERT INTO dashboards_stalecell (month_on, account_id) VALUES (NULL, NULL)",
]
DROPPED = [
    "DROP TRIGGER dashboards_category ON renewals_stage",
    *(f"DROP FUNCTION dashboards_mark_{name}() CASCADE" for name, *_ in MARKS),
]
SUMS = (
    "open_count open_cents high_count high_cents medium_count medium_cents low_count low_cents unscored_count"
    " unscored_cents poor_count poor_cents over_count over_cents under_count under_cents poor_accounts watch_accounts"
    " healthy_accounts unknown_accounts"
).split()


def _id():
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def _key(to):
    return models.ForeignKey(
        db_constraint=False,
        db_index=False,
        null=True,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to=to,
    )


def _largest(name, column, condition):
    return models.Index(models.F(column).desc(), models.F("renewal_id"), condition=condition, name=name)


LEVELS = [(0, "Whole book"), (1, "Team"), (2, "Owner")]
SIDES = [(0, "They agree"), (1, "Poor health, but forecast"), (2, "Healthy, but doubted")]


class Migration(migrations.Migration):
    dependencies = [
        ("dashboards", "0009_work_of_owners"),
        ("forecasting", "0017_recurring_value_by_cohort"),
    ]

    operations = [
        InOneStep(
            [
                migrations.CreateModel(
                    "OpenRenewal",
                    [
                        ("renewal_id", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("account", _key("accounts.account")),
                        ("owner", _key(settings.AUTH_USER_MODEL)),
                        ("segment", _key("accounts.segment")),
                        ("due_on", models.DateField()),
                        ("decision_on", models.DateField()),
                        ("risk_score", models.FloatField(null=True)),
                        ("probability", models.FloatField()),
                        ("health_score", models.FloatField(null=True)),
                        ("health_band", models.SmallIntegerField(null=True)),
                        ("side", models.SmallIntegerField(choices=SIDES)),
                        ("baseline_cents", models.BigIntegerField()),
                        ("doubt_cents", models.BigIntegerField()),
                        ("stake_cents", models.BigIntegerField()),
                        ("row_hash", models.BigIntegerField(editable=False)),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["account"], name="open_renewal_account"),
                            models.Index(fields=["owner"], name="open_renewal_owner"),
                            _largest("open_renewal_largest", "baseline_cents", models.Q(risk_score__gte=0)),
                            _largest("open_renewal_side", "baseline_cents", ~models.Q(side=0)),
                            _largest("open_renewal_doubt", "doubt_cents", models.Q(doubt_cents__gt=0)),
                            _largest("open_renewal_stake", "stake_cents", models.Q(stake_cents__gt=0)),
                        ]
                    },
                ),
                migrations.CreateModel(
                    "OpenCell",
                    [
                        ("id", _id()),
                        ("level", models.SmallIntegerField(choices=LEVELS)),
                        ("team", _key("accounts.team")),
                        ("owner", _key(settings.AUTH_USER_MODEL)),
                        ("segment", _key("accounts.segment")),
                        *((name, models.BigIntegerField(default=0)) for name in SUMS),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(
                                fields=["level", "team", "owner", "segment"],
                                nulls_distinct=False,
                                name="open_cell_once",
                            )
                        ]
                    },
                ),
                migrations.CreateModel(
                    "LostCell",
                    [
                        ("id", _id()),
                        ("month_on", models.DateField()),
                        ("owner", _key(settings.AUTH_USER_MODEL)),
                        ("segment", _key("accounts.segment")),
                        ("reason", _key("renewals.churnreason")),
                        ("product_key", models.BigIntegerField()),
                        ("is_downsell", models.BooleanField()),
                        ("cents", models.BigIntegerField()),
                        ("example_id", models.BigIntegerField()),
                        ("row_hash", models.BigIntegerField(editable=False)),
                    ],
                    options={
                        "indexes": [
                            models.Index(fields=["month_on"], name="lost_cell_month"),
                            models.Index(fields=["owner", "month_on"], name="lost_cell_owner"),
                        ]
                    },
                ),
            ]
        ),
        migrations.RunSQL([_updated(TOLD, OPENED), *TRIGGERS], [*DROPPED, _updated(COUNTED, ["stage_id"])]),
    ]

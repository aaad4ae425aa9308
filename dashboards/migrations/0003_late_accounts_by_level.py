"""Habits by level, so that the largest are found by an index: rows are made anew by the next roll-up."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

KEPT = {
    "db_constraint": False,
    "db_index": False,
    "null": True,
    "on_delete": django.db.models.deletion.DO_NOTHING,
    "related_name": "+",
}


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_starting_health"),
        ("dashboards", "0002_marks_of_changes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL("DELETE FROM dashboards_rollup", migrations.RunSQL.noop),
        migrations.DeleteModel("LateAccount"),
        migrations.CreateModel(
            name="LateAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("level", models.SmallIntegerField(choices=[(0, "Whole book"), (1, "Team"), (2, "Owner")])),
                ("ordered_count", models.IntegerField()),
                ("late_count", models.IntegerField()),
                ("late_cents", models.BigIntegerField()),
                ("late_days", models.IntegerField()),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
                ("owner", models.ForeignKey(to=settings.AUTH_USER_MODEL, **KEPT)),
                ("team", models.ForeignKey(to="accounts.team", **KEPT)),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["level", "team", "owner", "-late_cents", "account"], name="late_account_largest"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "level", "team", "owner"), name="late_account_once", nulls_distinct=False
                    )
                ],
            },
        ),
    ]

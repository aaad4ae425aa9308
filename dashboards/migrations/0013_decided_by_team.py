"""What is decided by team and of the whole book too. All of it is added up anew, which is asked for at the end."""

import django.db.models.deletion
from django.db import migrations, models

from config.one_step import InOneStep

MARK = "INSERT INTO dashboards_stalecell (month_on, account_id) VALUES (NULL, NULL)"
EMPTY = "TRUNCATE dashboards_mixcell"
KEYS = ["month_on", "level", "team", "owner", "segment", "band"]


def _once(*fields):
    return migrations.AddConstraint(
        "MixCell", models.UniqueConstraint(fields=list(fields), nulls_distinct=False, name="mix_cell_once")
    )


class Migration(migrations.Migration):
    dependencies = [("dashboards", "0012_decided_by_risk_and_pace")]

    operations = [
        migrations.RunSQL(EMPTY, MARK),
        InOneStep(
            [
                migrations.RemoveConstraint("MixCell", "mix_cell_once"),
                migrations.AddField(
                    "MixCell", "level", models.SmallIntegerField(choices=[(0, "Whole book"), (1, "Team"), (2, "Owner")])
                ),
                migrations.AddField(
                    "MixCell",
                    "team",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.team",
                    ),
                ),
                _once(*KEYS),
            ]
        ),
        migrations.RunSQL(MARK, EMPTY),
    ]

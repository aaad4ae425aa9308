"""What is open by the day it is due; it is asked to be added up at the end."""

import django.db.models.deletion
from django.db import migrations, models

SUMS = [f"{band}_{one}" for band in ("high", "medium", "low", "unscored") for one in ("count", "cents")]


class Migration(migrations.Migration):
    dependencies = [("dashboards", "0014_sums_of_owners_in_an_index")]

    operations = [
        migrations.CreateModel(
            "OpenDay",
            [
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("due_on", models.DateField()),
                (
                    "segment",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.segment",
                    ),
                ),
                *((name, models.BigIntegerField(default=0)) for name in SUMS),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["due_on", "segment"], nulls_distinct=False, name="open_day_once")
                ]
            },
        ),
        migrations.RunSQL(
            "INSERT INTO dashboards_stalecell (month_on, account_id) VALUES (NULL, NULL)", migrations.RunSQL.noop
        ),
    ]

"""What recurring revenue came to by the end of each month, by owner, filled from the lines that there are."""

from django.db import migrations, models

NOBODY, EVERYBODY = 0, -1
LEVELS = """
INSERT INTO forecasting_mrrlevel (owner_id, month_on, opening_cents, new_cents, expansion_cents, reactivation_cents,
    contraction_cents, churn_cents)
SELECT {owner}, month_on, sum(100 * sum(opening_amount)) OVER past, sum(100 * sum(new_amount)) OVER past,
    sum(100 * sum(expansion_amount)) OVER past, sum(100 * sum(reactivation_amount)) OVER past,
    sum(100 * sum(contraction_amount)) OVER past, sum(100 * sum(churn_amount)) OVER past
FROM forecasting_mrrline WHERE state = 0 GROUP BY 1, 2 WINDOW past AS (PARTITION BY {owner} ORDER BY month_on)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("forecasting", "0017_recurring_value_by_cohort"),
    ]

    operations = [
        migrations.CreateModel(
            name="MrrLevel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("owner_id", models.BigIntegerField()),
                ("month_on", models.DateField()),
                ("opening_cents", models.BigIntegerField()),
                ("new_cents", models.BigIntegerField()),
                ("expansion_cents", models.BigIntegerField()),
                ("reactivation_cents", models.BigIntegerField()),
                ("contraction_cents", models.BigIntegerField()),
                ("churn_cents", models.BigIntegerField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("owner_id", "month_on"), name="mrr_level_once")],
            },
        ),
        *(
            migrations.RunSQL(LEVELS.format(owner=owner), migrations.RunSQL.noop)
            for owner in (f"COALESCE(owner_id, {NOBODY})", EVERYBODY)
        ),
    ]

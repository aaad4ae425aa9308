from django.db import migrations, models

MEANS = ("mean_cents", "mean_upsell_cents", "mean_cross_sell_cents")
# Until the next recompute the open ones bring what their rep forecasts, and their baseline where nothing is.
START = """
UPDATE renewals_renewalscore s SET mean_cents = f.cents, mean_cross_sell_cents = f.cross_sell,
    mean_upsell_cents = greatest(f.cents - f.cross_sell - f.baseline, 0)
FROM (
    SELECT id, COALESCE(forecast_amount, baseline_amount) * 100 AS cents, baseline_amount * 100 AS baseline,
        least(cross_sell_amount, COALESCE(forecast_amount, baseline_amount)) * 100 AS cross_sell
    FROM renewals_renewal WHERE outcome = 'open'
) f
WHERE f.id = s.renewal_id AND s.timing_class <= 2
"""


class Migration(migrations.Migration):
    dependencies = [("renewals", "0018_overrides")]
    operations = [
        *(
            migrations.AddField(model_name="renewalscore", name=name, field=models.BigIntegerField(default=0))
            for name in MEANS
        ),
        migrations.RunSQL(START, migrations.RunSQL.noop),
        # The rows that were just written have checks of foreign keys pending; a table with such cannot be altered.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="renewalscore",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    mean_upsell_cents__gte=0,
                    mean_cross_sell_cents__gte=0,
                    mean_cents__gte=models.F("mean_upsell_cents") + models.F("mean_cross_sell_cents"),
                ),
                name="renewal_score_means",
            ),
        ),
    ]

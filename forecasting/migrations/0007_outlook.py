"""What each line expects beside the sum: when, how much of it is paid, how far chance alone moves it; and what a run
learned of amounts, order timing and the shock, so that it can be computed again."""

from django.db import migrations, models

AMOUNTS = (
    "expected_early_amount",
    "expected_on_time_amount",
    "expected_late_amount",
    "expected_by_due_amount",
    "expected_by_30_amount",
    "expected_by_60_amount",
    "expected_by_90_amount",
    "collected_amount",
    "chance_amount",
)


class Migration(migrations.Migration):
    dependencies = [("forecasting", "0006_scenarios")]
    operations = [
        *(
            migrations.AddField("run", name, models.JSONField(null=True))
            for name in ("amount_model", "order_timing", "shock")
        ),
        *(
            migrations.AddField("forecastline", name, models.DecimalField(max_digits=18, decimal_places=2, default=0))
            for name in AMOUNTS
        ),
    ]

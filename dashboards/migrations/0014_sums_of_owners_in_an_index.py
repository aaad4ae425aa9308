"""The sums of owners that scorecards add up, read from an index alone."""

from django.db import migrations, models

CARDED = (
    "due_count", "due_cents", "kept_cents", "renewed_cents", "kept_in_time_cents", "upsell_cents", "cross_sell_cents",
    "ordered_kept_cents", "ordered_renewed_cents", "ordered_in_time_cents", "hybrid_kept_cents", "hybrid_renewed_cents",
    "hybrid_in_time_cents",
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("dashboards", "0013_decided_by_team")]

    operations = [
        migrations.AddIndex(
            "Cell",
            models.Index(
                fields=["month_on"],
                include=["owner", "segment", *CARDED],
                name="dashboard_cell_cards",
                condition=models.Q(level=2),
            ),
        ),
    ]

"""That index without what nobody owns: PostgreSQL took it, too, for the few rows of nobody and of some owners."""

from django.db import migrations, models

CARDED = (
    "due_count", "due_cents", "kept_cents", "renewed_cents", "kept_in_time_cents", "upsell_cents", "cross_sell_cents",
    "ordered_kept_cents", "ordered_renewed_cents", "ordered_in_time_cents", "hybrid_kept_cents", "hybrid_renewed_cents",
    "hybrid_in_time_cents",
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("dashboards", "0016_lost_by_month")]

    operations = [
        migrations.RemoveIndex("Cell", "dashboard_cell_cards"),
        migrations.AddIndex(
            "Cell",
            models.Index(
                fields=["month_on"],
                include=["owner", "segment", *CARDED],
                name="dashboard_cell_cards",
                condition=models.Q(level=2, owner__isnull=False),
            ),
        ),
    ]

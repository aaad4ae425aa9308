"""Renewals that changed hands: see dashboards.models.MovedRenewal.

History has what a row was before each change. A statement that writes some marks those rows of it that had another owner
than they have now: what was changed, and what is changed later, whenever its history is written.
"""

from django.db import migrations, models

CHANGED = (
    "INSERT INTO dashboards_movedrenewal (renewal_id) SELECT DISTINCT r.id FROM {events} e"
    " JOIN renewals_renewal r ON r.id = e.pgh_obj_id WHERE e.owner_id IS DISTINCT FROM r.owner_id"
    " ON CONFLICT DO NOTHING"
)
MARK = f"""
CREATE FUNCTION dashboards_mark_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {CHANGED.format(events="new_events")};
    RETURN NULL;
END $$
"""
MARKED = (
    "CREATE TRIGGER dashboards_moved AFTER INSERT ON renewals_renewalevent REFERENCING NEW TABLE AS new_events"
    " FOR EACH STATEMENT EXECUTE FUNCTION dashboards_mark_moved()"
)


class Migration(migrations.Migration):
    dependencies = [("dashboards", "0007_changes_of_the_book"), ("renewals", "0019_churn_reason_by_due_day")]
    operations = [
        migrations.CreateModel(
            "MovedRenewal",
            [("renewal_id", models.BigIntegerField(primary_key=True, serialize=False))],
        ),
        migrations.RunSQL(
            [MARK, MARKED, CHANGED.format(events="renewals_renewalevent")],
            ["DROP FUNCTION dashboards_mark_moved() CASCADE"],
        ),
    ]

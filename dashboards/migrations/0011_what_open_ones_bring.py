"""What an open renewal is expected to bring, beside what it may lose; and marks by the signals that tell of payments.

Every write of signals marks the health of their accounts as stale, with triggers or by itself.
"""

from django.db import migrations, models

from config.one_step import InOneStep

MARK = """
CREATE FUNCTION dashboards_mark_signals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dashboards_stalecell (month_on, account_id) SELECT NULL::date, account_id FROM new_rows;
    RETURN NULL;
END $$
"""
EVENTS = ("INSERT", "UPDATE")
TRIGGERS = [
    statement
    for event in EVENTS
    for statement in (
        f"CREATE TRIGGER dashboards_mark_signals_{event.lower()} AFTER {event} ON accounts_stalehealth"
        " REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION dashboards_mark_signals()",
        f"ALTER TABLE accounts_stalehealth ENABLE ALWAYS TRIGGER dashboards_mark_signals_{event.lower()}",
    )
]
ANEW = [
    "DELETE FROM dashboards_openrenewal",
    "INSERT INTO dashboards_stalecell (month_on, account_id) VALUES (NULL, NULL)",
]


def _cents(name):
    return migrations.AddField("openrenewal", name, models.BigIntegerField(default=0), preserve_default=False)


class Migration(migrations.Migration):
    dependencies = [("dashboards", "0010_open_and_lost"), ("accounts", "0016_feedback_sums")]
    operations = [
        InOneStep(
            [
                *(_cents(name) for name in ("expected_cents", "collected_cents", "grown_cents")),
                migrations.AddIndex(
                    "openrenewal",
                    models.Index(
                        fields=["due_on"],
                        include=("owner", "segment", "risk_score", "baseline_cents"),
                        name="open_renewal_due",
                    ),
                ),
            ]
        ),
        migrations.RunSQL(
            [*ANEW, MARK, *TRIGGERS],
            ["DROP FUNCTION dashboards_mark_signals() CASCADE"],
        ),
    ]

"""Triggers that mark what cells have to be added up again: see dashboards.models.StaleCell.

Marks name the months that a changed renewal is, or was, due and ordered in. A run marks nothing: all cells follow it.
It leaves the count of edits of a score as it is, by which the triggers on scores tell edits from it.
"""

from django.db import migrations

MARK = """
CREATE FUNCTION dashboards_mark_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dashboards_stalecell (month_on, account_id)
    SELECT DISTINCT date_trunc('month', day)::date, account_id
    FROM ({rows}) changed CROSS JOIN LATERAL (VALUES (due_on), (ordered_on)) days (day)
    WHERE day IS NOT NULL;
    RETURN NULL;
END $$
"""
# What a cell is made of.
COUNTED = (
    "owner_id, account_id, due_on, currency, baseline_amount, final_amount, cross_sell_amount, outcome, ordered_on,"
    " is_excluded"
).split(", ")


def _of(alias):
    return ", ".join(f"{alias}.{name}" for name in COUNTED)


CHANGED = (
    "SELECT d.* FROM old_rows o JOIN new_rows n ON n.id = o.id CROSS JOIN LATERAL (VALUES"
    " (o.due_on, o.ordered_on, o.account_id), (n.due_on, n.ordered_on, n.account_id)) d (due_on, ordered_on, account_id)"
    f" WHERE ({_of('o')}) IS DISTINCT FROM ({_of('n')})"
)
MOVED = (
    "SELECT r.due_on, r.ordered_on, r.account_id FROM old_rows o JOIN new_rows n ON n.id = o.id"
    " JOIN renewals_renewal r ON r.account_id = n.id WHERE o.segment_id IS DISTINCT FROM n.segment_id"
)
SCORED = "SELECT due_on, ordered_on, account_id FROM renewals_renewal WHERE id = NEW.renewal_id"
GONE = "SELECT due_on, ordered_on, account_id FROM old_rows"
BOTH = "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT"
EDITED = "OLD.edit_count <> NEW.edit_count AND OLD.timing_class <> NEW.timing_class"
TRIGGERS = [
    ("renewal_update", CHANGED, "UPDATE ON renewals_renewal", BOTH),
    ("renewal_delete", GONE, "DELETE ON renewals_renewal", "REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT"),
    ("segment", MOVED, "UPDATE ON accounts_account", BOTH),
    ("score_update", SCORED, "UPDATE ON renewals_renewalscore", f"FOR EACH ROW WHEN ({EDITED})"),
    ("score_insert", SCORED, "INSERT ON renewals_renewalscore", "FOR EACH ROW WHEN (NEW.edit_count > 0)"),
]
# Whose team changes takes all their cells along.
TEAM = """
CREATE FUNCTION dashboards_mark_team() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dashboards_stalecell (month_on) VALUES (NULL);
    RETURN NULL;
END $$
"""


MARKS = [
    *(MARK.format(name=name, rows=rows) for name, rows, *_ in TRIGGERS),
    *(
        f"CREATE TRIGGER dashboards_{name} AFTER {event} {how} EXECUTE FUNCTION dashboards_mark_{name}()"
        for name, _, event, how in TRIGGERS
    ),
    TEAM,
    "CREATE TRIGGER dashboards_team AFTER UPDATE ON accounts_user FOR EACH ROW"
    " WHEN (OLD.team_id IS DISTINCT FROM NEW.team_id) EXECUTE FUNCTION dashboards_mark_team()",
]
NO_MARKS = [f"DROP FUNCTION dashboards_mark_{name}() CASCADE" for name in (*(name for name, *_ in TRIGGERS), "team")]


class Migration(migrations.Migration):
    dependencies = [("dashboards", "0001_schema"), ("renewals", "0017_lighter_imports")]
    operations = [migrations.RunSQL(MARKS, NO_MARKS)]

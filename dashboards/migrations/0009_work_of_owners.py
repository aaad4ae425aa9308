"""What each owner has to do, added up, and the triggers that mark whose is to be added up again.

Whoever writes and however, raw SQL included; each looks at all rows of a statement at once. Owners are looked up for
so many accounts or renewals at most; of more all are marked.
"""

import django.contrib.postgres.fields
from django.db import migrations, models

from config.one_step import InOneStep

NOBODY, EVERYBODY, MOST = 0, -1, 5000
MARK = "INSERT INTO dashboards_stalework (owner_id)"
MARK_CELLS = "INSERT INTO dashboards_stalecell (month_on, account_id)"
# What a cell is made of, as in 0002; and what the work of an owner is made of.
COUNTED = (
    "owner_id, account_id, due_on, currency, baseline_amount, final_amount, cross_sell_amount, outcome, ordered_on,"
    " is_excluded"
).split(", ")
WORKED = "owner_id, account_id, stage_id, due_on, currency, baseline_amount, outcome, is_excluded".split(", ")


def _of(alias, names):
    return ", ".join(f"{alias}.{name}" for name in names)


def _differs(names):
    return f"({_of('o', names)}) IS DISTINCT FROM ({_of('n', names)})"


# One pass over what a statement changed, for the cells and for the work.
UPDATED = f"""
CREATE OR REPLACE FUNCTION dashboards_mark_renewal_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH changed AS MATERIALIZED (
        SELECT o.due_on AS due_then, o.ordered_on AS ordered_then, o.account_id AS account_then,
            n.due_on, n.ordered_on, n.account_id, o.owner_id AS owner_then, n.owner_id,
            {_differs(COUNTED)} AS is_counted,
            'open' IN (o.outcome, n.outcome) AND {_differs(WORKED)} AS is_work
        FROM old_rows o JOIN new_rows n ON n.id = o.id WHERE {_differs((*COUNTED, "stage_id"))}
    ), worked AS (
        {MARK} SELECT DISTINCT unnest(ARRAY[coalesce(owner_then, {NOBODY}), coalesce(owner_id, {NOBODY})])
        FROM changed WHERE is_work
    )
    {MARK_CELLS}
    SELECT DISTINCT date_trunc('month', day)::date, account FROM changed CROSS JOIN LATERAL (VALUES
        (due_then, account_then), (ordered_then, account_then), (due_on, account_id), (ordered_on, account_id)
    ) days (day, account) WHERE is_counted AND day IS NOT NULL;
    RETURN NULL;
END $$
"""
AS_BEFORE = f"""
CREATE OR REPLACE FUNCTION dashboards_mark_renewal_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {MARK_CELLS}
    SELECT DISTINCT date_trunc('month', day)::date, account_id
    FROM (SELECT d.* FROM old_rows o JOIN new_rows n ON n.id = o.id CROSS JOIN LATERAL (VALUES
        (o.due_on, o.ordered_on, o.account_id), (n.due_on, n.ordered_on, n.account_id)
    ) d (due_on, ordered_on, account_id) WHERE {_differs(COUNTED)}) changed
    CROSS JOIN LATERAL (VALUES (due_on), (ordered_on)) days (day) WHERE day IS NOT NULL;
    RETURN NULL;
END $$
"""


def _function(name, body):
    return (
        f"CREATE FUNCTION dashboards_work_{name}() RETURNS trigger LANGUAGE plpgsql AS $$\n"
        f"DECLARE ids bigint[];\nBEGIN\n{body}\n    RETURN NULL;\nEND $$"
    )


def _ids(rows):
    """Statements that collect the ids of what was changed: of both sides of an update only where it tells."""
    inserted, deleted, updated = rows
    return f"""
    IF TG_OP = 'INSERT' THEN ids := ARRAY({inserted});
    ELSIF TG_OP = 'DELETE' THEN ids := ARRAY({deleted});
    ELSE ids := ARRAY({updated});
    END IF;"""


def _owners_of(column):
    """Marks of who owns the open renewals of so many accounts, or so many renewals."""
    return f"""
    IF cardinality(ids) > {MOST} THEN {MARK} VALUES ({EVERYBODY});
    ELSIF cardinality(ids) > 0 THEN
        {MARK} SELECT DISTINCT coalesce(owner_id, {NOBODY}) FROM renewals_renewal
            WHERE {column} = ANY(ids) AND outcome = 'open';
    END IF;"""


RENEWALS = _function(
    "renewals",
    _ids(
        (
            f"SELECT DISTINCT coalesce(owner_id, {NOBODY}) FROM new_rows WHERE outcome = 'open'",
            f"SELECT DISTINCT coalesce(owner_id, {NOBODY}) FROM old_rows WHERE outcome = 'open'",
            "SELECT 0 WHERE false",
        )
    )
    + f"\n    {MARK} SELECT unnest(ids);",
)
ACCOUNTS = _function(
    "accounts",
    f"""
    IF TG_OP = 'UPDATE' THEN
        {MARK} SELECT DISTINCT owner_id FROM (SELECT unnest(ARRAY[o.owner_id, n.owner_id]) AS owner_id
            FROM old_rows o JOIN new_rows n USING (id) WHERE o.owner_id IS DISTINCT FROM n.owner_id) moved
            WHERE owner_id IS NOT NULL;
        ids := ARRAY(SELECT id FROM old_rows o JOIN new_rows n USING (id)
            WHERE (o.segment_id, o.last_touch_on) IS DISTINCT FROM (n.segment_id, n.last_touch_on));
        {_owners_of("account_id")}
    ELSIF TG_OP = 'INSERT' THEN {MARK} SELECT DISTINCT owner_id FROM new_rows WHERE owner_id IS NOT NULL;
    ELSE {MARK} SELECT DISTINCT owner_id FROM old_rows WHERE owner_id IS NOT NULL;
    END IF;""",
)
FLAGS = _function(
    "flags",
    _ids(
        (
            "SELECT DISTINCT account_id FROM new_rows WHERE cleared_at IS NULL",
            "SELECT DISTINCT account_id FROM old_rows WHERE cleared_at IS NULL",
            "SELECT DISTINCT unnest(ARRAY[o.account_id, n.account_id]) FROM old_rows o JOIN new_rows n USING (id)"
            " WHERE (o.account_id, o.cleared_at IS NULL) IS DISTINCT FROM (n.account_id, n.cleared_at IS NULL)",
        )
    )
    + _owners_of("account_id"),
)
QUALITY = _function(
    "quality",
    _ids(
        (
            "SELECT renewal_id FROM new_rows",
            "SELECT renewal_id FROM old_rows",
            "SELECT unnest(ARRAY[o.renewal_id, n.renewal_id]) FROM old_rows o JOIN new_rows n USING (renewal_id)"
            " WHERE o.worst_severity <> n.worst_severity",
        )
    )
    + _owners_of("id"),
)
TASKED = "owner_id, kind, due_on, snoozed_until, estimated_minutes, done_at".split(", ")
TASKS = _function(
    "tasks",
    _ids(
        (
            "SELECT DISTINCT owner_id FROM new_rows WHERE owner_id IS NOT NULL AND done_at IS NULL",
            "SELECT DISTINCT owner_id FROM old_rows WHERE owner_id IS NOT NULL AND done_at IS NULL",
            "SELECT DISTINCT owner_id FROM (SELECT unnest(ARRAY[o.owner_id, n.owner_id]) AS owner_id FROM old_rows o"
            f" JOIN new_rows n USING (id) WHERE {_differs(TASKED)}) changed WHERE owner_id IS NOT NULL",
        )
    )
    + f"\n    {MARK} SELECT unnest(ids);",
)
NEW, OLD = "NEW TABLE AS new_rows", "OLD TABLE AS old_rows"
SEEN = {"INSERT": NEW, "DELETE": OLD, "UPDATE": f"{OLD} {NEW}"}
MARKED = (
    ("renewals_renewal", "renewals", ("INSERT", "DELETE")),
    ("accounts_account", "accounts", ("INSERT", "UPDATE", "DELETE")),
    ("engagement_flag", "flags", ("INSERT", "UPDATE", "DELETE")),
    ("renewals_renewalquality", "quality", ("INSERT", "UPDATE", "DELETE")),
    ("engagement_task", "tasks", ("INSERT", "UPDATE", "DELETE")),
)
TRIGGERS = [
    f"CREATE TRIGGER dashboards_work_{operation.lower()} AFTER {operation} ON {table} REFERENCING {SEEN[operation]}"
    f" FOR EACH STATEMENT EXECUTE FUNCTION dashboards_work_{name}()"
    for table, name, operations in MARKED
    for operation in operations
]
DROPPED = [f"DROP FUNCTION dashboards_work_{name}() CASCADE" for _, name, _ in MARKED]


def _by_week():
    return django.contrib.postgres.fields.ArrayField(models.BigIntegerField(), default=list, size=None)


def _key():
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    dependencies = [
        ("dashboards", "0008_renewals_that_changed_hands"),
        ("accounts", "0016_feedback_sums"),
        ("renewals", "0019_churn_reason_by_due_day"),
        ("engagement", "0022_order_of_flags"),
    ]

    operations = [
        InOneStep(
            [
                migrations.CreateModel(
                    "OwnerWork",
                    [
                        ("owner_id", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("account_count", models.IntegerField(default=0)),
                        ("due_counts", _by_week()),
                        ("due_hundredths", _by_week()),
                        ("plan_counts", _by_week()),
                        ("plan_minutes", _by_week()),
                        ("task_counts", _by_week()),
                        ("task_minutes", _by_week()),
                        ("open_cents", models.JSONField(default=dict)),
                        ("flagged_count", models.IntegerField(default=0)),
                        ("silent_count", models.IntegerField(default=0)),
                        ("both_count", models.IntegerField(default=0)),
                    ],
                ),
                migrations.CreateModel(
                    "WorkRollUp",
                    [
                        ("id", _key()),
                        ("run_id", models.BigIntegerField(null=True)),
                        ("as_of_on", models.DateField()),
                        ("today_on", models.DateField()),
                        ("terms", models.JSONField(default=dict)),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(condition=models.Q(pk=1), name="work_roll_up_is_one_row")
                        ]
                    },
                ),
                migrations.CreateModel("StaleWork", [("id", _key()), ("owner_id", models.BigIntegerField())]),
            ]
        ),
        migrations.RunSQL([UPDATED, RENEWALS, ACCOUNTS, FLAGS, QUALITY, TASKS, *TRIGGERS], [*DROPPED, AS_BEFORE]),
    ]

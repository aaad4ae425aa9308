"""Sums that the feedback board is read from, and the triggers that say of which accounts they have to be made again.

Whoever writes and however, raw SQL included; each trigger looks at all rows of a statement at once.
"""

import django.contrib.postgres.fields
from django.db import migrations, models

from config.one_step import InOneStep

MARK = "INSERT INTO accounts_feedbackmark (account_id) SELECT DISTINCT account_id FROM"
TICKETS = f"""
CREATE FUNCTION feedback_mark_tickets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN {MARK} new_rows; END IF;
    IF TG_OP <> 'INSERT' THEN {MARK} old_rows; END IF;
    RETURN NULL;
END $$
"""
# What is not renewed, or by whom, and what it is worth; anything else of a renewal the board does not tell.
RENEWALS = f"""
CREATE FUNCTION feedback_mark_renewals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN {MARK} new_rows;
    ELSIF TG_OP = 'DELETE' THEN {MARK} old_rows;
    ELSE {MARK} (
        SELECT unnest(ARRAY[o.account_id, n.account_id]) AS account_id FROM old_rows o JOIN new_rows n USING (id)
        WHERE (o.account_id, o.owner_id, o.outcome, o.is_excluded, o.baseline_amount, o.currency)
            IS DISTINCT FROM (n.account_id, n.owner_id, n.outcome, n.is_excluded, n.baseline_amount, n.currency)) moved;
    END IF;
    RETURN NULL;
END $$
"""
ACCOUNTS = f"""
CREATE FUNCTION feedback_mark_accounts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {MARK} (SELECT id AS account_id FROM old_rows o JOIN new_rows n USING (id)
        WHERE o.owner_id IS DISTINCT FROM n.owner_id) moved;
    RETURN NULL;
END $$
"""
TEAMS = """
CREATE FUNCTION feedback_mark_teams() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_feedbackmark (account_id) SELECT 0 WHERE EXISTS (
        SELECT FROM old_rows o JOIN new_rows n USING (id) WHERE o.team_id IS DISTINCT FROM n.team_id);
    RETURN NULL;
END $$
"""
THEMES = """
CREATE FUNCTION feedback_mark_themes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_feedbackmark (account_id) SELECT 0 WHERE EXISTS (
        SELECT FROM old_rows o JOIN new_rows n USING (id) WHERE (o.categories, o.words) <> (n.categories, n.words));
    RETURN NULL;
END $$
"""
EVERYTHING = """
CREATE FUNCTION feedback_mark_everything() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO accounts_feedbackmark (account_id) VALUES (0);
    RETURN NULL;
END $$
"""
NEW, OLD = "NEW TABLE AS new_rows", "OLD TABLE AS old_rows"
SEEN = {"INSERT": NEW, "DELETE": OLD, "UPDATE": f"{OLD} {NEW}"}
MARKED = (
    ("accounts_ticket", "tickets", ("INSERT", "UPDATE", "DELETE")),
    ("renewals_renewal", "renewals", ("INSERT", "UPDATE", "DELETE")),
    ("accounts_account", "accounts", ("UPDATE",)),
    ("accounts_user", "teams", ("UPDATE",)),
    ("engagement_feedbacktheme", "themes", ("UPDATE",)),
)
TRIGGERS = [
    f"CREATE TRIGGER feedback_{operation.lower()} AFTER {operation} ON {table} REFERENCING {SEEN[operation]}"
    f" FOR EACH STATEMENT EXECUTE FUNCTION feedback_mark_{name}()"
    for table, name, operations in MARKED
    for operation in operations
]
WHOLE = [
    f"CREATE TRIGGER feedback_whole AFTER {operations} ON {table}"
    " FOR EACH STATEMENT EXECUTE FUNCTION feedback_mark_everything()"
    for table, operations in (
        ("accounts_ticket", "TRUNCATE"),
        ("renewals_renewal", "TRUNCATE"),
        ("engagement_feedbacktheme", "INSERT OR DELETE OR TRUNCATE"),
    )
]
BEGIN = "INSERT INTO accounts_feedbackmark (account_id) SELECT 0 WHERE EXISTS (SELECT FROM engagement_feedbacktheme)"
FUNCTIONS = [TICKETS, RENEWALS, ACCOUNTS, TEAMS, THEMES, EVERYTHING]
NAMES = ("tickets", "renewals", "accounts", "teams", "themes", "everything")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0016_feedback_sums"),
        ("renewals", "0019_churn_reason_by_due_day"),
        ("engagement", "0020_minutes_that_tasks_took"),
    ]

    operations = [
        InOneStep(
            [
                migrations.CreateModel(
                    name="FeedbackAccount",
                    fields=[
                        ("account_id", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("themes", django.contrib.postgres.fields.ArrayField(models.IntegerField(), size=None)),
                        ("opened_on", django.contrib.postgres.fields.ArrayField(models.DateField(), size=None)),
                        ("ticket_counts", django.contrib.postgres.fields.ArrayField(models.IntegerField(), size=None)),
                        ("open_counts", django.contrib.postgres.fields.ArrayField(models.IntegerField(), size=None)),
                        ("scopes", django.contrib.postgres.fields.ArrayField(models.IntegerField(), size=None)),
                        (
                            "currencies",
                            django.contrib.postgres.fields.ArrayField(models.CharField(max_length=3), size=None),
                        ),
                        (
                            "amounts",
                            django.contrib.postgres.fields.ArrayField(
                                models.DecimalField(decimal_places=2, max_digits=20), size=None
                            ),
                        ),
                        ("next_on", models.DateField(null=True)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("next_on__isnull", False)), fields=["next_on"], name="feedback_next"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="FeedbackCell",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("scope", models.IntegerField()),
                        ("theme", models.IntegerField()),
                        ("day", models.DateField()),
                        ("currency", models.CharField(blank=True, max_length=3)),
                        ("ticket_count", models.BigIntegerField()),
                        ("open_count", models.BigIntegerField()),
                        ("account_count", models.BigIntegerField()),
                        ("amount", models.DecimalField(decimal_places=2, max_digits=24)),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                condition=models.Q(("account_count", 0), ("ticket_count", 0)),
                                fields=["scope"],
                                name="feedback_cell_empty",
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("scope", "theme", "day", "currency"), name="feedback_cell_once"
                            )
                        ],
                    },
                ),
            ]
        ),
        migrations.RunSQL(
            [*FUNCTIONS, *TRIGGERS, *WHOLE, BEGIN],
            [f"DROP FUNCTION feedback_mark_{name}() CASCADE" for name in NAMES],
        ),
    ]

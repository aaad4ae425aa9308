"""Touches, known again by the id that they have elsewhere, and the people of an account, by email or else by name."""

from __future__ import annotations

from accounts.models import Contact, Touch, get_company
from accounts.touches.people import tell_of_champions
from renewals.imports.records import make_account_rows, match_records, record_source
from renewals.imports.repeats import mark_repeats
from renewals.imports.run import Refusal, Run
from renewals.imports.upsert import Counts, write_rows

HAPPENED, NEXT = "touch_happened_on", "touch_next_touch_on"
# As Django's own check of an address, as far as a typing error goes: one @, no blank, a dot behind it.
EMAIL = r"^[^@[:space:]]+@[^@[:space:]]+\.[^@[:space:].]+$"


def prepare_touches(run: Run) -> None:
    make_account_rows(run)
    run.refuse_by([
        Refusal(
            f"{HAPPENED} > %s",
            ("touch.happened_on",),
            HAPPENED,
            "future_touch",
            "'is after today: it has not taken place'",
            (run.as_of,),
        ),
        Refusal(
            f"{NEXT} <= {HAPPENED}",
            ("touch.next_touch_on",),
            NEXT,
            "next_touch_too_early",
            f"format('does not come after the touch, %%s', {HAPPENED})",
        ),
    ])  # fmt: skip
    match_records(run, "touch", Touch._meta.db_table)
    # As with a touch that is logged by hand: the last touch that the touches kept here do not explain, or else what the
    # newest of them replaced.
    run.make_table(
        "import_latest",
        f"""
        SELECT n.account_id, n.latest_on, CASE WHEN a.last_touch_on IS DISTINCT FROM o.newest_on THEN a.last_touch_on
            ELSE o.replaced_touch_on END AS replaced_on
        FROM (SELECT account_id, max({HAPPENED}) AS latest_on FROM import_row WHERE verdict IS NULL GROUP BY 1) n
        LEFT JOIN accounts_account a ON a.id = n.account_id
        LEFT JOIN LATERAL (
            SELECT max((happened_at AT TIME ZONE {_zone()})::date) AS newest_on,
                (array_agg(replaced_touch_on ORDER BY id DESC))[1] AS replaced_touch_on
            FROM {Touch._meta.db_table} WHERE account_id = n.account_id) o ON true
        """,
        joined_by="account_id",
    )


def _zone() -> str:
    """SQL of the company's time zone."""
    return "'" + get_company().time_zone.replace("'", "''") + "'"


def write_touches(run: Run) -> Counts:
    """A file knows the day alone: the touch stands at noon of the company's day, and where it stood if that is its day.

    What the account's last touch was before is kept with each new one, as with one that is logged by hand.
    """

    def told(name: str) -> str:
        return run.written(f"touch.{name}", f"c.{name}", f"o.{name}")

    zone = _zone()
    names = ("kind", "happened_on", "author", "note", "next_touch_on")
    columns = ", ".join(f"r.touch_{name} AS {name}" for name in names)
    return write_rows(
        run,
        Touch,
        record_source(f"r.touch_id AS external_id, {columns}"),
        {
            "account_id": "c.account_id",
            "external_id": "c.external_id",
            "kind": told("kind"),
            "happened_at": f"""CASE WHEN (o.happened_at AT TIME ZONE {zone})::date = c.happened_on THEN o.happened_at
                ELSE least((c.happened_on + time '12:00') AT TIME ZONE {zone}, now()) END""",
            "author_id": run.written("touch.author", "c.author", "o.author_id"),
            "note": f"coalesce({told('note')}, '')",
            "next_touch_on": told("next_touch_on"),
            "replaced_touch_on": """CASE WHEN o.id IS NULL
                THEN (SELECT replaced_on FROM import_latest l WHERE l.account_id = c.account_id)
                ELSE o.replaced_touch_on END""",
        },
    )


def prepare_contacts(run: Run) -> None:
    make_account_rows(run)
    run.refuse_by([
        Refusal(
            "contact_left_on > %s",
            ("contact.left_on",),
            "contact_left_on",
            "future_contact",
            "'is after today: nobody has left yet'",
            (run.as_of,),
        ),
        Refusal(
            f"contact_email !~ '{EMAIL}'",
            ("contact.email",),
            "contact_email",
            "not_an_email",
            "'is no email address'",
        ),
    ])  # fmt: skip
    run.execute("ALTER TABLE import_row ADD COLUMN contact_key text")
    run.execute("UPDATE import_row SET contact_key = lower(coalesce(contact_email, contact_name))")
    mark_repeats(run, "account_id, contact_key", paths=("contact.email", "contact.name"), value="contact_key")
    # Somebody known by name alone takes the email that a file brings, if only one person has that name there.
    run.make_table(
        "import_record",
        f"""
        SELECT r.row_number, coalesce(o.id, {run.new_id(Contact._meta.db_table, "r.row_number")}) AS id,
            o.id IS NULL AS is_new
        FROM import_row r LEFT JOIN LATERAL (
            SELECT id FROM accounts_contact p WHERE p.account_id = r.account_id AND (
                lower(p.email) = lower(r.contact_email)
                OR lower(p.name) = lower(r.contact_name) AND (r.contact_email IS NULL OR p.email = ''))
            ORDER BY lower(p.email) = lower(r.contact_email) DESC NULLS LAST, id LIMIT 1) o ON true
        WHERE r.verdict IS NULL
        """,
    )
    run.refuse(
        """EXISTS (SELECT 1 FROM import_record m JOIN import_record other ON other.id = m.id
            AND other.row_number < m.row_number WHERE m.row_number = t.row_number)""",
        paths=("contact.email", "contact.name"),
        value="contact_key",
        code="conflicting_rows",
        reason="'an earlier row of this file is about the same person'",
    )


def write_contacts(run: Run) -> Counts:
    def told(name: str) -> str:
        return run.written(f"contact.{name}", f"c.{name}", f"o.{name}")

    names = ("name", "email", "role", "phone", "is_champion", "is_unmailed", "left_on")
    columns = ", ".join(f"r.contact_{name} AS {name}" for name in names)
    counts = write_rows(
        run,
        Contact,
        record_source(columns),
        {
            "account_id": "c.account_id",
            "name": told("name"),
            **{name: f"coalesce({told(name)}, '')" for name in ("email", "role", "phone")},
            **{name: f"coalesce({told(name)}, false)" for name in ("is_champion", "is_unmailed")},
            "left_on": told("left_on"),
        },
    )
    if run.is_applied and counts["created"] + counts["changed"]:
        accounts = run.rows("SELECT DISTINCT account_id FROM import_row WHERE verdict IS NULL")
        tell_of_champions([account_id for (account_id,) in accounts], on=run.as_of)
    return counts

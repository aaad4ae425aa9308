"""Touches, known again by the id that they have elsewhere, and the people of an account, by email or else by name."""

from __future__ import annotations

from accounts.models import Contact, Touch, get_company
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
    run.make_table(
        "import_latest",
        f"SELECT account_id, max({HAPPENED}) AS latest_on FROM import_row WHERE verdict IS NULL GROUP BY 1",
        joined_by="account_id",
    )


def write_touches(run: Run) -> Counts:
    """A file knows the day alone: the touch stands at noon of the company's day, and where it stood if that is its day.

    What the account's last touch was before is kept with each new one, as with one that is logged by hand.
    """

    def told(name: str) -> str:
        return run.written(f"touch.{name}", f"c.{name}", f"o.{name}")

    zone = "'" + get_company().time_zone.replace("'", "''") + "'"
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
        _tell_of_champions(run)
    return counts


def _tell_of_champions(run: Run) -> None:
    """As an edit by hand tells it: a champion has left where there was one and none is left, where that is news."""
    run.execute(
        """
        INSERT INTO accounts_accountsignal AS o (account_id, measured_on, has_champion_left)
        SELECT c.account_id, %s, c.has_left
        FROM (SELECT account_id, bool_and(left_on IS NOT NULL) AS has_left FROM accounts_contact
              WHERE is_champion AND account_id IN (SELECT account_id FROM import_row WHERE verdict IS NULL)
              GROUP BY 1) c
        LEFT JOIN LATERAL (
            SELECT has_champion_left AS had_left FROM accounts_accountsignal
            WHERE account_id = c.account_id AND has_champion_left IS NOT NULL
            ORDER BY measured_on DESC LIMIT 1) known ON true
        WHERE c.has_left IS DISTINCT FROM coalesce(known.had_left, false)
        ON CONFLICT (account_id, measured_on) DO UPDATE SET has_champion_left = excluded.has_champion_left
        """,
        [run.as_of],
    )

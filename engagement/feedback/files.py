"""Themes and their tickets as CSV: what the page shows, of the reader's own scope, line after line."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from accounts.models import Ticket, TicketQuerySet
from engagement.feedback.reads import Column
from renewals.exports.guard import guarded

MARK = "\ufeff"  # by which spreadsheets know UTF-8
READ_AT_ONCE = 2000
TICKET_COLUMNS = {
    "Account": "account__name",
    "Account id": "account__external_id",
    "Ticket": "external_id",
    "Opened": "opened_on",
    "Resolved": "resolved_on",
    "Category": "category",
    "Severity": "severity",
    "Times reopened": "reopened_count",
    "Reporter": "reporter",
    "Satisfaction": "satisfaction_score",
    "Subject": "subject",
    "Theme of the support desk": "theme",
}
THEME_COLUMNS = (
    *("Theme", "Status", "Goes to", "Owner", "Target date", "Done on", "Categories", "Words", "Tickets", "Open"),
    *("Accounts", "Baseline at stake", "Currency", "Without a rate", "Tickets in 180 days before", "Tickets since"),
    *("Days since", "All others before", "All others since", "Note", "Link"),
)


class Echo:
    """What csv.writer writes to: it hands each line back."""

    def write(self, line: str) -> str:
        return line


def _lines(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield MARK + writer.writerow(heading)
    for row in rows:
        yield writer.writerow([guarded(value) if isinstance(value, str) else value for value in row])


def ticket_lines(tickets: TicketQuerySet) -> Iterator[str]:
    rows = tickets.order_by("-opened_on", "-pk").values_list(*TICKET_COLUMNS.values())
    return _lines(list(TICKET_COLUMNS), rows.iterator(chunk_size=READ_AT_ONCE))


def theme_lines(columns: Sequence[Column], currency: str) -> Iterator[str]:
    categories = dict(Ticket.Category.choices)
    rows = []
    for card in (card for column in columns for card in column.cards):
        theme, stake, effect = card.theme, card.stake, card.effect
        compared = (
            (effect.before, effect.since, effect.days_since, effect.others_before, effect.others_since)
            if effect
            else ("",) * 5
        )
        rows.append((
            theme.name, theme.get_status_display(), theme.get_route_display(), str(theme.owner or ""), theme.target_on,
            theme.done_on, ", ".join(str(categories[one]) for one in theme.categories), ", ".join(theme.words),
            stake.ticket_count, stake.open_count, stake.account_count, stake.amount, currency,
            ", ".join(stake.without_rate), *compared, theme.note, theme.link,
        ))  # fmt: skip
    return _lines(THEME_COLUMNS, rows)

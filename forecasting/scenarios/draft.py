"""The scenario on the page, as its form holds it: shifts in their order, right or wrong, and what each came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.db import connection
from django.http import QueryDict
from django.urls import reverse

from accounts.models import Company, User
from forecasting.engine.arrays import Booleans
from forecasting.frames import Column, copy_out
from forecasting.scenarios.apply import Effect
from forecasting.scenarios.book import ScenarioBook
from forecasting.scenarios.figures import Figures, base_figures, compute_figures
from forecasting.scenarios.shifts import (
    ALL,
    FIELDS,
    LABELS,
    MOST_SHIFTS,
    Kind,
    Shift,
    ShiftInvalid,
    in_words,
    read_rows,
    read_shift,
    rows_text,
    shifts_from,
)
from renewals.bulk.selection import Selection, SelectionUnreadable
from renewals.bulk.selection import in_words as filters_in_words
from renewals.forms import Editing
from renewals.saved_views.bar import views_of
from renewals.saved_views.builtin import BUILT_IN


@dataclass(frozen=True)
class Reader:
    """Who looks at a scenario, and at what: figures are of what this person sees."""

    user: User
    company: Company
    book: ScenarioBook


@dataclass
class Card:
    """One shift on the page: what was typed, what it says where it can be read, and else what is wrong."""

    kind: Kind
    rows: str
    given: Mapping[str, str]
    shift: Shift | None = None
    problem: str = ""
    words: str = ""
    rows_words: str = ""
    rows_url: str = ""
    effect: Effect | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        return LABELS[self.kind]


def card_of(shift: Shift) -> Card:
    return Card(shift.kind, rows_text(shift.rows), shift.values, shift)


def blank_card(kind: Kind, rows: str) -> Card:
    """A shift that changes nothing yet."""
    return Card(kind, rows, FIELDS[kind])


def cards_of(stored: Sequence[Mapping[str, Any]]) -> list[Card]:
    return [card_of(shift) for shift in shifts_from(stored)]


def read_cards(data: QueryDict) -> list[Card]:
    """What a form sends: `shift` with the number of each in their order, and their fields under `<number>-<name>`."""
    cards = []
    for number in data.getlist("shift")[:MOST_SHIFTS]:
        kind = data.get(f"{number}-kind", "")
        if kind in list(Kind):
            given = {name: data.get(f"{number}-{name}", "").replace("\x00", "") for name in FIELDS[Kind(kind)]}
            cards.append(Card(Kind(kind), data.get(f"{number}-rows", "").replace("\x00", ""), given))
    return cards


def check_cards(cards: Sequence[Card], editing: Editing) -> list[Card]:
    """Say of each card what is wrong with it, or which shift it is. One that is kept was read by who kept it."""
    for card in cards:
        if card.shift is not None or card.problem:
            continue
        try:
            card.shift = read_shift(card.kind, read_rows(card.rows), card.given, editing)
        except ShiftInvalid as problem:
            card.problem = str(problem)
        else:
            card.rows, card.given = rows_text(card.shift.rows), card.shift.values
    return list(cards)


def compute_cards(cards: Sequence[Card], reader: Reader) -> Figures:
    """Figures under the shifts that can be read; each card is told what its shift came to."""
    owners = _owners(cards)
    applied: list[tuple[Card, Shift, Booleans]] = []
    for card in cards:
        if card.shift is None:
            continue
        card.words = in_words(card.shift, owners)
        try:
            is_chosen = chosen_rows(card, card.shift.rows, reader)
        except SelectionUnreadable as problem:
            card.problem = str(problem)
        else:
            applied.append((card, card.shift, is_chosen))
    shifts = [(shift, is_chosen) for _, shift, is_chosen in applied]
    if not shifts:
        return base_figures(reader.book)
    key = (reader.user.pk, tuple((shift.kind, rows_text(shift.rows), *shift.values.values()) for shift, _ in shifts))
    figures: Figures = reader.book.remembered(key, lambda: compute_figures(reader.book, shifts))
    for (card, _, _), effect in zip(applied, figures.effects, strict=True):
        card.effect = effect
        card.notes = [*card.notes, *effect.notes]
    return figures


def _owners(cards: Sequence[Card]) -> dict[str, User]:
    keys = [card.shift.values["owner"] for card in cards if card.shift and card.kind == Kind.OWNER]
    return {str(user.pk): user for user in User.objects.filter(pk__in=[key for key in keys if key])}


def chosen_rows(card: Card, rows: Selection, reader: Reader) -> Booleans:
    """Which rows of the book a selection means, asked as its reader. Raises SelectionUnreadable.

    Tells the card in words which renewals they are, and of those that are in no figure.
    """
    user, company, book = reader.user, reader.company, reader.book
    table = reverse("renewals:table")
    if rows.is_all:
        query = rows.read_query(user, company)
        card.rows_words = filters_in_words(query) or "Every renewal"
        card.rows_url = f"{table}?{rows.query}"
    else:
        count = len(rows.ids)
        card.rows_words = f"{count:,} chosen renewal{'' if count == 1 else 's'}"
    ids = book.remembered((user.pk, "rows", rows_text(rows)), lambda: _read_ids(rows, reader))
    is_chosen = book.places(ids)
    hidden = len(rows.ids) - ids.size if not rows.is_all else 0
    outside = ids.size - np.count_nonzero(is_chosen)
    if hidden:
        card.notes.append(f"{hidden:,} of them are not in the book that you see.")
    if outside:
        card.notes.append(
            f"{outside:,} in no figure here: decided before {book.first_on:%d %b %Y}, an approved exception, "
            "not scored, or in a currency without a rate."
        )
    return is_chosen


def _read_ids(rows: Selection, reader: Reader) -> Any:
    sql, params = rows.matching(reader.user, reader.company).order_by().values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        return copy_out(cursor, [Column("id", "int8", "chosen.id")], f"({sql}) AS chosen (id)", params)["id"]


def moved(cards: Sequence[Card], at: int, step: int) -> list[Card]:
    """The cards with one of them a place earlier (-1) or later (1), where there is such a place."""
    cards = list(cards)
    if 0 <= at < len(cards) and 0 <= at + step < len(cards):
        cards[at], cards[at + step] = cards[at + step], cards[at]
    return cards


def row_choices(cards: Sequence[Card], user: User) -> list[tuple[str, str]]:
    """Renewals that a new shift may be on: those of the other shifts, and what the views of the table show."""
    choices = {card.rows: f"As in shift {number}: {card.rows_words}" for number, card in enumerate(cards, 1)}
    views = [(view.address, view.name) for view in BUILT_IN.values()]
    views += [(view.address, view.name) for view in views_of(user)]
    for address, name in views:
        choices.setdefault(f"{ALL}{address}", f"View: {name}")
    return list(choices.items())

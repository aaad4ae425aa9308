"""What the pages of scenarios show, from cards and figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, QueryDict
from django.urls import reverse

from accounts.access import signed_in
from accounts.models import Company, User, get_company
from forecasting.models import Scenario
from forecasting.periods import Grain, period_of
from forecasting.scenarios.book import read_scenario_book, shown_periods
from forecasting.scenarios.compare import (
    BASE,
    Column,
    build_charts,
    build_headlines,
    build_tables,
    labels_of,
)
from forecasting.scenarios.draft import Card, Reader, blank_card, cards_of, compute_cards, row_choices
from forecasting.scenarios.figures import Figures, base_figures
from forecasting.scenarios.shifts import LABELS, Kind
from renewals.bulk.selection import SelectionUnreadable, read_selection
from renewals.forms import owners_for

MOST_COMPARED = 3
UNSAVED = "This scenario"


def read_reader(request: HttpRequest) -> Reader | None:
    """None before the first run is published: then there is nothing to shift."""
    user, company = signed_in(request), get_company()
    book = read_scenario_book(user, company)
    return Reader(user, company, book) if book else None


def asked_card(query: QueryDict) -> Card | None:
    """A shift, still of nothing, on the renewals that an address names as the table's bar does: `ids`, or `all`."""
    if not query.get("ids") and not query.get("all"):
        return None
    try:
        selection = read_selection({"ids": query.get("ids", ""), "all": query.get("all", "")}, query.urlencode())
    except SelectionUnreadable as problem:
        return Card(Kind.LIKELIHOOD, "", blank_card(Kind.LIKELIHOOD, "").given, problem=str(problem))
    rows = f"all:{selection.query}" if selection.is_all else "ids:" + ",".join(map(str, selection.ids))
    return blank_card(Kind.LIKELIHOOD, rows)


def grain_of(query: QueryDict) -> str:
    return Grain.MONTH if query.get("by") == Grain.MONTH else Grain.QUARTER


def draft_context(cards: Sequence[Card], reader: Reader, grain: str, name: str) -> dict[str, Any]:
    """The form of a scenario, and what it comes to."""
    figures = compute_cards(cards, reader)
    return {
        "cards": list(enumerate(cards)),
        "kinds": [(str(kind), label) for kind, label in LABELS.items()],
        "row_choices": row_choices(cards, reader.user),
        "owners": list(owners_for(reader.user).order_by("name")) if _has_owner(cards) else [],
        **figures_context([Column(name, figures)], reader, grain),
    }


def _has_owner(cards: Sequence[Card]) -> bool:
    return any(card.kind == Kind.OWNER for card in cards)


def figures_context(columns: Sequence[Column], reader: Reader, grain: str) -> dict[str, Any]:
    """Charts and tables of scenarios beside the book as it is; the headlines are those of the first one."""
    book, currency = reader.book, reader.company.reporting_currency
    periods = shown_periods(grain, book.today, book.report.fiscal_start)
    labels = labels_of(periods, book.report.fiscal_start)
    current = period_of(grain, book.today, book.report.fiscal_start)
    base = base_figures(book)
    beside = [Column(BASE, base), *columns]
    label = labels[periods.index(current)]
    return {
        "reader": reader,
        "sight": sight_text(reader.user, reader.company),
        "grain": grain,
        "as_of_on": book.run.as_of_on,
        "headlines": build_headlines(base, columns[0].figures if columns else base, current, label, currency),
        "charts": build_charts(beside, periods, labels, label, currency),
        "tables": build_tables(beside, periods, labels, currency),
        "unrated_count": book.unrated_count,
    }


def sight_text(user: User, company: Company) -> str:
    """Whose renewals the figures are of, where that is not everybody's."""
    if user.sees_all:
        return ""
    whose = f"the team {user.team}" if user.team_id else "yours alone"
    return f"Figures are of the renewals that you see ({whose}), not of all of {company.name}."


def column_of(scenario: Scenario, reader: Reader) -> tuple[Column, list[Card]]:
    cards = cards_of(scenario.shifts)
    figures: Figures = compute_cards(cards, reader)
    return Column(scenario.name, figures, scenario.get_absolute_url()), cards


def compare_url(scenarios: Sequence[Scenario]) -> str:
    return reverse("forecasting:scenarios:compare") + "?" + "&".join(f"s={one.pk}" for one in scenarios)

"""The pills over the table and what each opens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model, QuerySet

from accounts.models import Account, ExchangeRate, Industry, Segment, Team, User, get_company
from renewals.models import ChurnReason, Contract, Offer, Renewal, RiskBand, Stage, TimingClass
from renewals.overrides.filters import DISAGREEMENTS
from renewals.periods import PERIOD_NAMES, named_periods
from renewals.quality.marks import quality_options
from renewals.table.filter_kinds import EVERY, Reader
from renewals.table.filters import FILTERS, HEALTH_NAMES, NONE, Condition, Query, known_owners
from renewals.table.groups import BOOKINGS

# Shown as pills of their own; the others wait behind "Filter".
IN_FRONT = ("due", "timing", "risk", "stage", "owner")
BEHIND = (
    *("outcome", "category", "health", "segment", "industry", "region", "team", "offer", "currency", "booking"),
    *("product", "churn_reason"),
    *("decision", "ordered", "quality", "disagreement", "pinned", "excluded", "auto_renewing"),
)
LISTS: dict[str, type[Model]] = {
    "stage": Stage,
    "segment": Segment,
    "industry": Industry,
    "team": Team,
    "offer": Offer,
}
MOST_CHOICES = 200


@dataclass(frozen=True)
class Pill:
    name: str
    label: str
    text: str = ""
    clear_url: str = ""


@dataclass(frozen=True)
class Pills:
    shown: list[Pill]
    more: list[Pill]
    search: str
    kept: list[tuple[str, str]]  # what a search keeps of the address
    clear_url: str
    menu_url: str  # the address that a menu starts from


def build_pills(query: Query) -> Pills:
    """Active filters and those in front, then the rest for the menu behind."""
    active = {condition.name for condition in query.conditions} - {"q"}
    shown = [name for name in FILTERS if name in active or name in IN_FRONT]
    return Pills(
        shown=[_pill(name, query) for name in shown if name != "q"],
        more=[_pill(name, query) for name in BEHIND if name not in active],
        search=query.params.get("q", ""),
        kept=_pairs(query, leave_out=("q", "page")),
        clear_url=f"?outcome={EVERY}" if query.conditions else "",
        menu_url=query.url(page=None),
    )


def _pill(name: str, query: Query) -> Pill:
    condition: Condition | None = query.condition(name)
    return Pill(
        name=name,
        label=FILTERS[name].label,
        text=condition.text if condition else "",
        clear_url=query.url_without(condition) if condition else "",
    )


def _pairs(query: Query, leave_out: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in query.params.lists() if name not in leave_out for value in values]


@dataclass(frozen=True)
class Choice:
    value: str
    label: str
    is_chosen: bool


@dataclass
class Menu:
    """A filter's form: choices to tick, or a range of days with ready periods. Sent, it is the page's new address."""

    name: str
    label: str
    kept: list[tuple[str, str]]
    choices: list[Choice] = field(default_factory=list)
    is_single: bool = False
    periods: list[tuple[str, str]] = field(default_factory=list)
    bounds: list[tuple[str, str, str]] = field(default_factory=list)  # parameter, label, value
    is_cut: bool = False


def build_menu(name: str, query: Query, reader: Reader) -> Menu:
    spec = FILTERS[name]
    menu = Menu(name, spec.label, _pairs(query, leave_out=(*spec.parameters, "page")))
    chosen = query.params.getlist(name)
    if len(spec.parameters) == 2:
        first, last = spec.parameters
        menu.bounds = [
            (parameter, label, _day(query.params.get(parameter, ""), reader, is_last))
            for parameter, label, is_last in ((first, "From", False), (last, "To", True))
        ]
        menu.periods = [(period, query.url(**{first: name, last: name})) for name, period in PERIOD_NAMES.items()]
        return menu
    options = _options(name, reader)
    menu.is_cut = len(options) > MOST_CHOICES
    menu.is_single = name in {"outcome", "excluded", "auto_renewing"}
    if menu.is_single:
        chosen = chosen or [EVERY]
        options = [(EVERY, "All"), *options]
    menu.choices = [Choice(value, label, value in chosen) for value, label in options[:MOST_CHOICES]]
    return menu


def _day(text: str, reader: Reader, is_last: bool) -> str:
    """What a date field shows: the day itself where the address names a period."""
    if text not in PERIOD_NAMES:
        return text
    return named_periods(reader.as_of, reader.fiscal_month)[PERIOD_NAMES[text]][is_last].isoformat()


def _options(name: str, reader: Reader) -> list[tuple[str, str]]:
    match name:
        case "timing":
            return [(timing.name.lower(), str(timing.label)) for timing in TimingClass]
        case "risk":
            return _named(RiskBand.choices)
        case "health":
            return list(HEALTH_NAMES.items())
        case "outcome":
            return _named(Renewal.Outcome.choices)
        case "category":
            return _named(Stage.ForecastCategory.choices)
        case "booking":
            return list(BOOKINGS.items())
        case "quality":
            return quality_options()
        case "disagreement":
            return list(DISAGREEMENTS.items())
        case "pinned":
            return [("yes", "Pinned by somebody")]
        case "excluded":
            return [("no", "Left out"), ("yes", "Only exceptions")]
        case "auto_renewing":
            return [("yes", "Auto-renewing"), ("no", "Not auto-renewing")]
        case "currency":
            codes = ExchangeRate.objects.order_by("currency").values_list("currency", flat=True).distinct()
            return [(code, code) for code in sorted({*codes, get_company().reporting_currency})]
        case "owner":
            return [("me", "Me"), *_rows(known_owners(reader).exclude(role=User.Role.VIEWER))]
        case "region":
            return [(region, region) for region in _distinct(Account.objects.exclude(region=""), "region")]
        case "product":
            return [
                *((product, product) for product in _distinct(Contract.objects.exclude(product=""), "product")),
                (NONE, "No product"),
            ]
        case "churn_reason":
            return [*_rows(ChurnReason.objects.all()), (NONE, "No reason")]
        case "stage" | "segment" | "industry" | "team" | "offer":
            return _rows(LISTS[name]._default_manager.all())
    return []


def _distinct(rows: QuerySet[Any], name: str) -> list[str]:
    """The first of the values there are, one look-up for each: there may be a million rows of a dozen values."""
    values = rows.order_by(name).values_list(name, flat=True)
    found: list[str] = []
    value = values.first()
    while value is not None and len(found) <= MOST_CHOICES:
        found.append(value)
        value = values.filter(**{f"{name}__gt": value}).first()
    return found


def _named(choices: Iterable[tuple[Any, Any]]) -> list[tuple[str, str]]:
    return [(str(value), str(label)) for value, label in choices]


def _rows(rows: QuerySet[Any]) -> list[tuple[str, str]]:
    return [(str(row.pk), str(row)) for row in rows[: MOST_CHOICES + 1]]

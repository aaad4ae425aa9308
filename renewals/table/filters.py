"""What the address of the central table asks for: filters, search, order and page.

The address is the only state. Everything in it is read here, once; what cannot be read is left out and said.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict

from accounts.models import Account, HealthBand, Industry, Segment, Team, User, people_visible_to
from renewals.forms import shown
from renewals.models import ChurnReason, Contract, Offer, Renewal, RenewalQuerySet, RiskBand, Stage, TimingClass
from renewals.overrides.filters import DISAGREEMENTS, disagreeing, pinned
from renewals.periods import PERIOD_NAMES, named_periods
from renewals.quality.marks import read_quality
from renewals.table import layout
from renewals.table.columns import DEFAULT_COLUMNS, read_columns
from renewals.table.groups import OUTCOME_OF, RISK_RANGES
from renewals.table.layout import Layout, read_layout
from renewals.table.paging import DEFAULT_PAGE_SIZE, DEFAULT_SORT, LAST_PAGE, ORDERS, PAGE_SIZES, Slices

DATE = "%d %b %Y"
SEARCH_LENGTH = 100
# What the page shows when its address asks for nothing: what there is to work on.
DEFAULT_QUERY = "outcome=open"
EVERY = "all"
# A value of filters by what may be blank.
NONE = "none"
HEALTH_NAMES = {band.name.lower(): str(band.label) for band in HealthBand} | {"unknown": "Unknown"}
# What of the address does not restrict the rows.
VIEW = ("columns", "sort", "per_page", "page", *layout.PARAMETERS)

Outcome = Renewal.Outcome


class Unreadable(ValueError):
    """A parameter does not say anything that this page knows; the message says what it takes."""


@dataclass(frozen=True)
class Reader:
    """Who reads the address, on which day, and what a quarter is there."""

    user: User
    as_of: dt.date
    fiscal_month: int = 1


@dataclass(frozen=True)
class Condition:
    """One filter in force: what it restricts, and how it reads on its pill."""

    name: str
    label: str
    parameters: tuple[str, ...]
    text: str
    where: Q


@dataclass
class Query:
    """The address, read. `params` holds only what was understood, and is what every link of the page starts from."""

    params: QueryDict
    conditions: list[Condition] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    sort: str = DEFAULT_SORT
    page: int = 1
    page_size: int = DEFAULT_PAGE_SIZE
    columns: tuple[str, ...] = DEFAULT_COLUMNS
    layout: Layout = field(default_factory=Layout)

    def apply(self, rows: RenewalQuerySet) -> RenewalQuerySet:
        for condition in self.conditions:
            rows = rows.filter(condition.where)
        return rows

    def url(self, **changes: str | None) -> str:
        """The query string with these set, or left out where None; but for `page`, from the first page on."""
        dropped = changes.keys() if changes.keys() == {"page"} else {*changes, "page"}
        pairs = [(name, value) for name, values in self.params.lists() if name not in dropped for value in values]
        pairs += [(name, value) for name, value in changes.items() if value is not None]
        # An empty address would bring the default filter back.
        return f"?{urlencode(pairs, safe=',:') or f'outcome={EVERY}'}"

    def url_without(self, condition: Condition) -> str:
        return self.url(**dict.fromkeys(condition.parameters))

    def condition(self, name: str) -> Condition | None:
        return next((condition for condition in self.conditions if condition.name == name), None)

    @property
    def slices(self) -> Slices:
        """The outcomes and timing classes that the filters leave; every one where they say nothing of them."""
        chosen = self.params.getlist("outcome")
        outcomes = [outcome for outcome in Outcome if outcome in chosen] or list(Outcome)
        timing = [TimingClass[name.upper()] for name in self.params.getlist("timing")] or list(TimingClass)
        timing = [one for one in timing if OUTCOME_OF[one] in outcomes]
        outcomes = [one for one in outcomes if one in {OUTCOME_OF[t] for t in timing}]
        return Slices(outcomes, timing)

    @property
    def filter_query(self) -> str:
        """The filters alone: what the totals depend on."""
        return self.url(**dict.fromkeys(VIEW))[1:]


def read_query(params: QueryDict, reader: Reader) -> Query:
    given = params if params else QueryDict(DEFAULT_QUERY)
    query = Query(params=QueryDict(mutable=True))
    for spec in FILTERS.values():
        values = {name: _given(given, name) for name in spec.parameters}
        if any(values.values()):
            _read_filter(query, spec, values, reader)
    _read_view(query, given)
    query.layout = read_layout({name: _given(given, name) for name in layout.PARAMETERS}, reader.fiscal_month)
    query.problems += query.layout.problems
    query.params.update(query.layout.parameters())
    for name in given:
        if name not in KNOWN:
            query.problems.append(f"“{shown(name)}” is not a filter of this table.")
    return query


def _given(params: QueryDict, name: str) -> list[str]:
    """The values of a parameter, once each, less the blank ones that an untouched form field sends."""
    return [*dict.fromkeys(value.replace("\x00", "").strip() for value in params.getlist(name) if value.strip("\x00 "))]


def _read_filter(query: Query, spec: Filter, values: dict[str, list[str]], reader: Reader) -> None:
    try:
        found = spec.read(values, reader)
    except Unreadable as problem:
        query.problems.append(str(problem))
        return
    for name, texts in values.items():
        if texts:
            query.params.setlist(name, texts)
    if found is not None:
        query.conditions.append(Condition(spec.name, spec.label, spec.parameters, *found))


def _read_view(query: Query, params: QueryDict) -> None:
    """Columns, order and page; each falls back to its default."""
    query.columns, unknown = read_columns(_given(params, "columns"))
    query.problems += [f"“{shown(name)}” is not a column of this table." for name in unknown]
    if query.columns != DEFAULT_COLUMNS:
        query.params["columns"] = ",".join(query.columns)
    if sort := params.get("sort", ""):
        if sort.removeprefix("-") in ORDERS and sort.count("-") <= 1:
            query.sort = query.params["sort"] = sort
        else:
            query.problems.append(f"The table cannot be sorted by “{shown(sort)}”.")
    if per_page := params.get("per_page", ""):
        if per_page in map(str, PAGE_SIZES):
            query.page_size, query.params["per_page"] = int(per_page), per_page
        else:
            query.problems.append(f"A page has {', '.join(map(str, PAGE_SIZES))} rows, not “{shown(per_page)}”.")
    if page := params.get("page", ""):
        if re.fullmatch(r"[0-9]{1,7}", page) and 1 <= int(page) <= LAST_PAGE:
            query.page, query.params["page"] = int(page), page
        else:
            query.problems.append(f"There is no page “{shown(page)}”.")


Found = tuple[str, Q]


@dataclass(frozen=True)
class Filter:
    """One filter: its parameters, and how they become words and a condition; None where they restrict nothing."""

    name: str
    label: str
    parameters: tuple[str, ...]
    read: Callable[[dict[str, list[str]], Reader], Found | None]


def _date_range(label: str, name: str, column: str, *, never_after: str = "") -> Filter:
    """`never_after` is a column whose day is the same or later in every row: said too, it lets the database begin at
    the first day in an order by that column."""
    first_name, last_name = f"{name}_from", f"{name}_to"

    def read(values: dict[str, list[str]], reader: Reader) -> Found:
        first, last = (_date(values[parameter], parameter, reader) for parameter in (first_name, last_name))
        if first and last and first > last:
            raise Unreadable(f"{label}: {first:%d %b %Y} is after {last:%d %b %Y}.")
        where = Q()
        if first:
            where &= Q(**{f"{name}__gte": first for name in filter(None, (column, never_after))})
        if last:
            where &= Q(**{f"{column}__lte": last})
        return _range_text(first, last, reader), where

    return Filter(name, label, (first_name, last_name), read)


def _date(values: list[str], parameter: str, reader: Reader) -> dt.date | None:
    """A day; or the first, or the last, of a named period of this day, so that a saved view moves with the calendar."""
    if not values:
        return None
    if values[0] in PERIOD_NAMES:
        period = named_periods(reader.as_of, reader.fiscal_month)[PERIOD_NAMES[values[0]]]
        return period[parameter.endswith("_to")]
    try:
        return dt.datetime.strptime(values[0], "%Y-%m-%d").date()  # noqa: DTZ007  # a date has no zone
    except ValueError:
        raise Unreadable(f"{parameter}: “{shown(values[0])}” is not a date written as 2026-11-21.") from None


def _range_text(first: dt.date | None, last: dt.date | None, reader: Reader) -> str:
    for name, period in named_periods(reader.as_of, reader.fiscal_month).items():
        if (first, last) == period:
            return name
    if first and last:
        return f"{first:{DATE}}" if first == last else f"{first:{DATE}} to {last:{DATE}}"
    return f"from {first:{DATE}}" if first else f"to {last:{DATE}}"


def _choice(name: str, label: str, choices: dict[str, str], where: Callable[[list[str]], Q]) -> Filter:
    def read(values: dict[str, list[str]], reader: Reader) -> Found | None:
        chosen = values[name]
        if chosen == [EVERY]:
            return None
        for value in chosen:
            if value not in choices:
                raise Unreadable(f"{label}: “{shown(value)}” is not one of {', '.join(choices)}.")
        return ", ".join(choices[value] for value in chosen), where(chosen)

    return Filter(name, label, (name,), read)


def _row_of(
    name: str, label: str, column: str, known: Callable[[Reader], QuerySet[Any]], words: dict[str, str] | None = None
) -> Filter:
    """A filter by rows of another table, named by their ids. `words` are values that stand for an id, such as `me`."""

    def read(values: dict[str, list[str]], reader: Reader) -> Found:
        ids = [_id(value, reader, words or {}, label) for value in values[name]]
        names = {row.pk: str(row) for row in known(reader).filter(pk__in=ids)}
        for value, pk in zip(values[name], ids, strict=True):
            if pk not in names:
                raise Unreadable(f"{label}: there is no “{shown(value)}”.")
        texts = [(words or {}).get(value, names[pk]) for value, pk in zip(values[name], ids, strict=True)]
        return ", ".join(texts), Q(**{f"{column}__in": ids})

    return Filter(name, label, (name,), read)


def _id(value: str, reader: Reader, words: dict[str, str], label: str) -> int:
    if value in words:
        return reader.user.pk
    if not re.fullmatch(r"[0-9]{1,18}", value):
        raise Unreadable(f"{label}: there is no “{shown(value)}”.")
    return int(value)


def _every(model: type[Model]) -> Callable[[Reader], QuerySet[Any]]:
    return lambda reader: model._default_manager.all()


def known_owners(reader: Reader) -> QuerySet[User]:
    return people_visible_to(reader.user)


def _timing(chosen: Iterable[str]) -> Q:
    classes = [TimingClass[name.upper()] for name in chosen]
    return Q(score__timing_class__in=classes, outcome__in={OUTCOME_OF[timing] for timing in classes})


def _risk(chosen: Iterable[str]) -> Q:
    where = Q()
    for band in chosen:
        where |= RISK_RANGES[RiskBand(band)]
    return where


def _health(chosen: Iterable[str]) -> Q:
    bands = [HealthBand[name.upper()] for name in chosen if name != "unknown"]
    where = Q(account__health__band__in=bands) if bands else Q()
    return where | Q(account__health__band__isnull=True) if "unknown" in chosen else where


def _currency(values: dict[str, list[str]], reader: Reader) -> Found:
    codes = [value.upper() for value in values["currency"]]
    for code in codes:
        if not re.fullmatch(r"[A-Z]{3}", code):
            raise Unreadable(f"Currency: “{shown(code)}” is not three letters such as EUR.")
    return ", ".join(codes), Q(currency__in=codes)


def _quality(values: dict[str, list[str]], reader: Reader) -> Found | None:
    if values["quality"] == [EVERY]:
        return None
    texts, where = [], Q()
    for value in values["quality"]:
        try:
            text, condition = read_quality(value)
        except LookupError:
            raise Unreadable(f"Data quality: there is no “{shown(value)}”.") from None
        texts.append(text)
        where |= condition
    return ", ".join(texts), where


def _pinned(values: dict[str, list[str]], reader: Reader) -> Found:
    if values["pinned"] != ["yes"]:
        raise Unreadable(f"Pinned: “{shown(values['pinned'][0])}” is not yes.")
    return "yes", pinned(reader.as_of)


def _search(values: dict[str, list[str]], reader: Reader) -> Found:
    text = " ".join(values["q"])[:SEARCH_LENGTH]
    return f"“{text}”", Q(pk__in=search_ids(text))


def search_ids(text: str) -> QuerySet[Any]:
    """Ids of the renewals whose account has words beginning with these, whose contract number begins with the text, or
    whose owner's name has it at the beginning of a word. Three index look-ups; an OR would read the whole book."""
    by_contract = Contract.objects.filter(Q(number__startswith=text) | Q(number__startswith=text.upper()))
    by_owner = User.objects.filter(Q(name__istartswith=text) | Q(name__icontains=f" {text}"))
    found = Renewal.objects.filter(contract__in=by_contract).order_by().values("pk")
    found = found.union(Renewal.objects.filter(owner__in=by_owner).order_by().values("pk"))
    vector = SearchVector("name", "external_id", config="simple")
    accounts = Account.objects.annotate(words=vector).filter(words=WordBeginnings(text, config="simple")).order_by()
    return found.union(Renewal.objects.filter(account__in=accounts.values("pk")).order_by().values("pk"))


class WordBeginnings(SearchQuery):
    """A search for words that begin with those of a text. The database splits it, as it split what is searched."""

    template = "(replace(nullif(%(function)s(%(expressions)s)::text, ''), ''' &', ''':* &') || ':*')::tsquery"


def _region(values: dict[str, list[str]], reader: Reader) -> Found:
    return ", ".join(map(shown, values["region"])), Q(account__region__in=values["region"])


def _product(values: dict[str, list[str]], reader: Reader) -> Found:
    """Of these very words; `none` is of contracts that name no product."""
    words = ["" if value == NONE else value for value in values["product"]]
    return ", ".join(shown(word) or "none" for word in words), Q(contract__product__in=words)


def _churn_reason(values: dict[str, list[str]], reader: Reader) -> Found:
    """By their ids; `none` is of those without a reason, whatever became of them."""
    chosen = [_id(value, reader, {}, "Churn reason") for value in values["churn_reason"] if value != NONE]
    names = {reason.pk: str(reason) for reason in ChurnReason.objects.filter(pk__in=chosen)}
    for pk in chosen:
        if pk not in names:
            raise Unreadable(f"Churn reason: there is no “{pk}”.")
    where, texts = Q(churn_reason__in=chosen), [names[pk] for pk in chosen]
    if NONE in values["churn_reason"]:
        where, texts = where | Q(churn_reason=None), [*texts, "none"]
    return ", ".join(texts), where


def _names(choices: Sequence[tuple[Any, Any]]) -> dict[str, str]:
    return {str(value): str(label) for value, label in choices}


FILTERS: dict[str, Filter] = {
    spec.name: spec
    for spec in (
        Filter("q", "Search", ("q",), _search),
        _date_range("Due", "due", "due_on"),
        _choice("timing", "Timing", {t.name.lower(): str(t.label) for t in TimingClass}, _timing),
        _choice("risk", "Risk", _names(RiskBand.choices), _risk),
        _choice("health", "Health", HEALTH_NAMES, _health),
        _row_of("stage", "Stage", "stage", _every(Stage)),
        _row_of("owner", "Owner", "owner", known_owners, {"me": "me"}),
        _choice("outcome", "Outcome", _names(Outcome.choices), lambda chosen: Q(outcome__in=chosen)),
        _choice(
            "category",
            "Category",
            _names(Stage.ForecastCategory.choices),
            # As ids: how many rows a stage has is what the database has to know to choose its way.
            lambda chosen: Q(
                stage__in=[*Stage.objects.filter(forecast_category__in=chosen).values_list("pk", flat=True)]
            ),
        ),
        _row_of("segment", "Segment", "account__segment", _every(Segment)),
        _row_of("industry", "Industry", "account__industry", _every(Industry)),
        Filter("region", "Region", ("region",), _region),
        _row_of("team", "Team", "owner__team", _every(Team)),
        _row_of("offer", "Offer", "offer", _every(Offer)),
        Filter("product", "Product", ("product",), _product),
        Filter("churn_reason", "Churn reason", ("churn_reason",), _churn_reason),
        _row_of("account", "Account", "account", lambda reader: Account.objects.visible_to(reader.user)),
        Filter("currency", "Currency", ("currency",), _currency),
        _date_range("Decision", "decision", "decision_on", never_after="due_on"),
        _date_range("Ordered", "ordered", "ordered_on"),
        Filter("quality", "Data quality", ("quality",), _quality),
        _choice(
            "excluded",
            "Exceptions",
            {"no": "left out", "yes": "only"},
            lambda chosen: Q(is_excluded__in=[value == "yes" for value in chosen]),
        ),
        _choice("disagreement", "Rep against model", DISAGREEMENTS, disagreeing),
        Filter("pinned", "Pinned", ("pinned",), _pinned),
        _choice(
            "auto_renewing",
            "Auto-renewing",
            {"yes": "yes", "no": "no"},
            lambda chosen: Q(contract__is_auto_renewing__in=[value == "yes" for value in chosen]),
        ),
    )
}
KNOWN = {parameter for spec in FILTERS.values() for parameter in spec.parameters} | set(VIEW)

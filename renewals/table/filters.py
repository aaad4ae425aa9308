"""What the address of the central table asks for: filters, search, order and page.

The address is the only state. Everything in it is read here, once; what cannot be read is left out and said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Q, QuerySet
from django.http import QueryDict

from accounts.models import Account, HealthBand, Industry, Segment, Team, User, people_visible_to
from renewals.forms import shown
from renewals.models import ChurnReason, Contract, Offer, Renewal, RenewalQuerySet, RiskBand, Stage, TimingClass
from renewals.overrides.filters import DISAGREEMENTS, disagreeing, pinned
from renewals.quality.marks import read_quality
from renewals.table import layout
from renewals.table.columns import DEFAULT_COLUMNS, read_columns
from renewals.table.filter_kinds import (
    EVERY,
    Filter,
    Found,
    Reader,
    Unreadable,
    choice,
    date_range,
    every,
    read_id,
    row_of,
)
from renewals.table.groups import BOOKED_OUTCOMES, BOOKINGS, OUTCOME_OF, RISK_RANGES, booked_as
from renewals.table.layout import Layout, read_layout
from renewals.table.paging import DEFAULT_PAGE_SIZE, DEFAULT_SORT, LAST_PAGE, ORDERS, PAGE_SIZES, Slices

SEARCH_LENGTH = 100
# What the page shows when its address asks for nothing: what there is to work on.
DEFAULT_QUERY = "outcome=open"
# A value of filters by what may be blank.
NONE = "none"
HEALTH_NAMES = {band.name.lower(): str(band.label) for band in HealthBand} | {"unknown": "Unknown"}
# What of the address does not restrict the rows.
VIEW = ("columns", "sort", "per_page", "page", *layout.PARAMETERS)

Outcome = Renewal.Outcome


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

    def _chosen(self, name: str) -> list[str]:
        """The values of a filter that restricts something; `all` does not."""
        return self.params.getlist(name) if self.condition(name) else []

    @property
    def slices(self) -> Slices:
        """What the filters leave of outcomes, timing classes and stages; every one where they say nothing of them."""
        chosen = self._chosen("outcome")
        outcomes = [outcome for outcome in Outcome if outcome in chosen] or list(Outcome)
        booked = {outcome for name in self._chosen("booking") for outcome in BOOKED_OUTCOMES[name]}
        outcomes = [outcome for outcome in outcomes if outcome in (booked or Outcome)]
        timing = [TimingClass[name.upper()] for name in self._chosen("timing")] or list(TimingClass)
        timing = [one for one in timing if OUTCOME_OF[one] in outcomes]
        outcomes = [one for one in outcomes if one in {OUTCOME_OF[t] for t in timing}]
        category = self.condition("category")
        return Slices(outcomes, timing, stages=_stages_in(category.where) if category else ())

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


def _stages_of(categories: Iterable[str]) -> list[int]:
    return [*Stage.objects.filter(forecast_category__in=categories).values_list("pk", flat=True)]


def _stages_in(where: Q) -> Sequence[int]:
    """The ids that the filter on the category asks for."""
    return next(child[1] for child in where.children if isinstance(child, tuple))


def _booking(chosen: Iterable[str]) -> Q:
    wheres, where = booked_as(), Q()
    for name in chosen:
        where |= wheres[name]
    return where


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
    chosen = [read_id(value, reader, {}, "Churn reason") for value in values["churn_reason"] if value != NONE]
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
        date_range("Due", "due", "due_on"),
        choice("timing", "Timing", {t.name.lower(): str(t.label) for t in TimingClass}, _timing),
        choice("risk", "Risk", _names(RiskBand.choices), _risk),
        choice("health", "Health", HEALTH_NAMES, _health),
        row_of("stage", "Stage", "stage", every(Stage)),
        row_of("owner", "Owner", "owner", known_owners, {"me": "me"}),
        choice("outcome", "Outcome", _names(Outcome.choices), lambda chosen: Q(outcome__in=chosen)),
        choice(
            "category",
            "Category",
            _names(Stage.ForecastCategory.choices),
            # As ids: how many rows a stage has is what the database has to know to choose its way.
            lambda chosen: Q(stage__in=_stages_of(chosen)),
        ),
        row_of("segment", "Segment", "account__segment", every(Segment)),
        row_of("industry", "Industry", "account__industry", every(Industry)),
        Filter("region", "Region", ("region",), _region),
        row_of("team", "Team", "owner__team", every(Team)),
        row_of("offer", "Offer", "offer", every(Offer)),
        Filter("product", "Product", ("product",), _product),
        Filter("churn_reason", "Churn reason", ("churn_reason",), _churn_reason),
        row_of("account", "Account", "account", lambda reader: Account.objects.visible_to(reader.user)),
        Filter("currency", "Currency", ("currency",), _currency),
        choice("booking", "Booking type", BOOKINGS, _booking),
        date_range("Decision", "decision", "decision_on", never_after="due_on"),
        date_range("Ordered", "ordered", "ordered_on"),
        Filter("quality", "Data quality", ("quality",), _quality),
        choice(
            "excluded",
            "Exceptions",
            {"no": "left out", "yes": "only"},
            lambda chosen: Q(is_excluded__in=[value == "yes" for value in chosen]),
        ),
        choice("disagreement", "Rep against model", DISAGREEMENTS, disagreeing),
        Filter("pinned", "Pinned", ("pinned",), _pinned),
        choice(
            "auto_renewing",
            "Auto-renewing",
            {"yes": "yes", "no": "no"},
            lambda chosen: Q(contract__is_auto_renewing__in=[value == "yes" for value in chosen]),
        ),
    )
}
KNOWN = {parameter for spec in FILTERS.values() for parameter in spec.parameters} | set(VIEW)

"""The frame of every dashboard, read from its address and shared by its tiles: whose book, of when, counted how."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.access import signed_in
from accounts.models import Company, User, get_company
from accounts.strip import Total as StripTotal
from accounts.templatetags.money import currency_sign
from dashboards.figures import COUNTED_AS, FIGURES, Attribution
from dashboards.files import as_xlsx
from dashboards.kept import version, version_of_rows
from dashboards.models import Cell, RollUp, get_roll_up
from dashboards.people import LISTED, Leaf
from dashboards.rollups.reading import Total, past_cells, sliced_cells, stored_cells
from dashboards.rollups.services import refresh_for_reader
from dashboards.tiles import Number, Tile, text_of
from forecasting.as_at import InvalidMoment, known_since, parse_moment
from forecasting.as_at.book import ScoredBook
from forecasting.as_at.kept import read_scored_book
from forecasting.as_at.moments import Asked
from forecasting.frames import Reporting, read_reporting
from forecasting.kept import audience_of as audience_of  # of mail too
from forecasting.kept import kept
from forecasting.periods import Grain, Period, first_day, month_number, period_of
from forecasting.scopes.scope import SLICES, Choice, Pill, Scope, address_of, get_scope, read_pills, slice_pills

# Pages, in the order of their tabs: the name of the address, and what the tab says.
PAGES: Final[list[tuple[str, str]]] = [
    ("dashboards:executive", "Executive"),
    ("dashboards:forecast", "Forecast"),
    ("dashboards:retention", "Retention"),
    ("dashboards:timing", "Timing"),
    ("dashboards:risk", "Risk"),
    ("dashboards:review", "Review"),
    ("dashboards:scorecards", "Scorecards"),
    ("dashboards:capacity", "Capacity"),
    ("dashboards:learning_curve", "Learning curve"),
]
YEARS: Final = (1, 2, 3)
# Whose figures are of people and not of renewals: it keeps these filters for its tabs.
UNSLICED: Final = ("dashboards:capacity",)
# What contracts have none of: they are renewed in any currency and way.
UNKNOWN: Final = {"currency": "currency", "booking": "booking type"}
NOT_SLICED: Final = "Recurring revenue is of contracts, whatever they are renewed as: it cannot be filtered by {}."
OWN: Final = ("attribution", "years", "as_at", "period", "people", "utilisation", "hours", "cohorts", *LISTED)
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, eq=False)
class PeriodTotal:
    """A month or fiscal quarter, and what the cells of a scope add up to in it."""

    period: Period
    label: str
    total: Total
    is_over: bool
    is_current: bool

    @property
    def starts_on(self) -> dt.date:
        return self.period.starts_on

    @property
    def ends_on(self) -> dt.date:
        return self.period.ends_on


@dataclass(frozen=True, eq=False)
class Frame:
    """What a dashboard shows. `past` is the book as at a moment, and then everything is of that moment."""

    user: User
    company: Company
    scope: Scope
    attribution: str
    years: int
    period_text: str
    roll_up: RollUp | None
    is_true: bool  # every change is in the cells
    asked: Asked | None = None
    past: ScoredBook | None = None
    problem: str = ""  # why there is nothing of the moment that was asked for
    is_whole: bool = False  # for a workbook: lists are not cut to pages

    @property
    def has_figures(self) -> bool:
        return not self.problem and (self.past is not None or self.roll_up is not None)

    @property
    def as_of(self) -> dt.date:
        if self.past is not None:
            return self.past.as_of
        return self.roll_up.as_of_on if self.roll_up else self.company.today()

    @property
    def currency(self) -> str:
        return self.company.reporting_currency

    @property
    def grain(self) -> str:
        return self.scope.grain

    @property
    def counted_as(self) -> str:
        return COUNTED_AS[Attribution(self.attribution)]

    @cached_property
    def periods(self) -> list[Period]:
        """The oldest first; the last one is running."""
        current = period_of(self.grain, self.as_of, self.company.fiscal_year_start_month)
        step = current.month_count
        month, count = month_number(current.starts_on), self.years * 12 // step
        return [Period(self.grain, first_day(month - step * back)) for back in range(count, -1, -1)]

    @cached_property
    def report(self) -> Reporting:
        """What the cells were added up by: rates and calendar of their run."""
        if self.past is not None:
            return self.past.report
        done = self.roll_up
        assert done is not None
        teams = read_reporting(as_of=done.as_of_on).team_of_owner
        return Reporting(done.as_of_on, done.exact_rates, done.fiscal_start, teams)

    @property
    def is_unsliced(self) -> bool:
        """A part of the rows is asked for, and this page cannot tell it."""
        return any(name in self.scope.kept for name in SLICES)

    @property
    def not_sliced(self) -> str:
        """Why a tile of recurring revenue is left out of some slices."""
        asked = [text for name, text in UNKNOWN.items() if getattr(self.scope.slice, name)]
        return NOT_SLICED.format(" and ".join(asked))

    @cached_property
    def cells(self) -> list[Cell]:
        """Of the scope, in the periods shown: one statement, or the book as it stood."""
        first_on, last_on = self.periods[0].starts_on, self.periods[-1].ends_on
        if self.past is not None:
            return past_cells(self.past, self.scope, first_on, last_on)
        if self.scope.slice:
            return sliced_cells(self.scope, self.report, first_on, last_on)
        return list(stored_cells(self.user, self.scope, first_on, last_on))

    def totals(self, cells: Iterable[Cell] | None = None) -> list[PeriodTotal]:
        """Cells (those of the scope) added up by period."""
        by_start: dict[dt.date, list[Cell]] = {period.starts_on: [] for period in self.periods}
        fiscal_start = self.company.fiscal_year_start_month
        for cell in self.cells if cells is None else cells:
            start = period_of(self.grain, cell.month_on, fiscal_start).starts_on
            if start in by_start:
                by_start[start].append(cell)
        current = self.periods[-1]
        return [
            PeriodTotal(
                period, self.label(period), Total.of(by_start[period.starts_on]), period != current, period == current
            )
            for period in self.periods
        ]

    def label(self, period: Period) -> str:
        """Short enough to stand under a bar: Nov 26 or Q4 FY27."""
        if period.grain == Grain.MONTH:
            return f"{period.starts_on:%b %y}"
        return period.label(self.company.fiscal_year_start_month)

    def chosen(self, totals: Sequence[PeriodTotal]) -> PeriodTotal:
        """The period that the address names; else the newest one that is over and had something due."""
        if self.period_text:
            for one in totals:
                if one.starts_on.isoformat() == self.period_text:
                    return one
            raise Http404(f"There is no period that begins on {self.period_text!r} among those shown.")
        over = [one for one in totals if one.is_over and one.total.sums["due_count"]]
        return over[-1] if over else totals[-1]

    def value(self, key: str, total: Total) -> Number:
        return FIGURES[key].value(total.sums, self.attribution, self.grain)

    def text(self, key: str, total: Total) -> str:
        return text_of(self.value(key, total), FIGURES[key].kind)

    def explain_url(self, key: str, one: PeriodTotal, **more: object) -> str:
        """Where this figure of this period is taken apart."""
        query = {**self.scope.query, "period": one.starts_on.isoformat(), **more}
        return f"{reverse('dashboards:explain', args=[key])}?{urlencode(query)}"

    def rows_url(self, one: PeriodTotal, **filters: object) -> str:
        """The renewals of a period's cohort, as they are today."""
        return self.scope.rows_url(due_from=one.starts_on, due_to=one.ends_on, **filters)

    def page_url(self, name: str) -> str:
        """Another dashboard of the same frame."""
        return address_of(name, {one: value for one, value in self.scope.query.items() if one not in LISTED})


def read_frame(request: HttpRequest, page: str) -> Frame:
    """The frame that an address names. 404 for what is not there or not the reader's to see."""
    return read_frame_of(signed_in(request), {name: str(value) for name, value in request.GET.items()}, page)


def read_frame_of(user: User, query: Mapping[str, str], page: str) -> Frame:
    """The frame of a page for somebody who need not be asking for it just now."""
    company = get_company()
    is_sliced = page not in UNSLICED
    own = OWN if is_sliced else (*OWN, *SLICES)
    scope = get_scope(user, query, page=page, own=own, is_sliced=is_sliced)
    frame_of = _frame(user, scope, query)
    if query.get("as_at"):
        return _as_at(frame_of, scope, query["as_at"], company)
    is_true = refresh_for_reader()
    return frame_of(company=company, roll_up=get_roll_up(), is_true=is_true)


def _frame(user: User, scope: Scope, query: Mapping[str, str]) -> Callable[..., Frame]:
    years = query.get("years") or str(YEARS[1])
    if years not in map(str, YEARS):
        raise Http404(f"Years back are {', '.join(map(str, YEARS))}, not {years!r}.")
    attribution = query.get("attribution") or ""
    if attribution not in ("", *Attribution.values):
        raise Http404(f"Attribution is one of {', '.join(Attribution.values)}, not {attribution!r}.")

    def frame_of(*, company: Company, **parts: Any) -> Frame:
        return Frame(
            user=user,
            company=company,
            scope=scope,
            attribution=attribution or company.attribution,
            years=int(years),
            period_text=query.get("period", ""),
            **parts,
        )

    return frame_of


def _as_at(frame_of: Callable[..., Frame], scope: Scope, text: str, company: Company) -> Frame:
    try:
        asked = parse_moment(text, company)
    except InvalidMoment as error:
        return frame_of(company=company, roll_up=None, is_true=True, problem=str(error))
    since = known_since()
    if since is None or asked.moment < since.at:
        problem = f"Nothing is known of {asked.as_of:%d %b %Y}: " + (
            f"{since.because} ({since.at:%d %b %Y})." if since else "no renewal was ever recorded."
        )
        return frame_of(company=company, roll_up=None, is_true=True, asked=asked, problem=problem)
    book = read_scored_book(asked.moment)
    return frame_of(company=book.company, roll_up=None, is_true=True, asked=asked, past=book)


def pills_of(frame: Frame) -> list[Pill]:
    """Whose figures, and of which part of the rows where the page can tell."""
    return [*read_pills(frame.user, frame.scope), *(parts_of(frame) if frame.scope.page not in UNSLICED else [])]


def parts_of(frame: Frame) -> list[Pill]:
    """Of which region, industry, currency and booking type."""
    done = frame.roll_up or get_roll_up()
    regions, rates = (done.regions, done.rates) if done else ([], {})
    return slice_pills(frame.scope, regions=regions, currencies=sorted(rates))


def attribution_pill(frame: Frame) -> Pill:
    names = {value: str(label) for value, label in Attribution.choices}
    choices = tuple(Choice(label, frame.scope.url(attribution=value)) for value, label in names.items())
    is_own = "attribution" in frame.scope.kept
    return Pill(
        "Attribution" if is_own else f"Attribution: {names[frame.attribution].lower()}",
        names[frame.attribution] if is_own else "",
        frame.scope.url(attribution=None) if is_own else "",
        choices,
    )


def period_pill(frame: Frame) -> Pill:
    chosen = next((period for period in frame.periods if period.starts_on.isoformat() == frame.period_text), None)
    choices = tuple(
        Choice(frame.label(period), frame.scope.url(period=period.starts_on.isoformat()))
        for period in reversed(frame.periods)
    )
    value = frame.label(chosen) if chosen else ""
    return Pill(frame.grain.capitalize(), value, frame.scope.url(period=None) if chosen else "", choices)


@dataclass(frozen=True)
class Content:
    """What a dashboard says: six figures, a sentence, and its tiles; and of how many people it shows some."""

    totals: Sequence[StripTotal]
    words: str
    tiles: Sequence[Tile]
    people: Leaf[Any] | None = None


Build = Callable[[Frame], Content]


def show_dashboard(
    request: HttpRequest,
    page: str,
    title: str,
    build: Build,
    *,
    is_personal: bool = False,
    is_of_rows: bool = False,
    template: str = "dashboards/page.html",
    more: Mapping[str, object] | None = None,
) -> HttpResponse:
    """A dashboard as a page; its tiles as a workbook where the address says `format=xlsx`.

    `is_personal`: what it says depends on more than the team and the figures, so that it is made for each reader.
    `is_of_rows`: it reads rows of the book too, and not only their sums.
    `more`: what `template` shows beside the content.
    """
    frame = read_frame(request, page)
    if request.GET.get("format") == "xlsx":
        return _workbook(frame, build(replace(frame, is_whole=True)).tiles if frame.has_figures else [])
    context = {**_shared(frame), "title": title, **(more or {})}
    if frame.has_figures:
        keep = keeper_of(frame, is_personal=is_personal, is_of_rows=is_of_rows)
        context["filters"] = keep("filters", lambda: _filters(frame))
        context["content"] = keep("content", lambda: content_of(frame, build(frame)))
    status = 422 if frame.problem and frame.asked is None else 200
    return render(request, template, context, status=status)


def keeper_of(
    frame: Frame, *, is_personal: bool, is_of_rows: bool
) -> Callable[[str, Callable[[], SafeString]], SafeString]:
    """Gives a part of the page by its name: what was kept of it, the same for all who read the same figures in the same
    way, or else what is made of it now."""
    if frame.past is not None or frame.roll_up is None or not frame.is_true:
        return lambda _, make: make()
    choices = tuple(sorted(frame.scope.query.items()))
    audience = frame.user.pk if is_personal else audience_of(frame.user)
    # No sum knows a region, nor what an open one is forecast to be.
    state = (version(frame.roll_up), version_of_rows() if is_of_rows or frame.scope.slice else None)
    key = (frame.scope.page, audience, choices, frame.attribution, frame.company.today(), state)
    return lambda part, make: kept((part, *key), make)


def _filters(frame: Frame) -> SafeString:
    """The pills, with everybody and everything that could be chosen."""
    return filters_of([*pills_of(frame), attribution_pill(frame), period_pill(frame)])


def filters_of(pills: Sequence[Pill]) -> SafeString:
    return render_to_string("forecasting/_filters.html", {"pills": pills})


def content_of(frame: Frame, made: Content) -> SafeString:
    context = {"totals": made.totals, "words": made.words, "tiles": made.tiles, "people": made.people, "frame": frame}
    return render_to_string("dashboards/_content.html", context)


def _shared(frame: Frame) -> dict[str, Any]:
    scope = frame.scope
    return {
        "frame": frame,
        "scope": scope,
        "company": frame.company,
        "today": frame.company.today(),
        "currency_sign": currency_sign(frame.currency),
        "tabs": [(label, frame.page_url(name), name == scope.page) for name, label in PAGES],
        "month_url": scope.url(by=Grain.MONTH, period=None),
        "quarter_url": scope.url(by=None, period=None),
        "years": [(years, scope.url(years=str(years), period=None), years == frame.years) for years in YEARS],
        "xlsx_url": scope.url(format="xlsx"),
        "now_url": scope.url(as_at=None, period=None),
    }


def _workbook(frame: Frame, tiles: Sequence[Tile]) -> HttpResponse:
    if not tiles:
        raise Http404("There is nothing to export yet.")
    about = [
        ("As of", f"{frame.as_of:%d %b %Y}"),
        ("Currency", frame.currency),
        ("Attribution", frame.counted_as),
        *((pill.label, pill.value) for pill in pills_of(frame) if pill.value),
    ]
    response = HttpResponse(as_xlsx(tiles, about), content_type=XLSX)
    name = frame.scope.page.rpartition(":")[2]
    response["Content-Disposition"] = f'attachment; filename="{name}-{frame.as_of:%Y-%m-%d}.xlsx"'
    return response

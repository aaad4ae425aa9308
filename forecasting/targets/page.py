"""The grid of targets: whom the page is about, over which periods, and its form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.core.validators import MinValueValidator
from django.db.models import Q
from django.http import Http404

from accounts.models import Company, Team, User
from forecasting.models import ForecastLine, Target
from forecasting.periods import Grain, Period, first_day, periods_between
from forecasting.targets.services import Asked, Held
from renewals.forms import AmountField

YEARS_AROUND = 2
ABOVE_NOTHING = MinValueValidator(Decimal("0.01"), "A target is above 0; leave it blank for none.")


@dataclass(frozen=True)
class Line:
    """Somebody who is held to a target."""

    label: str
    team_id: int | None = None
    owner_id: int | None = None
    url: str = ""

    def held(self, starts_on: dt.date) -> Held:
        return Held(self.team_id, self.owner_id, starts_on)

    def field(self, starts_on: dt.date) -> str:
        who = f"owner-{self.owner_id}" if self.owner_id else f"team-{self.team_id}" if self.team_id else "company"
        return f"{who}-{starts_on}"


@dataclass(frozen=True)
class Grid:
    grain: str
    year: int  # the calendar year that the fiscal year ends in
    team: Team | None
    lines: list[Line]
    periods: list[Period]
    is_editable: bool


def fiscal_year(day: dt.date, fiscal_start: int) -> int:
    months_left = (fiscal_start - 1 - day.month) % 12
    return first_day((day.year - 1970) * 12 + day.month - 1 + months_left).year


def read_grid(user: User, query: Mapping[str, str], company: Company) -> Grid:
    """The grid that an address names. 404 for what is not there or not the reader's to see."""
    grain = query.get("by") or Grain.QUARTER
    if grain not in Grain.values:
        raise Http404(f"Targets are by month or by quarter, not by {grain!r}.")
    present = fiscal_year(company.today(), company.fiscal_year_start_month)
    text = query.get("year") or str(present)
    if text not in map(str, range(present - YEARS_AROUND, present + YEARS_AROUND + 1)):
        raise Http404(f"Targets are kept from FY{present - YEARS_AROUND} to FY{present + YEARS_AROUND}.")
    team = _read_team(user, query.get("team", ""))
    return Grid(grain, int(text), team, _lines(user, team), _periods(grain, int(text), company), _may_edit(user, team))


def _may_edit(user: User, team: Team | None) -> bool:
    is_own = team is not None and team.pk == user.team_id
    return user.is_admin or (user.role == User.Role.MANAGER and is_own)


def _read_team(user: User, text: str) -> Team | None:
    if not user.sees_all:
        if text and text != str(user.team_id):
            raise Http404("Not your team.")
        return user.team
    if not text:
        return None
    team = Team.objects.filter(pk=int(text)).first() if text.isdecimal() and len(text) < 19 else None
    if team is None:
        raise Http404(f"There is no team {text!r}.")
    return team


def _lines(user: User, team: Team | None) -> list[Line]:
    """A team and its people; without a team the company and all teams, or somebody who has none."""
    if team is not None:
        held = Target.objects.filter(owner__team=team).values("owner")
        people = User.objects.filter(Q(is_active=True) & ~Q(role=User.Role.VIEWER) | Q(pk__in=held), team=team)
        return [Line(str(team), team_id=team.pk), *(Line(str(one), owner_id=one.pk) for one in people)]
    if not user.sees_all:
        return [Line(str(user), owner_id=user.pk)]
    return [Line("The company"), *(Line(str(one), team_id=one.pk, url=str(one.pk)) for one in Team.objects.all())]


def _periods(grain: str, year: int, company: Company) -> list[Period]:
    start = company.fiscal_year_start_month
    first = dt.date(year - (start > 1), start, 1)
    return periods_between(grain, first, first + dt.timedelta(days=364), start)


def of_lines(grid: Grid) -> Q:
    teams, owners = {line.team_id for line in grid.lines}, {line.owner_id for line in grid.lines}
    among = Q(team__in=teams - {None}) | Q(owner__in=owners - {None})
    if any(line.team_id is None and line.owner_id is None for line in grid.lines):
        among |= Q(team=None, owner=None)
    return among & Q(grain=grid.grain, starts_on__in=[period.starts_on for period in grid.periods])


def read_present(grid: Grid) -> dict[Held, Decimal]:
    found = Target.objects.filter(of_lines(grid))
    return {Held(one.team_id, one.owner_id, one.starts_on): one.amount for one in found}


def read_expected(grid: Grid) -> dict[Held, Decimal]:
    """What the last run expects of each cell, to stand beside its target."""
    found = ForecastLine.objects.filter(of_lines(grid), segment=None)
    return {Held(one.team_id, one.owner_id, one.starts_on): one.expected_amount for one in found}


class AmountInput(forms.TextInput):
    """Shows 1,200,000 for 1200000.00; what somebody typed stays as it is."""

    def format_value(self, value: Any) -> str | None:
        return f"{value:,}".removesuffix(".00") if isinstance(value, Decimal) else super().format_value(value)


class TargetsForm(forms.Form):
    """A field for each line and period. What stood there when the page was made travels with it."""

    def __init__(self, *args: Any, grid: Grid, present: Mapping[Held, Decimal], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cells: dict[str, Held] = {}
        for line in grid.lines:
            for period in grid.periods:
                name, held = line.field(period.starts_on), line.held(period.starts_on)
                self.cells[name] = held
                self.fields[name] = AmountField(
                    required=False,
                    validators=[ABOVE_NOTHING],
                    initial=present.get(held),
                    label=f"{line.label}, {period.starts_on:%b %Y}",
                    show_hidden_initial=True,
                    widget=AmountInput(attrs={"inputmode": "decimal", "class": "p-input"}),
                )

    def asked(self) -> dict[Held, Asked]:
        """The cells that were changed. What they showed is read back from the page; unreadable, it is no target."""
        changed = {}
        for name in self.changed_data:
            bound, field = self[name], self.fields[name]
            shown = bound.field.hidden_widget().value_from_datadict(self.data, self.files, bound.html_initial_name)
            try:
                seen = field.clean(shown)
            except forms.ValidationError:
                seen = None
            changed[self.cells[name]] = Asked(self.cleaned_data[name], seen)
        return changed


def build_rows(
    grid: Grid, form: TargetsForm, expected: Mapping[Held, Decimal]
) -> list[tuple[Line, list[tuple[Any, Decimal | None, Decimal | None]], Decimal]]:
    """Of each line its cells (field, target, expected) and the sum of its targets."""
    rows = []
    for line in grid.lines:
        cells = []
        for period in grid.periods:
            field = form[line.field(period.starts_on)]
            cells.append((field, field.initial, expected.get(line.held(period.starts_on))))
        rows.append((line, cells, sum((target for _, target, _ in cells if target), Decimal(0))))
    return rows


def labels(periods: Sequence[Period], fiscal_start: int) -> list[str]:
    return [period.label(fiscal_start) for period in periods]

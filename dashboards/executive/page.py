"""Six figures with what they were and what they should be, three charts, and five renewals."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from accounts.strip import Total
from accounts.templatetags.money import compact_money, currency_sign, percent
from dashboards.executive.most import AHEAD_DAYS, read_most_important
from dashboards.executive.weeks import read_weeks
from dashboards.figures import FIGURES
from dashboards.frame import Content, Frame, PeriodTotal
from dashboards.tiles import Cell, Column, Kind, Number, Row, Tile, bars, lines, text_of, tile, unit_text
from forecasting.models import ForecastLine
from forecasting.overview.at_risk import BANDS, RiskWeek
from forecasting.overview.dashboard import OPEN, WON
from forecasting.periods import Period, first_day, month_number
from forecasting.scopes.lines import read_lines
from forecasting.targets import read_targets

RATES: Final = ("gross", "net", "on_time")
BEFORE, AFTER = 4, 2
COLOURS: Final = {"high": "loss", "medium": "late", "low": "won", "unscored": "total"}
NOT_THEN: Final = "Known of now, not as at past moments. Go back to now to see it."


@dataclass(frozen=True)
class Headline:
    """A figure, what it was in the period before, and its target: None where none is set."""

    label: str
    kind: Kind
    now: Number
    before: Number
    target: Number
    title: str
    url: str = ""

    @property
    def change(self) -> Number:
        return None if self.now is None or self.before is None else Decimal(self.now) - Decimal(self.before)


@dataclass(frozen=True, eq=False)
class Outlook:
    """Lines and targets of the periods around the running one, by their first day."""

    periods: Sequence[Period]
    lines: dict[dt.date, ForecastLine]
    targets: dict[dt.date, Decimal]

    def amount(self, period: Period, name: str) -> Decimal | None:
        """None only where nothing is due in any of them: nothing due in one period is nothing expected of it."""
        line = self.lines.get(period.starts_on)
        return getattr(line, name) if line else Decimal(0) if self.lines else None


def read_outlook(frame: Frame) -> Outlook:
    """Of the scope as the last run has it; targets are of a team, an owner or the company, and of no part of these."""
    current, scope = frame.periods[-1], frame.scope
    month, step = month_number(current.starts_on), current.month_count
    periods = [Period(frame.grain, first_day(month + step * at)) for at in range(-BEFORE, AFTER + 1)]
    starts = [period.starts_on for period in periods]
    key = scope.line_key
    is_whole = not (scope.segment or scope.slice)
    found = read_targets(frame.grain, starts, team_id=key["team_id"], owner_id=key["owner_id"]) if is_whole else {}
    return Outlook(periods, read_lines(scope, starts), found)


def read_six(frame: Frame, outlook: Outlook, totals: Sequence[PeriodTotal], chosen: PeriodTotal) -> list[Headline]:
    """Two of the running period with its target; three rates and what was lost, of the chosen period."""
    before, current = outlook.periods[BEFORE - 1], outlook.periods[BEFORE]
    label, target = frame.label(current), outlook.targets.get(current.starts_on)
    found = [
        Headline(
            f"{name}, {label}", Kind.MONEY, outlook.amount(current, key), outlook.amount(before, key), target, title,
            frame.scope.rows_url(due_from=current.starts_on, due_to=current.ends_on, timing=timing),
        )
        for name, key, timing, title in (
            ("Expected", "expected_amount", (*WON, *OPEN), "Won so far and the probability-weighted rest"),
            ("Won", "won_amount", WON, "Won so far of what is due"),
        )
    ]  # fmt: skip
    at = next(place for place, one in enumerate(totals) if one is chosen)
    past = totals[at - 1] if at else None
    return found + [
        Headline(
            f"{FIGURES[key].title.replace(' renewal', '')}, {chosen.label}", FIGURES[key].kind,
            frame.value(key, chosen.total), frame.value(key, past.total) if past else None, None, FIGURES[key].formula,
            frame.explain_url(key, chosen),
        )
        for key in (*RATES, "lost")
    ]  # fmt: skip


def build_totals(frame: Frame, six: Sequence[Headline]) -> list[Total]:
    return [
        Total(
            one.label,
            compact_money(one.now, frame.currency) if one.kind == Kind.MONEY and one.now is not None
            else text_of(one.now, one.kind),
            _trend(frame, one),
            one.title,
            one.url,
        )
        for one in six
    ]  # fmt: skip


def _trend(frame: Frame, one: Headline) -> str:
    if one.target and one.now is not None:
        return f"{percent(Decimal(one.now) / Decimal(one.target))} of target"
    if one.change is None:
        return "nothing before"
    if one.kind == Kind.RATE:
        return f"{text_of(one.change, Kind.POINTS)} points"
    return f"{'+' if one.change >= 0 else '−'}{compact_money(abs(Decimal(one.change)), frame.currency)}"


def six_tile(frame: Frame, six: Sequence[Headline]) -> Tile:
    rows = [
        Row(
            one.label,
            [Cell(one.now, kind, one.url), Cell(one.before, kind), Cell(one.change, change), Cell(one.target, kind)],
        )
        for one in six
        for kind, change in [(Kind.UNITS, Kind.UNITS) if one.kind == Kind.MONEY else (one.kind, Kind.POINTS)]
    ]
    return Tile(
        "six", "Six figures",
        f"Amounts in {currency_sign(frame.currency)}, changes of rates in points; a dash where no target is set.",
        "Figure", ["Now", "Period before", "Change", "Target"], rows, None, "", "p-span-6",
    )  # fmt: skip


def outlook_tile(frame: Frame, outlook: Outlook) -> Tile:
    labels = [frame.label(period) for period in outlook.periods]

    def urls(*timing: str) -> list[str]:
        return [
            frame.scope.rows_url(due_from=one.starts_on, due_to=one.ends_on, timing=timing) for one in outlook.periods
        ]

    columns = [
        Column(name, Kind.MONEY, [outlook.amount(one, key) for one in outlook.periods], colour, urls(*timing))
        for name, key, colour, timing in (
            ("Won", "won_amount", "won", WON),
            ("Expected", "expected_amount", "expected", (*WON, *OPEN)),
        )
    ]
    targets = [outlook.targets.get(one.starts_on) for one in outlook.periods]
    if any(targets):
        columns.append(Column("Target", Kind.MONEY, targets, "call", urls(*WON, *OPEN)))
    return tile(
        "outlook", f"Won, expected, target, {unit_text(frame.currency, *columns)}",
        f"By the {frame.grain} that it is due in.",
        labels=labels, label_head=frame.grain.capitalize(), columns=columns,
        figure=bars(columns, labels, frame.currency, mode="group", current=labels[BEFORE]),
        empty="Nothing is due in these periods for this choice of filters.", span="p-span-4",
        currency=frame.currency,
    )  # fmt: skip


def rates_tile(frame: Frame, totals: Sequence[PeriodTotal]) -> Tile:
    labels = [one.label for one in totals]
    columns = [
        Column(
            FIGURES[key].title,
            Kind.RATE,
            [frame.value(key, one.total) if one.is_over else None for one in totals],
            colour,
            [frame.rows_url(one) for one in totals],
            [frame.explain_url(key, one) if one.is_over else "" for one in totals],
        )
        for key, colour in (("gross", "won"), ("net", "expected"), ("on_time", "late"))
    ]
    return tile(
        "rates", "Gross, net and on time, %", f"{frame.counted_as.capitalize()}, without the running {frame.grain}.",
        labels=labels, label_head=frame.grain.capitalize(), columns=columns, figure=lines(columns, labels),
        empty="Nothing was due in these periods for this choice of filters.", span="p-span-4",
    )  # fmt: skip


def risk_tile(frame: Frame) -> Tile:
    weeks = read_weeks(frame, frame.company.today())
    labels = [f"{week.starts_on:%d %b}" for week in weeks]
    columns = [
        Column(
            band.capitalize(),
            Kind.MONEY,
            [week.bands[band].amount if band in week.bands else Decimal(0) for week in weeks],
            COLOURS[band],
            [_week_url(frame, week, band) for week in weeks],
        )
        for band in BANDS
    ]
    has_any = any(number for column in columns for number in column.numbers)
    return tile(
        "risk", f"Open by week and risk, {unit_text(frame.currency, *columns)}", f"Baseline due in {AHEAD_DAYS} days.",
        labels=labels, label_head="From", columns=columns if has_any else [],
        figure=bars(columns, labels, frame.currency, mode="stack") if has_any else None,
        empty=f"Nothing open is due in the next {AHEAD_DAYS} days.", span="p-span-4", currency=frame.currency,
    )  # fmt: skip


def _week_url(frame: Frame, week: RiskWeek, band: str) -> str:
    """No address names what has no score."""
    if band == "unscored":
        return ""
    return frame.scope.rows_url(due_from=week.starts_on, due_to=week.ends_on, timing=OPEN, risk=band)


def most_tile(frame: Frame) -> Tile:
    found = read_most_important(frame, frame.company.today())
    rows = [
        Row(
            f"{one.renewal.account}, due {one.renewal.due_on:%d %b}",
            [
                Cell(one.stake_amount, Kind.UNITS),
                Cell(Decimal(str(one.renewal.score.probability)), Kind.RATE),
                Cell(one.days, Kind.COUNT),
            ],
            frame.scope.rows_url(
                account=one.renewal.account_id, due_from=one.renewal.due_on, due_to=one.renewal.due_on
            ),
        )
        for one in found
    ]
    return Tile(
        "most", "What matters most this week", "Baseline × probability to lose it ÷ (1 + weeks until the decision)",
        "Renewal", [f"At stake, {currency_sign(frame.currency)}", "Probability", "Days left"], rows, None,
        f"Nothing that is due in {AHEAD_DAYS} days is at stake.", "p-span-6",
    )  # fmt: skip


def words(six: Sequence[Headline], due: Decimal | None) -> str:
    expected = six[0]
    if expected.now is None or not due:
        return "Nothing is due in the running period for this choice of filters."
    if not expected.target:
        return f"{expected.label}: no target is set."
    share = text_of(Decimal(expected.now) / Decimal(expected.target), Kind.RATE)
    return f"{expected.label}: {share} of the target."


def build_executive(frame: Frame) -> Content:
    totals = frame.totals()
    if frame.past is not None:
        return Content([], f"Forecasts and risk: {NOT_THEN}", [rates_tile(frame, totals)])
    outlook = read_outlook(frame)
    six = read_six(frame, outlook, totals, frame.chosen(totals))
    tiles = [outlook_tile(frame, outlook), rates_tile(frame, totals), risk_tile(frame), most_tile(frame),
             six_tile(frame, six)]  # fmt: skip
    return Content(build_totals(frame, six), words(six, outlook.amount(outlook.periods[BEFORE], "due_amount")), tiles)

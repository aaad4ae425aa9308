"""Scenarios side by side: tables and charts of the book as it is and up to three others, each with its distance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from accounts.templatetags.money import SPACE, compact_money, currency_sign, exact_money, exact_rate
from forecasting.charts import Chart
from forecasting.engine.booking import BookingSplit
from forecasting.periods import Grain, Period
from forecasting.pictures import Series, band, bar, drawn, empty_figure, line, unit_of
from forecasting.scenarios.figures import MILLIONTHS, Figures, Values, total_of

COLOURS = ("total", "expected", "won", "late")
BASE = "As it is"


@dataclass(frozen=True)
class Measure:
    """One figure: how it comes from a period's values, and whether it is a rate, adds up, and is good when it grows."""

    key: str
    label: str
    value: Callable[[Values], Decimal | None]
    is_rate: bool = False
    adds_up: bool = True
    is_good: bool = True
    title: str = ""


def _cents(*names: str) -> Callable[[Values], Decimal | None]:
    return lambda values: Decimal(sum(values[name] for name in names)) / 100


def _share(*names: str, of: str = "due_amount", scale: int = 1) -> Callable[[Values], Decimal | None]:
    return lambda values: Decimal(sum(values[name] for name in names)) / scale / values[of] if values[of] else None


def _booked(kind: str) -> Callable[[Values], Decimal | None]:
    return _cents(f"{kind}_amount", f"expected_{kind}_amount")


GROUPS: tuple[tuple[str, str, tuple[Measure, ...]], ...] = (
    (
        "revenue",
        "Revenue and retention",
        (
            Measure(
                "expected", "Expected", _cents("expected_amount"), title="Won so far and the probability-weighted rest"
            ),
            Measure("p10", "P10", _cents("p10_amount"), adds_up=False),
            Measure("p50", "P50", _cents("p50_amount"), adds_up=False),
            Measure("p90", "P90", _cents("p90_amount"), adds_up=False),
            Measure(
                "gross",
                "Gross rate",
                _share("renewal_amount", "expected_renewal_amount"),
                is_rate=True,
                title="What is and will be kept of what is due, without expansion",
            ),
            Measure("net", "Net rate", _share("expected_amount"), is_rate=True, title="With expansion"),
            Measure(
                "logo",
                "Logo rate",
                _share("kept_accounts", of="account_count", scale=MILLIONTHS),
                is_rate=True,
                title="Accounts that renew anything, of those with anything due",
            ),
            Measure(
                "on_time_rate",
                "On-time rate",
                _share("early_amount", "on_time_amount", "expected_early_amount", "expected_on_time_amount"),
                is_rate=True,
                title="Kept, and ordered early or on time",
            ),
            Measure(
                "collected", "Collected", _cents("collected_amount"), title="What will be paid of what is expected"
            ),
        ),
    ),
    (
        "booking",
        "Booking split, decided and expected",
        (
            Measure("renewal", "Renewal", _booked("renewal")),
            Measure("upsell", "Upsell", _booked("upsell")),
            Measure("cross_sell", "Cross-sell", _booked("cross_sell")),
            Measure("downsell", "Downsell", _booked("downsell"), is_good=False),
            Measure("churn", "Churn", _booked("churn"), is_good=False),
        ),
    ),
    (
        "timing",
        "Timing of orders, decided and expected",
        (
            Measure("early", "Early", _booked("early")),
            Measure("on_time", "On time", _booked("on_time")),
            Measure("late", "Late", _booked("late"), is_good=False),
            Measure(
                "win_back", "Won back", _cents("win_back_amount"), title="After the last tolerated day: no renewal"
            ),
            Measure("overdue", "Overdue now", _cents("overdue_amount"), is_good=False),
            Measure("lost", "Lost or lapsed", _cents("lost_amount"), is_good=False),
        ),
    ),
)
assert set(BookingSplit.__dataclass_fields__) == {measure.key for measure in GROUPS[1][2]}


@dataclass(frozen=True)
class Column:
    """One scenario beside the others; the first one is the book as it is."""

    name: str
    figures: Figures
    url: str = ""


@dataclass(frozen=True)
class Cell:
    text: str
    title: str
    delta: str = ""
    is_good: bool | None = None  # None where nothing moved


@dataclass(frozen=True)
class Row:
    """One measure of one scenario, along the periods; the last cell is their total."""

    scenario: str
    is_base: bool
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Table:
    key: str
    title: str
    heads: Sequence[str]
    measures: Sequence[tuple[Measure, Sequence[Row]]]


def build_tables(
    columns: Sequence[Column], periods: Sequence[Period], labels: Sequence[str], currency: str
) -> list[Table]:
    totals = [total_of(column.figures, periods) for column in columns]
    of_periods = [[column.figures.of(period) for period in periods] for column in columns]

    def rows(measure: Measure) -> list[Row]:
        found = []
        for at, column in enumerate(columns):
            values = [measure.value(one) for one in of_periods[at]]
            base = [measure.value(one) for one in of_periods[0]]
            if measure.adds_up:
                values, base = [*values, measure.value(totals[at])], [*base, measure.value(totals[0])]
            cells = [
                _cell(measure, *pair, is_base=at == 0, currency=currency) for pair in zip(values, base, strict=True)
            ]
            if not measure.adds_up:
                cells.append(Cell("", "A quantile of the sum is not the sum of the quantiles"))
            found.append(Row(column.name, at == 0, cells))
        return found

    heads = [*labels, "Together"]
    return [
        Table(key, title, heads, [(measure, rows(measure)) for measure in measures]) for key, title, measures in GROUPS
    ]


def _cell(measure: Measure, value: Decimal | None, base: Decimal | None, *, is_base: bool, currency: str) -> Cell:
    text = exact_rate(value) if measure.is_rate else compact_money(value, currency)
    title = exact_rate(value) if measure.is_rate else exact_money(value, currency)
    if is_base or value is None or base is None:
        return Cell(text, title)
    change = value - base
    if not change:
        return Cell(text, title, "=")
    return Cell(
        text, title, delta_text(change, is_rate=measure.is_rate, currency=currency), (change > 0) == measure.is_good
    )


def delta_text(change: Decimal, *, is_rate: bool, currency: str) -> str:
    """+1.2 points, −€ 3.4 K."""
    if is_rate:
        points = f"{change * 100:+.1f}".replace("-", "−")
        return f"{points}{SPACE}pt" if points[1:] != "0.0" else f"{'+' if change > 0 else '−'}<0.1{SPACE}pt"
    return f"{'+' if change > 0 else ''}{compact_money(change, currency)}"


@dataclass(frozen=True)
class Headline:
    """One of the figures over the page, under the scenario, with its distance from the book as it is."""

    label: str
    value: str
    delta: str
    is_good: bool | None
    title: str


def build_headlines(base: Figures, figures: Figures, period: Period, label: str, currency: str) -> list[Headline]:
    """Of the running period."""
    before, now = base.of(period), figures.of(period)
    measures = {measure.key: measure for _, _, group in GROUPS for measure in group}
    found = []
    for key in ("expected", "gross", "net", "logo", "p10", "p90"):
        measure = measures[key]
        cell = _cell(measure, measure.value(now), measure.value(before), is_base=False, currency=currency)
        name = f"{measure.label}, {label}"
        found.append(Headline(name, cell.text, cell.delta, cell.is_good, f"{cell.title}. {measure.title}".strip(". ")))
    return found


def build_charts(
    columns: Sequence[Column], periods: Sequence[Period], labels: Sequence[str], current: str, currency: str
) -> list[Chart]:
    return [
        _expected_chart(columns, periods, labels, current, currency),
        _rate_chart(columns, periods, labels, current),
    ]


def _series(columns: Sequence[Column], periods: Sequence[Period], measure: Measure) -> list[Series]:
    urls = [""] * len(periods)
    return [
        Series(
            column.name, [measure.value(column.figures.of(period)) for period in periods], urls, colour, measure.is_rate
        )
        for column, colour in zip(columns, COLOURS, strict=False)
    ]


def _expected_chart(
    columns: Sequence[Column], periods: Sequence[Period], labels: Sequence[str], current: str, currency: str
) -> Chart:
    expected, low, _, high = GROUPS[0][2][:4]
    series = _series(columns, periods, expected)
    edges = _series(columns[-1:], periods, low)[0], _series(columns[-1:], periods, high)[0]
    divisor, unit = unit_of(currency, *series, *edges)
    figure = empty_figure("group", labels, current=current)
    for one in series:
        figure.add_trace(bar(one, labels, divisor, currency))
    figure.add_traces(band(*edges, labels, divisor))
    moved = _moved(series, labels, lambda change: f"{'+' if change > 0 else ''}{compact_money(change, currency)}")
    return Chart(
        "scenario-expected",
        f"Expected revenue, {unit}",
        f"{moved} The ground reaches from P10 to P90 of “{columns[-1].name}”.",
        labels,
        "Period",
        series,
        currency_sign(currency),
        drawn(figure) if any(value for one in series for value in one.values) else None,
        "Nothing is due in these periods in the book that you see.",
    )


def _rate_chart(columns: Sequence[Column], periods: Sequence[Period], labels: Sequence[str], current: str) -> Chart:
    net = next(measure for measure in GROUPS[0][2] if measure.key == "net")
    series = _series(columns, periods, net)
    figure = empty_figure("group", labels, current=current, is_rate=True)
    for one in series:
        figure.add_trace(line(one, labels, 1))
    moved = _moved(series, labels, lambda change: delta_text(change, is_rate=True, currency=""))
    return Chart(
        "scenario-net",
        "Net renewal rate, % of value due",
        f"{moved} Counted by due period.",
        labels,
        "Period",
        series,
        "%",
        drawn(figure) if any(value is not None for one in series for value in one.values) else None,
        "No rate: nothing is due in these periods in the book that you see.",
    )


def _moved(series: Sequence[Series], labels: Sequence[str], told: Callable[[Decimal], str]) -> str:
    """The largest distance from the book as it is, in words."""
    base, *others = series
    changes = [
        (abs(value - was), value - was, one.name, label)
        for one in others
        for value, was, label in zip(one.values, base.values, labels, strict=True)
        if value is not None and was is not None and value != was
    ]
    if not changes:
        return "Nothing moves."
    _, change, name, label = max(changes, key=lambda one: one[0])
    return f"“{name}” moves most in {label}: {told(change)}."


def labels_of(periods: Sequence[Period], fiscal_start: int) -> list[str]:
    return [f"{one.starts_on:%b %y}" if one.grain == Grain.MONTH else one.label(fiscal_start) for one in periods]

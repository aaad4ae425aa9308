"""The charts of the forecast page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from accounts.templatetags.money import currency_sign
from forecasting.charts import Chart
from forecasting.overview import captions
from forecasting.overview.at_risk import AtRisk, Open
from forecasting.overview.dashboard import LOST, OPEN, WON, Period
from forecasting.pictures import Series, band, bar, drawn, empty_figure, line, unit_of
from forecasting.scopes.scope import Scope


def build_charts(
    scope: Scope, currency: str, attribution: str, periods: Sequence[Period], at_risk: AtRisk
) -> list[Chart]:
    """Every chart of the page, in its order."""
    return [
        value_chart(scope, currency, periods),
        risk_chart(scope, currency, at_risk),
        rates_chart(scope, attribution, periods),
        timing_chart(scope, periods),
        booking_chart(scope, currency, periods),
    ]


def value_chart(scope: Scope, currency: str, periods: Sequence[Period]) -> Chart:
    """Won, commit and best case stacked; the expectation as a line with its P10 to P90 band."""
    whole = _urls(scope, periods)
    won = _amounts("Won", "won", periods, _urls(scope, periods, timing=WON), "won_amount")
    commit = _amounts(
        "Commit", "commit", periods, _urls(scope, periods, timing=OPEN, category="commit"), "commit_amount"
    )
    best = _amounts(
        "Best case", "best", periods, _urls(scope, periods, timing=OPEN, category="best_case"), "best_case_amount"
    )
    expected = _amounts("Expected", "expected", periods, whole, "expected_amount")
    low = _amounts("P10", "band", periods, whole, "p10_amount")
    high = _amounts("P90", "band", periods, whole, "p90_amount")
    collected = _amounts("Collected", "total", periods, whole, "collected_amount")
    chance = _amounts("By chance, ±", "total", periods, whole, "chance_amount")
    series = [won, commit, best, expected, low, high, collected, chance]
    divisor, unit = unit_of(currency, *series)
    labels = [period.label for period in periods]
    figure = empty_figure("stack", labels, current=_current(periods))
    for one in (won, commit, best):
        figure.add_trace(bar(one, labels, divisor, currency))
    figure.add_traces(band(low, high, labels, divisor))
    figure.add_trace(line(expected, labels, divisor, currency))
    figure.add_trace(line(collected, labels, divisor, currency, is_thin=True))
    return Chart(
        "value",
        f"Renewed value by {scope.grain}, {unit}",
        captions.value(currency, periods),
        labels,
        scope.grain.capitalize(),
        series,
        currency_sign(currency),
        drawn(figure) if _has_any(series) else None,
        "Nothing was won and nothing is open in these periods, for this choice of filters.",
        "p-span-8",
    )


def booking_chart(scope: Scope, currency: str, periods: Sequence[Period]) -> Chart:
    """What was booked above the line and what was given up below it; paler bars are expected from the open ones."""
    booked, kept, lost = _urls(scope, periods), _urls(scope, periods, timing=WON), _urls(scope, periods, timing=LOST)
    still_open = _urls(scope, periods, timing=OPEN)
    types = [
        ("Renewal", "won", "renewal", kept, 1),
        ("Upsell", "commit", "upsell", kept, 1),
        ("Cross-sell", "win-back", "cross_sell", kept, 1),
        ("Downsell", "late", "downsell", kept, -1),
        ("Churn", "loss", "churn", lost, -1),
    ]
    actual = [
        (_amounts(name, colour, periods, urls, f"{field}_amount"), sign) for name, colour, field, urls, sign in types
    ]
    expected = [
        (_amounts(f"{name} expected", colour, periods, still_open, f"expected_{field}_amount"), sign)
        for name, colour, field, _, sign in types
    ]
    series = [one for one, _ in (*actual, *expected)]
    divisor, unit = unit_of(currency, *series)
    labels = [period.label for period in periods]
    figure = empty_figure("relative", labels, current=_current(periods))
    for (now, sign), (later, _) in zip(actual, expected, strict=True):
        figure.add_trace(bar(now, labels, divisor, currency, sign=sign, group=now.name))
        figure.add_trace(bar(later, labels, divisor, currency, sign=sign, group=now.name, is_pale=True))
    return Chart(
        "booking",
        f"Booking type by {scope.grain}, {unit}",
        captions.booking(currency, periods),
        labels,
        scope.grain.capitalize(),
        series,
        currency_sign(currency),
        drawn(figure) if booked and _has_any(series) else None,
        "Nothing is booked or lost yet, and nothing is open in these periods.",
    )


def rates_chart(scope: Scope, attribution: str, periods: Sequence[Period]) -> Chart:
    """Rates of the periods that are over; then, dotted, where gross and net are expected to end.

    The rate so far of a period that runs is left out: most of it is undecided, and it would read as a collapse.
    """
    labels = [period.label for period in periods]
    whole = _urls(scope, periods)

    def rates(name: str, colour: str, field: str, *, of_over: bool = True) -> Series:
        values = [getattr(period, field) if period.is_over == of_over else None for period in periods]
        return Series(name, values, whole, colour, is_rate=True)

    net, gross = rates("Net", "expected", "net_rate"), rates("Gross", "won", "gross_rate")
    others = [rates("In period", "total", "in_period_rate"), rates("On time", "late", "on_time_rate")]
    net_expected = rates("Net expected", "expected", "expected_net_rate", of_over=False)
    gross_expected = rates("Gross expected", "won", "expected_gross_rate", of_over=False)
    figure = empty_figure("group", labels, current=_current(periods), is_rate=True)
    hollow = [period.line.open_count > 0 for period in periods]
    for one in (net, gross, *others):
        figure.add_trace(line(one, labels, 1, hollow=hollow))
    for known, later in ((net, net_expected), (gross, gross_expected)):
        figure.add_trace(line(_continued(known, later), labels, 1, hollow=hollow, is_dashed=True))
    return Chart(
        "rates",
        f"Renewal rate by {scope.grain}, % of value due",
        captions.rates(attribution, periods),
        labels,
        scope.grain.capitalize(),
        [net, gross, *others, net_expected, gross_expected],
        "%",
        drawn(figure) if any(period.line.due_amount for period in periods) else None,
        "No rate: nothing was due in these periods, so there is nothing to divide by.",
    )


def _continued(known: Series, later: Series) -> Series:
    """The later series, drawn from the last point of the known one on."""
    values = list(later.values)
    last = max((at for at, value in enumerate(known.values) if value is not None), default=None)
    if last is not None:
        values[last] = known.values[last]
    return replace(later, values=values)


def timing_chart(scope: Scope, periods: Sequence[Period]) -> Chart:
    """Share of each class in what was renewed or won back, up to the baseline; periods without any have no bar."""
    begun = [period for period in periods if period.is_over or period.is_current]
    labels = [period.label for period in periods]
    classes = [("Early", "early"), ("On time", "on_time"), ("Late", "late"), ("Win-back", "win_back")]
    ordered = [sum((_amount(period, name) for _, name in classes), Decimal(0)) for period in begun]
    ahead: list[Decimal | None] = [None] * (len(periods) - len(begun))
    series = [
        Series(
            label,
            [_amount(period, name) / total if total else None for period, total in zip(begun, ordered, strict=True)]
            + ahead,
            _urls(scope, periods, timing=name),
            name.replace("_", "-"),
            is_rate=True,
        )
        for label, name in classes
    ]
    expected = [
        Series(
            f"{label} expected",
            [_expected_share(period, name) for period in periods],
            _urls(scope, periods, timing=OPEN),
            name.replace("_", "-"),
            is_rate=True,
        )
        for label, name in classes[:3]
    ]
    figure = empty_figure("stack", labels, current=_current(periods), is_rate=True)
    figure.update_yaxes(range=[0, 100])
    for one in series:
        figure.add_trace(bar(one, labels, 1))
    for one, later in zip(series, expected, strict=False):
        # The running period shows what has come; what is expected of its rest is in the table.
        seen = [None if period in begun else value for period, value in zip(periods, later.values, strict=True)]
        figure.add_trace(bar(replace(later, values=seen), labels, 1, group=one.name, is_pale=True))
    return Chart(
        "timing",
        f"Timing of orders by {scope.grain} due, % of value up to the baseline",
        captions.timing(periods),
        labels,
        scope.grain.capitalize(),
        [*series, *expected],
        "%",
        drawn(figure) if any(ordered) or _has_any(expected) else None,
        "No order has come in for these periods, and nothing is open in them.",
    )


def _expected_share(period: Period, name: str) -> Decimal | None:
    """Of what is expected to be renewed of the open ones, the share that comes early, on time or late."""
    whole = period.line.expected_renewal_amount
    return _amount(period, f"expected_{name}") / whole if whole > 0 else None


def risk_chart(scope: Scope, currency: str, at_risk: AtRisk) -> Chart:
    """Open value by the week it is due in and by risk band."""
    labels = [f"{week.starts_on:%d %b}" for week in at_risk.weeks]
    shown = [("High", "high", "loss"), ("Medium", "medium", "late"), ("Low", "low", "commit")]
    if at_risk.total("unscored").count:
        shown.append(("Not scored", "unscored", "total"))
    series = [
        Series(
            label,
            [week.bands.get(band, Open()).amount for week in at_risk.weeks],
            [
                scope.rows_url(outcome="open", due_from=week.starts_on, due_to=week.ends_on, **_risk_filter(band))
                for week in at_risk.weeks
            ],
            colour,
        )
        for label, band, colour in shown
    ]
    divisor, unit = unit_of(currency, *series)
    figure = empty_figure("stack", labels, every=2)
    for one in series:
        figure.add_trace(bar(one, labels, divisor, currency))
    return Chart(
        "risk",
        f"Open by risk, 90 days, {unit}",
        captions.risk(currency, at_risk),
        labels,
        "Week of",
        series,
        currency_sign(currency),
        drawn(figure) if _has_any(series) else None,
        "Nothing is open and due in the next 90 days.",
        "p-span-4",
    )


def _risk_filter(band: str) -> dict[str, str]:
    return {} if band == "unscored" else {"risk": band}


def _current(periods: Sequence[Period]) -> str:
    return next(period.label for period in periods if period.is_current)


def _amount(period: Period, name: str) -> Decimal:
    amount: Decimal = getattr(period.line, f"{name}_amount")
    return amount


def _amounts(name: str, colour: str, periods: Sequence[Period], urls: Sequence[str], field: str) -> Series:
    return Series(name, [getattr(period.line, field) for period in periods], urls, colour)


def _urls(scope: Scope, periods: Sequence[Period], **filters: object) -> list[str]:
    return [period.rows_url(scope, **filters) for period in periods]


def _has_any(series: Sequence[Series]) -> bool:
    return any(value for one in series for value in one.values)

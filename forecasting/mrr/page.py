"""What the page shows of a ledger: six figures, three charts with their words, and the table of movements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from accounts.strip import Total
from accounts.templatetags.money import NOTHING, SPACE, compact_money, currency_sign, exact_money, exact_rate
from forecasting.charts import Cell, Chart
from forecasting.engine.recurring import Kind, State
from forecasting.mrr.address import CERTAIN, CLOSING, OPEN, rows_url
from forecasting.mrr.ledger import KINDS, LOSSES, Errors, Ledger, Month
from forecasting.overview.dashboard import range_text
from forecasting.periods import first_day, month_number
from forecasting.pictures import Series, band, bar, drawn, empty_figure, line, unit_of
from forecasting.scopes.scope import Scope

COLOURS = {
    Kind.NEW: "won",
    Kind.EXPANSION: "commit",
    Kind.REACTIVATION: "win-back",
    Kind.CONTRACTION: "late",
    Kind.CHURN: "loss",
}
NO_MOVES = "Nothing recurs, and nothing is signed, for this choice of team, owner and segment."


@dataclass(frozen=True)
class Row:
    """One month of the table."""

    label: str
    note: str
    cells: list[Cell]
    is_current: bool


def label_of_kind(kind: Kind) -> str:
    return kind.name.capitalize()


def label_of(month: Month) -> str:
    return f"{month.starts_on:%b %y}"


def month_before(month: Month) -> dt.date:
    return first_day(month_number(month.starts_on) - 1)


def build_totals(scope: Scope, currency: str, ledger: Ledger) -> list[Total]:
    now, last = ledger.current, ledger.months[-1]
    net = now.net()
    judged = next((month for month in reversed(ledger.months) if month.is_over and month.grr is not None), None)
    low, high = last.low or last.closing, last.high or last.closing
    return [
        Total(
            "MRR today",
            compact_money(ledger.level, currency),
            f"ARR {compact_money(ledger.level * 12, currency)}",
            f"{exact_money(ledger.level, currency)} a month in effect on {ledger.roll_up.as_of_on:%d %b %Y}.",
            rows_url(scope, CLOSING, now.starts_on, state="actual"),
        ),
        Total(
            "Committed",
            compact_money(ledger.committed, currency),
            _signed(ledger.committed - ledger.level, currency),
            f"{exact_money(ledger.committed, currency)}: today's, with what is signed and "
            "takes effect later: future-dated contracts, renewals ordered or lost "
            "before they are due. What is open goes on in it.",
            rows_url(scope, CLOSING, last.starts_on, state=CERTAIN),
        ),
        Total(
            f"Expected {label_of(now)}",
            compact_money(now.closing, currency),
            _signed(net, currency),
            f"{exact_money(now.closing, currency)} at the end of the month; {_signed(net, currency)} against its "
            "opening.",
            rows_url(scope, CLOSING, now.starts_on),
        ),
        Total(
            f"Expected {label_of(last)}",
            compact_money(last.closing, currency),
            range_text(low, high, beside=last.closing),
            f"{exact_money(last.closing, currency)}, with 80{SPACE}% probability between {exact_money(low, currency)} "
            f"(P10) and {exact_money(high, currency)} (P90), from what is there today: no new customers are in it.",
            rows_url(scope, CLOSING, last.starts_on),
        ),
        Total(
            f"GRR / NRR, {label_of(judged)}" if judged else "GRR / NRR",
            f"{exact_rate(judged.grr).removesuffix('%').rstrip()} / {exact_rate(judged.nrr)}" if judged else NOTHING,
            "" if judged else "no month is over yet",
            "Of what recurred when the month began: kept, and kept with expansion.",
            rows_url(scope, Kind.CHURN.name.lower(), judged.starts_on) if judged else "",
        ),
        Total(
            "Open within 12 months",
            compact_money(sum_open(ledger), currency),
            "",
            "A month's value of contracts that end ahead, or are past due, and are not decided.",
            rows_url(scope, OPEN, last.starts_on, **{"from": f"{now.starts_on:%Y-%m}"}),
        ),
    ]


def sum_open(ledger: Ledger) -> Decimal:
    """What contracts hold today and the open ones among them do not hold at the end."""
    last = ledger.months[-1]
    certain = ledger.current.opening + sum(
        (month.net(State.ACTUAL, State.COMMITTED) for month in ledger.months if not month.is_over), Decimal(0)
    )
    return certain - (last.signed if last.signed is not None else certain)


def _signed(amount: Decimal, currency: str) -> str:
    return f"{'+' if amount > 0 else ''}{compact_money(amount, currency)}"


def build_charts(scope: Scope, currency: str, ledger: Ledger) -> list[Chart]:
    return [bridge_chart(scope, currency, ledger), closing_chart(scope, currency, ledger), rates_chart(scope, ledger)]


def bridge_chart(scope: Scope, currency: str, ledger: Ledger) -> Chart:
    """Gains above the line, losses below it; paler is expected by probability."""
    months, labels = ledger.months, [label_of(month) for month in ledger.months]
    sure, likely = [], []
    for kind in KINDS:
        name = kind.name.lower()
        sure.append(
            Series(
                label_of_kind(kind),
                [month.amount(kind, State.ACTUAL, State.COMMITTED) for month in months],
                [rows_url(scope, name, month.starts_on, state=CERTAIN) for month in months],
                COLOURS[kind],
            )
        )
        likely.append(
            Series(
                f"{label_of_kind(kind)} expected",
                [month.amount(kind, State.EXPECTED) for month in months],
                [rows_url(scope, name, month.starts_on, state="expected") for month in months],
                COLOURS[kind],
            )
        )
    series = [*sure, *likely]
    divisor, unit = unit_of(currency, *series)
    figure = empty_figure("relative", labels, current=label_of(ledger.current))
    for kind, now, later in zip(KINDS, sure, likely, strict=True):
        sign = -1 if kind in LOSSES else 1
        figure.add_trace(bar(now, labels, divisor, currency, sign=sign, group=now.name))
        figure.add_trace(bar(later, labels, divisor, currency, sign=sign, group=now.name, is_pale=True))
    return Chart(
        "bridge",
        f"What moves MRR, by month, {unit}",
        bridge_caption(currency, ledger),
        labels,
        "Month",
        series,
        currency_sign(currency),
        drawn(figure) if any(value for one in series for value in one.values) else None,
        NO_MOVES,
        "p-span-12",
    )


def bridge_caption(currency: str, ledger: Ledger) -> str:
    how_to_read = "Above the line what is gained, below it what is lost; paler is expected from what is open."
    over = [month for month in ledger.months if month.is_over]
    if not over:
        return f"No month is over yet. {how_to_read}"
    last = over[-1]
    worst = max(LOSSES, key=last.amount)
    lost = last.amount(worst)
    largest = f", the largest loss {worst.name.lower()} of {compact_money(lost, currency)}" if lost else ""
    return f"{label_of(last)}: {_signed(last.net(), currency)} net{largest}. {how_to_read}"


def closing_chart(scope: Scope, currency: str, ledger: Ledger) -> Chart:
    """The level month by month; ahead with its band, what is signed, and the naive line."""
    months, labels = ledger.months, [label_of(month) for month in ledger.months]
    urls = [rows_url(scope, CLOSING, month.starts_on) for month in months]
    certain = [rows_url(scope, CLOSING, month.starts_on, state=CERTAIN) for month in months]
    last = max((at for at, month in enumerate(months) if month.is_over), default=0)

    def series(name: str, colour: str, field: str, own_urls: Sequence[str] = urls) -> Series:
        return Series(name, [getattr(month, field) for month in months], own_urls, colour)

    past = Series("Closing", [month.closing if month.is_over else None for month in months], urls, "won")
    ahead = Series(
        "Expected", [None if at < last else month.closing for at, month in enumerate(months)], urls, "expected"
    )
    signed = series("Signed", "total", "signed", certain)
    naive = series("Naive", "late", "naive", [""] * len(months))
    low, high = series("P10", "band", "low"), series("P90", "band", "high")
    shown = [past, ahead, low, high, signed, naive]
    divisor, unit = unit_of(currency, *shown)
    figure = empty_figure("group", labels, current=label_of(ledger.current))
    figure.add_traces(band(low, high, labels, divisor))
    for one in (past, ahead, signed):
        figure.add_trace(line(one, labels, divisor, currency))
    naive_line = line(naive, labels, divisor, currency, is_dashed=True)
    naive_line["showlegend"] = True
    if ledger.months[-1].naive is not None:
        figure.add_trace(naive_line)
    figure.update_yaxes(rangemode="tozero")
    return Chart(
        "closing",
        f"MRR at the end of the month, {unit}",
        closing_caption(currency, ledger),
        labels,
        "Month",
        shown,
        currency_sign(currency),
        None if ledger.is_empty else drawn(figure),
        NO_MOVES,
        "p-span-8",
    )


def closing_caption(currency: str, ledger: Ledger) -> str:
    last = ledger.months[-1]
    low, high = compact_money(last.low, currency), compact_money(last.high, currency)
    said = f"{label_of(last)}: {compact_money(last.closing, currency)} expected"
    said += "" if last.low == last.high else f", with 80{SPACE}% probability between {low} and {high}"
    naive = f"; growing on as before it would be {compact_money(last.naive, currency)}" if last.naive else ""
    return f"{said}{naive}. Signed is what contracts hold: the closing if all that is open were lost."


def rates_chart(scope: Scope, ledger: Ledger) -> Chart:
    """GRR and NRR by month; hollow where the month is not over."""
    months, labels = ledger.months, [label_of(month) for month in ledger.months]
    urls = [rows_url(scope, Kind.CHURN.name.lower(), month.starts_on) for month in months]
    grr = Series("GRR", [month.grr for month in months], urls, "won", is_rate=True)
    nrr = Series("NRR", [month.nrr for month in months], urls, "expected", is_rate=True)
    hollow = [not month.is_over for month in months]
    figure = empty_figure("group", labels, current=label_of(ledger.current), is_rate=True, every=2)
    for one in (nrr, grr):
        figure.add_trace(line(one, labels, 1, hollow=hollow))
    has_any = any(value is not None for value in grr.values)
    return Chart(
        "retention",
        "GRR and NRR by month, % of opening",
        "Of what recurred when the month began: kept (GRR), and kept with expansion (NRR). Hollow ones are expected.",
        labels,
        "Month",
        [nrr, grr],
        "%",
        drawn(figure) if has_any else None,
        "No rate: nothing recurred when any of these months began.",
        "p-span-4",
    )


HEADS = (
    "Opening", "New", "Expansion", "Reactivation", "Contraction", "Churn", "Closing", "P10", "P90", "Signed", "GRR",
    "NRR",
)  # fmt: skip


def build_rows(scope: Scope, ledger: Ledger) -> list[Row]:
    """The table: every figure leads to the rows that it is the sum of."""
    rows = []
    for month in ledger.months:
        cells = [Cell(_exact(month.opening), rows_url(scope, CLOSING, month_before(month)))]
        for kind in KINDS:
            amount = month.amount(kind)
            url = rows_url(scope, kind.name.lower(), month.starts_on) if amount else ""
            cells.append(Cell(_exact(-amount if kind in LOSSES and amount else amount), url))
        cells.append(Cell(_exact(month.closing), rows_url(scope, CLOSING, month.starts_on)))
        cells += [Cell(_exact(amount), "") for amount in (month.low, month.high, month.signed)]
        cells += [Cell(exact_rate(rate), "") for rate in (month.grr, month.nrr)]
        note = "" if month.is_over else "running" if month.is_current else "expected"
        rows.append(Row(label_of(month), note, cells, month.is_current))
    return rows


def _exact(amount: Decimal | None) -> str:
    return NOTHING if amount is None else f"{amount:,.2f}".replace("-", "−")


def error_text(errors: Errors) -> str:
    """How far the forecast and the naive line missed, three months out."""
    naive = (
        f"the naive line missed by {exact_rate(errors.naive_rate)} (mean of {errors.naive_count} months)"
        if errors.naive_rate is not None
        else "there is too little history to measure the naive line"
    )
    if errors.called_rate is None:
        return f"Three months out {naive}; the forecast is measured once its first call is three months old."
    count = f"{errors.called_count} month{'' if errors.called_count == 1 else 's'}"
    return f"Three months out the forecast missed by {exact_rate(errors.called_rate)} (mean of {count}); {naive}."

"""The tiles of the early-month review."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import numpy as np

from accounts.strip import Total
from accounts.templatetags.money import compact_money, currency_sign
from dashboards.frame import Frame
from dashboards.review.due import DAYS, Due, amount
from dashboards.review.said import LOST, OPEN, RENEWED, Line, Said
from dashboards.tiles import Cell, Column, Kind, Row, Tile, bars, tile, unit_text
from forecasting.engine.arrays import Integers
from forecasting.overview.dashboard import renewals
from renewals.models import Renewal

LINES_SHOWN: Final = 50
NO_CALL: Final = "No call was frozen in an earlier month. Freeze one now: next month it is compared here, line by line."


def build_totals(frame: Frame, due: Due) -> list[Total]:
    def total(label: str, cents: Integers, qualifier: str, title: str) -> Total:
        return Total(label, compact_money(amount(cents), frame.currency), qualifier, title, "")

    rows_url = frame.scope.rows_url(due_from=due.first_on, due_to=due.last_on, outcome="open")
    return [
        Total("Due", f"{due.ids.size:,}", f"in {DAYS} days", "Open renewals, today and the 30 days after it", rows_url),
        total("Baseline", due.baseline, "open", "Sum of their baselines"),
        total("Expected", due.expected, "revenue", "Sum of probability times what each brings if it renews"),
        total("Collected", due.collected, "expected", "Expected revenue less what is expected not to be paid"),
        total("Likely upsell", due.grown, "and cross-sell", "Of what is expected, what is above the baseline"),
        total("At risk", due.lost, "to be lost", "Sum of baseline times the probability that it does not renew"),
    ]


def words(frame: Frame, due: Due) -> str:
    days = f"{due.first_on:%d %b} to {due.last_on:%d %b %Y}"
    if not due.ids.size:
        return f"Nothing open is due from {days} for this choice of filters."
    expected, collected = (compact_money(amount(cents), frame.currency) for cents in (due.expected, due.collected))
    return f"From {days}, {expected} is expected of {renewals(due.ids.size)}, and {collected} to be collected."


def build_tiles(frame: Frame, due: Due, said: Said | None) -> list[Tile]:
    return [weeks_tile(frame, due), due_tile(frame, due), upsell_tile(frame, due), risk_tile(frame, due),
            *said_tiles(frame, said)]  # fmt: skip


def weeks_tile(frame: Frame, due: Due) -> Tile:
    weeks = range(DAYS // 7 + 1)
    starts = [due.first_on + dt.timedelta(days=7 * week) for week in weeks]
    labels = [f"{start:%d %b}" for start in starts]
    urls = [
        frame.scope.rows_url(due_from=start, due_to=min(start + dt.timedelta(days=6), due.last_on), outcome="open")
        for start in starts
    ]

    def column(name: str, cents: Integers, colour: str) -> Column:
        numbers = [amount(cents[due.week == week]) for week in weeks]
        return Column(name, Kind.MONEY, numbers, colour, urls, urls)

    columns = [
        column("Baseline", due.baseline, "total"),
        column("Expected", due.expected, "expected"),
        column("Collected", due.collected, "won"),
    ]
    return tile(
        "weeks",
        f"Due by week, {unit_text(frame.currency, *columns)}",
        "Seven days from the day named; the last ones end with the 30 days.",
        labels=labels if due.ids.size else [],
        label_head="From",
        columns=columns if due.ids.size else [],
        figure=bars(columns, labels, frame.currency, mode="group") if due.ids.size else None,
        empty=words(frame, due),
        span="p-span-12",
        currency=frame.currency,
    )


def _label(renewal: Renewal) -> str:
    offer = f"offer {renewal.offer}" if renewal.offer else "no offer"
    return f"{renewal.account}, due {renewal.due_on:%d %b}, {offer}"


def _url(frame: Frame, renewal: Renewal) -> str:
    return frame.scope.rows_url(account=renewal.account_id, due_from=renewal.due_on, due_to=renewal.due_on)


def _listed(
    frame: Frame, due: Due, by: Integers, key: str, title: str, caption: str, columns: Sequence[tuple[str, Integers]],
    empty: str,
) -> Tile:  # fmt: skip
    """The largest by some measure, then the others and all of them together."""
    places = due.largest(by)
    is_rest = by > 0
    is_rest[places] = False
    rest = np.flatnonzero(is_rest)
    rows = [
        Row(
            _label(renewal),
            [
                Cell(None if renewal.confidence is None else Decimal(renewal.confidence) / 100, Kind.RATE),
                Cell(Decimal(str(renewal.score.probability)), Kind.RATE),
                *(Cell(Decimal(int(cents[place])) / 100, Kind.MONEY) for _, cents in columns),
            ],
            _url(frame, renewal),
        )
        for place, renewal in zip(places.tolist(), due.rows(places), strict=True)
    ]
    blanks = [Cell(None, Kind.RATE)] * 2
    if rest.size:
        others = [Cell(amount(cents[rest]), Kind.MONEY) for _, cents in columns]
        rows.append(Row(f"{rest.size:,} more", [*blanks, *others]))
    if rows:
        both = np.concatenate([places, rest])
        rows.append(
            Row("Together", [*blanks, *(Cell(amount(cents[both]), Kind.MONEY) for _, cents in columns)], is_total=True)
        )
    sign = currency_sign(frame.currency)
    heads = ["Confidence", "Probability", *(f"{name}, {sign}" for name, _ in columns)]
    return Tile(key, title, caption, "Renewal", heads, rows, None, empty, "p-span-12")


def due_tile(frame: Frame, due: Due) -> Tile:
    columns = [("Baseline", due.baseline), ("Expected", due.expected), ("Collected", due.collected)]
    return _listed(
        frame, due, np.maximum(due.expected, 1), "due", f"Due in the next {DAYS} days",
        "What is expected to bring the most stands first; confidence is the rep's, blank where none is given.",
        columns, words(frame, due),
    )  # fmt: skip


def upsell_tile(frame: Frame, due: Due) -> Tile:
    return _listed(
        frame, due, due.grown, "upsells", "Likely upsells",
        "Probability times what each is forecast to bring above its baseline, cross-sell included.",
        [("Baseline", due.baseline), ("Upsell expected", due.grown)],
        f"Nothing that is due in the next {DAYS} days is expected to grow.",
    )  # fmt: skip


def risk_tile(frame: Frame, due: Due) -> Tile:
    return _listed(
        frame, due, due.lost, "risk", "At risk",
        "Baseline times the probability that it does not renew: where most is to be lost.",
        [("Baseline", due.baseline), ("To be lost", due.lost)],
        f"Nothing that is due in the next {DAYS} days is expected to be lost.",
    )  # fmt: skip


def said_tiles(frame: Frame, said: Said | None) -> list[Tile]:
    """The earlier call: by what came, and line by line."""
    if said is None:
        return [Tile("said", "The last call and what came", "", "", [], [], None, NO_CALL, "p-span-12")]
    states = (RENEWED, LOST, OPEN)

    def sums(name: str) -> list[Decimal]:
        return [sum((getattr(one, name) for one in said.lines if one.state == state), Decimal(0)) for state in states]

    columns = [
        Column("Said", Kind.MONEY, sums("said_amount"), "call"),
        Column("Came", Kind.MONEY, sums("came_amount"), "won"),
    ]
    unit = unit_text(frame.currency, *columns)
    empty = f"Nothing that was due by {said.last_on:%d %b %Y} was open in that call, for this choice of filters."
    hidden = (
        (f"Not in any of these: {renewals(said.hidden_count)} that you do not see at present.",)
        if said.hidden_count
        else ()
    )
    picture = tile(
        "said",
        f"Call of {said.snapshot.as_of_on:%d %b %Y} and what came, {unit}",
        f"What was open then and due by {said.last_on:%d %b}, by what became of it; at the rates of the call."
        + (" Region, industry, currency and booking type are those of today." if frame.scope.slice else ""),
        labels=states if said.lines else [],
        label_head="Now",
        columns=columns if said.lines else [],
        figure=bars(columns, states, frame.currency, mode="group") if said.lines else None,
        empty=empty,
        span="p-span-12",
        notes=hidden,
        currency=frame.currency,
    )
    return [picture, _lines_tile(frame, said, empty)]


def _lines_tile(frame: Frame, said: Said, empty: str) -> Tile:
    shown, rest = said.lines[:LINES_SHOWN], said.lines[LINES_SHOWN:]

    def cells(lines: Sequence[Line]) -> list[Cell]:
        amounts = [sum((getattr(one, name) for one in lines), Decimal(0)) for name in ("said_amount", "came_amount")]
        return [Cell(one, Kind.MONEY) for one in (*amounts, amounts[1] - amounts[0])]

    rows = [
        Row(
            f"{line.renewal.account}, due {line.renewal.due_on:%d %b}: {line.state.lower()}",
            [Cell(line.confidence, Kind.RATE), Cell(line.probability, Kind.RATE), *cells([line])],
            _url(frame, line.renewal),
        )
        for line in shown
    ]
    blanks = [Cell(None, Kind.RATE)] * 2
    if rest:
        rows.append(Row(f"{len(rest):,} more", [*blanks, *cells(rest)]))
    if rows:
        rows.append(Row("Together", [*blanks, *cells(said.lines)], is_total=True))
    sign = currency_sign(frame.currency)
    return Tile(
        "lines",
        "Line by line",
        "Confidence and probability as they were frozen; the largest difference first.",
        "Renewal",
        ["Confidence", "Probability", f"Said, {sign}", f"Came, {sign}", f"Difference, {sign}"],
        rows,
        None,
        empty,
        "p-span-12",
    )

"""The tiles of the timing page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from accounts.models import Segment
from accounts.strip import Total as StripTotal
from accounts.templatetags.money import SPACE, compact_money, currency_sign, exact_rate
from dashboards.figures import FIGURES
from dashboards.frame import Frame, PeriodTotal
from dashboards.retention.page import NOTHING_DUE, column, current_label
from dashboards.rollups import AGES, DELAYS
from dashboards.rollups.reading import Total
from dashboards.tiles import Column, Kind, Number, Tile, bars, lines, tile, unit_text
from dashboards.timing.habits import habits_tile

CLASSES: Final = (("early", "Early"), ("on_time", "On time"), ("late", "Late"), ("win_back", "Win-back"))
CURVES: Final = 4
NOTHING_ORDERED: Final = "No order has come in for these periods, for this choice of filters."


def build_totals(frame: Frame, totals: Sequence[PeriodTotal], chosen: PeriodTotal) -> list[StripTotal]:
    shown = [("on_time", "early and on time"), ("in_period", "frozen" if chosen.is_over else "so far"), ("final", "")]
    strip = [
        StripTotal(
            f"{FIGURES[key].title.removesuffix(' rate')}, {chosen.label}",
            frame.text(key, chosen.total),
            qualifier,
            FIGURES[key].formula,
            frame.explain_url(key, chosen),
        )
        for key, qualifier in shown
    ]
    past_due = sum(one.total.sums["past_due_cents"] for one in totals)
    past_due_count = sum(one.total.sums["past_due_count"] for one in totals)
    strip += [
        StripTotal(
            f"{FIGURES[key].title}, {chosen.label}",
            compact_money(frame.value(key, chosen.total), frame.currency),
            f"{chosen.total.sums[count]:,}",
            FIGURES[key].formula,
            frame.explain_url(key, chosen),
        )
        for key, count in (("late_value", "late_count"), ("win_back", "win_back_count"))
    ]
    strip.append(
        StripTotal(
            "Open past due",
            compact_money(Decimal(past_due) / 100, frame.currency),
            f"{past_due_count:,}" if past_due_count else "none",
            FIGURES["past_due"].formula,
            frame.scope.rows_url(
                timing=("in_window", "overdue"), due_to=frame.as_of - dt.timedelta(days=1), sort="due_on"
            ),
        )
    )
    return strip


def build_tiles(frame: Frame, totals: Sequence[PeriodTotal], chosen: PeriodTotal) -> list[Tile]:
    return [
        mix_tile(frame, totals, "value"),
        mix_tile(frame, totals, "count"),
        rates_tile(frame, totals),
        curve_tile(frame, totals, chosen),
        segments_tile(frame, chosen),
        ageing_tile(frame, totals),
        lateness_tile(frame, totals, chosen),
        habits_tile(frame),
    ]


def _figure_of(name: str, what: str) -> str:
    return f"{name}_count" if what == "count" else "win_back" if name == "win_back" else f"{name}_value"


def mix_tile(frame: Frame, totals: Sequence[PeriodTotal], what: str) -> Tile:
    """Shares of each class in what was ordered of each cohort, by value or by count."""
    labels = [one.label for one in totals]
    parts = [
        column(frame, _figure_of(name, what), totals, name.replace("_", "-"), name=label, timing=name)
        for name, label in CLASSES
    ]
    shares = [
        Column(f"{part.name}, %", Kind.RATE, _shares(part, parts), part.colour, part.rows_urls, part.urls)
        for part in parts
    ]
    drawn_shares = [
        Column(part.name, Kind.RATE, share.numbers, part.colour, part.rows_urls)
        for part, share in zip(parts, shares, strict=True)
    ]
    figure = bars(drawn_shares, labels, "", mode="stack", current=current_label(totals))
    figure.update_yaxes(range=[0, 100])
    has_any = any(number for part in parts for number in part.numbers)
    title = "value" if what == "value" else "count"
    unit = f", {currency_sign(frame.currency)}" if what == "value" else ""
    above = ", with what came above the baseline" if what == "value" else ""
    return tile(
        f"mix-{what}",
        f"Timing of orders by {frame.grain} due, % of {title}",
        f"Of what was renewed or won back of each cohort{above}. A win-back had lapsed: it is no renewal.",
        labels=labels,
        label_head=frame.grain.capitalize(),
        columns=[*shares, *(Column(f"{p.name}{unit}", p.kind, p.numbers, p.colour, p.rows_urls, p.urls) for p in parts)]
        if has_any
        else [],
        figure=figure if has_any else None,
        empty=NOTHING_ORDERED,
    )


def _shares(part: Column, parts: Sequence[Column]) -> list[Number]:
    """None where nothing was ordered."""
    found: list[Number] = []
    for at, number in enumerate(part.numbers):
        whole = sum(Decimal(one.numbers[at] or 0) for one in parts)
        found.append(Decimal(number or 0) / whole if whole else None)
    return found


def rates_tile(frame: Frame, totals: Sequence[PeriodTotal]) -> Tile:
    columns = [
        column(frame, "final", totals, "won", name="Final"),
        column(frame, "in_period", totals, "expected", name="In period"),
        column(frame, "on_time", totals, "late", name="On time"),
    ]
    labels = [one.label for one in totals]
    moving = [one.total.sums["open_count"] + one.total.sums["past_due_count"] > 0 for one in totals]
    shown = [
        Column(
            one.name,
            one.kind,
            [n if at.is_over else None for n, at in zip(one.numbers, totals, strict=True)],
            one.colour,
            one.rows_urls,
        )
        for one in columns
    ]
    return tile(
        "in-period",
        f"In period and final by {frame.grain}, % of what was due",
        "In period is frozen on the last day; final moves until the last trailing order is in (hollow points). "
        "What lies between them came late.",
        labels=labels,
        label_head=frame.grain.capitalize(),
        columns=columns,
        figure=lines(shown, labels, current=current_label(totals), hollow=moving)
        if any(one.total.sums["due_cents"] for one in totals)
        else None,
        empty=NOTHING_DUE,
    )


def curve_tile(frame: Frame, totals: Sequence[PeriodTotal], chosen: PeriodTotal) -> Tile:
    """Share of what was due that was kept by so many days after the due day: the chosen period and those before it."""
    at = next(place for place, one in enumerate(totals) if one is chosen)
    shown = [one for one in totals[max(at - CURVES + 1, 0) : at + 1] if one.total.sums["due_cents"]]
    labels = [_by_day(day) for day in DELAYS]
    colours = ("total", "late", "expected", "won")[-len(shown) :] if shown else ()
    columns = [
        Column(one.label, Kind.RATE, curve_of(one.total, frame.as_of), colour)
        for one, colour in zip(shown, colours, strict=True)
    ]
    return tile(
        "curve",
        "Trailing curve, % of what was due",
        "Kept by so many days after the due day, each renewal by its own. A line ends where part of its cohort is not "
        "that old yet.",
        labels=labels,
        label_head="Kept by",
        columns=columns,
        figure=lines(columns, labels) if columns else None,
        empty=NOTHING_DUE,
    )


def curve_of(total: Total, as_of: dt.date) -> list[Number]:
    """Share of atr kept by each day of DELAYS after the due day; None where part of the cohort is not that old."""
    due = total.sums["due_cents"]
    if not due or total.last_due_on is None:
        return [None] * len(DELAYS)
    oldest = (as_of - total.last_due_on).days
    kept, shares = 0, list[Number]()
    for day, cents in zip(DELAYS, total.classes["delay_kept_cents"], strict=False):
        kept += cents
        shares.append(Decimal(kept) / due if day <= oldest else None)
    return shares


def _by_day(day: int) -> str:
    return "due day" if day == 0 else f"{day:+}{SPACE}d".replace("-", "−")


def segments_tile(frame: Frame, chosen: PeriodTotal) -> Tile:
    """The same mix by segment, of the chosen period."""
    found = _by_segment(frame, chosen)
    labels = [label for label, _, _ in found]
    parts = [
        Column(
            label,
            Kind.MONEY,
            [
                FIGURES[_figure_of(name, "value")].value(total.sums, frame.attribution, frame.grain)
                for _, _, total in found
            ],
            name.replace("_", "-"),
            [frame.rows_url(chosen, timing=name, **_of_segment(key)) for _, key, _ in found],
            [_explained(frame, _figure_of(name, "value"), chosen, key) for _, key, _ in found],
        )
        for name, label in CLASSES
    ]
    shares = [
        Column(part.name, Kind.RATE, _shares(part, parts), part.colour, part.rows_urls, part.urls) for part in parts
    ]
    on_time = Column(
        "On-time rate, % of due",
        Kind.RATE,
        [FIGURES["on_time"].value(total.sums, frame.attribution, frame.grain) for _, _, total in found],
        urls=[_explained(frame, "on_time", chosen, key) for _, key, _ in found],
    )
    figure = bars(shares, labels, "", mode="stack") if found else None
    return tile(
        "segments",
        f"Timing of orders by segment, {chosen.label}, % of value",
        f"Of what was renewed or won back of what was due in {chosen.label}, with what came above the baseline.",
        labels=labels,
        label_head="Segment",
        columns=[*shares, on_time] if found else [],
        figure=figure,
        empty=NOTHING_ORDERED,
    )


def _by_segment(frame: Frame, one: PeriodTotal) -> list[tuple[str, int | None, Total]]:
    """(name, key, total) of the segments of which anything was ordered."""
    within = [cell for cell in frame.cells if one.starts_on <= cell.month_on <= one.ends_on]
    names: list[tuple[str, int | None]] = [(str(segment), segment.pk) for segment in Segment.objects.all()]
    found = []
    for name, key in [*names, ("No segment", None)]:
        total = Total.of(cell for cell in within if cell.segment_id == key)
        if any(total.sums[f"{part}_count"] for part, _ in CLASSES):
            found.append((name, key, total))
    return found


def _of_segment(key: int | None) -> dict[str, object]:
    return {"segment": key} if key is not None else {}


def _explained(frame: Frame, figure: str, one: PeriodTotal, segment: int | None) -> str:
    """No address names what has no segment."""
    return frame.explain_url(figure, one, segment=segment) if segment is not None else ""


def ageing_tile(frame: Frame, totals: Sequence[PeriodTotal]) -> Tile:
    """What is open past its due day, by how long: neither renewed nor lost."""
    whole = Total.of(frame.cells)
    labels = [_weeks(first, last) for first, last in _classes(AGES)]
    urls = [_aged_url(frame, first, last) for first, last in _classes(AGES)]
    counts = Column("Renewals", Kind.COUNT, whole.classes["age_counts"], "late", urls, urls)
    amounts = Column(
        f"Baseline, {currency_sign(frame.currency)}", Kind.MONEY, _money(whole.classes["age_cents"]), "late", urls, urls
    )
    has_any = any(counts.numbers)
    return tile(
        "ageing",
        f"Open past due by age, {unit_text(frame.currency, amounts)}",
        "By weeks since the due day. Within tolerance these are neither renewed nor lost; after it they lapse.",
        labels=labels,
        label_head="Past due for",
        columns=[amounts, counts] if has_any else [],
        figure=bars([amounts], labels, frame.currency, mode="group") if has_any else None,
        empty="Nothing is open past its due day.",
    )


def _aged_url(frame: Frame, first: int, last: int | None) -> str:
    bounds: dict[str, object] = {"due_to": frame.as_of - dt.timedelta(days=first)}
    if last is not None:
        bounds["due_from"] = frame.as_of - dt.timedelta(days=last)
    return frame.scope.rows_url(timing=("in_window", "overdue"), **bounds)


def _classes(ends: Sequence[int]) -> list[tuple[int, int | None]]:
    """First and last day of each class after the due day; the last one has no end."""
    starts = [1, *(end + 1 for end in ends)]
    return list(zip(starts, [*ends, None], strict=True))


def _weeks(first: int, last: int | None) -> str:
    if last is None:
        return f"> {(first - 1) // 7}{SPACE}wk".replace(" ", SPACE)
    if first == 1:
        return f"≤{SPACE}{last // 7}{SPACE}wk"
    return f"{(first - 1) // 7} to {last // 7} wk".replace(" ", SPACE)


def _money(cents: Sequence[int]) -> list[Number]:
    return [Decimal(one) / 100 for one in cents]


def lateness_tile(frame: Frame, totals: Sequence[PeriodTotal], chosen: PeriodTotal) -> Tile:
    """What was ordered after the due day, by weeks: the chosen period beside the one before it."""
    at = next(place for place, one in enumerate(totals) if one is chosen)
    shown = totals[max(at - 1, 0) : at + 1]
    first = DELAYS.index(0) + 1
    ends = DELAYS[first:]
    labels = [_weeks(begin, end) for begin, end in _classes(ends)]
    amounts = [
        Column(
            f"{one.label}, {currency_sign(frame.currency)}",
            Kind.MONEY,
            _money(one.total.classes["delay_kept_cents"][first:]),
            colour,
        )
        for one, colour in zip(shown, ("total", "late")[-len(shown) :], strict=True)
    ]
    counts = [Column(f"{one.label}, count", Kind.COUNT, one.total.classes["delay_counts"][first:]) for one in shown]
    has_any = any(number for one in counts for number in one.numbers)
    return tile(
        "lateness",
        f"Ordered after the due day, by weeks, {unit_text(frame.currency, *amounts)}",
        "Kept value by calendar weeks after the due day, days of grace included.",
        labels=labels,
        label_head="After the due day",
        columns=[*amounts, *counts] if has_any else [],
        figure=bars(amounts, labels, frame.currency, mode="group") if has_any else None,
        empty=f"Nothing that was due in {chosen.label} was ordered after its due day.",
        span="p-span-12",
    )


def words(frame: Frame, chosen: PeriodTotal) -> str:
    """The page in a sentence."""
    in_period, final = (frame.value(key, chosen.total) for key in ("in_period", "final"))
    if in_period is None or final is None:
        return f"Nothing is due in {chosen.label} for this choice of filters."
    trailing = Decimal(final) - Decimal(in_period)
    return (
        f"{chosen.label}: {exact_rate(in_period)} of what was due was in by the last day, {exact_rate(final)} by now; "
        f"{exact_rate(trailing)} trailed in after it."
    )

"""The tiles of the retention page."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from accounts.strip import Total
from accounts.templatetags.money import compact_money, currency_sign, exact_rate
from dashboards.figures import FIGURES
from dashboards.frame import Frame, PeriodTotal
from dashboards.retention.cohorts import cohort_tiles
from dashboards.retention.effects import Effect, effects_of
from dashboards.retention.recurring import recurring_tiles
from dashboards.retention.waterfall import waterfall_tile
from dashboards.tiles import Cell, Column, Kind, Row, Tile, bars, lines, text_of, tile
from forecasting.overview.dashboard import WON
from forecasting.pictures import Drawing, drawn

NOTHING_DUE: Final = (
    "No rate: nothing was due in these periods for this choice of filters, so there is nothing to divide by."
)


def build_totals(frame: Frame, chosen: PeriodTotal) -> list[Total]:
    """Six figures of the chosen period, each with where it is taken apart."""
    shown = [("gross", frame.counted_as), ("net", "with expansion"), ("logo", "of accounts")]
    shown += [
        ("in_period", "frozen" if chosen.is_over else "so far"),
        ("final", "moves" if _moves(chosen) else "all in"),
    ]
    totals = [
        Total(
            f"{FIGURES[key].title.removesuffix(' renewal rate').removesuffix(' rate')}, {chosen.label}",
            frame.text(key, chosen.total),
            qualifier,
            FIGURES[key].formula,
            frame.explain_url(key, chosen),
        )
        for key, qualifier in shown
    ]
    due = frame.value("due", chosen.total)
    return [
        Total(
            f"Due, {chosen.label}",
            compact_money(due, frame.currency),
            f"{chosen.total.sums['due_count']:,}",
            FIGURES["due"].formula,
            frame.explain_url("due", chosen),
        ),
        *totals,
    ]


def _moves(one: PeriodTotal) -> bool:
    return one.total.sums["open_count"] + one.total.sums["past_due_count"] > 0


def build_tiles(frame: Frame, totals: Sequence[PeriodTotal], chosen: PeriodTotal) -> list[Tile]:
    return [
        rates_tile(frame, totals),
        waterfall_tile(frame, chosen),
        reconciliation_tile(frame, chosen),
        conversion_tile(frame, totals),
        effects_tile(frame, totals, chosen),
        *(_recurring(frame) if frame.scope.slice.is_of_accounts else [unsliced_tile(frame)]),
    ]


def _recurring(frame: Frame) -> list[Tile]:
    return [*recurring_tiles(frame), *cohort_tiles(frame)]


def unsliced_tile(frame: Frame) -> Tile:
    """In the place of recurring revenue, which is of contracts: they are renewed in any currency and way."""
    title = "Revenue retention, recurring revenue and cohorts"
    return Tile("unsliced", title, "", "", [], [], empty=frame.not_sliced, span="p-span-12")


def column(
    frame: Frame,
    key: str,
    totals: Sequence[PeriodTotal],
    colour: str,
    *,
    name: str = "",
    of_over: bool = False,
    **filters: object,
) -> Column:
    """A figure along the periods; `of_over` leaves the running one out of it, `filters` name the rows behind it."""
    figure = FIGURES[key]
    return Column(
        name or figure.title,
        figure.kind,
        [frame.value(key, one.total) if one.is_over or not of_over else None for one in totals],
        colour,
        [frame.rows_url(one, **filters) for one in totals],
        [frame.explain_url(key, one) for one in totals],
    )


def current_label(totals: Sequence[PeriodTotal]) -> str:
    return totals[-1].label


def rates_tile(frame: Frame, totals: Sequence[PeriodTotal]) -> Tile:
    columns = [
        column(frame, "net", totals, "expected", name="Net"),
        column(frame, "gross", totals, "won", name="Gross"),
        column(frame, "logo", totals, "call", name="Logo"),
        column(frame, "in_period", totals, "total", name="In period"),
    ]
    labels = [one.label for one in totals]
    hollow = [_moves(one) for one in totals]
    return tile(
        "rates",
        f"Renewal rates by {frame.grain}, % of what was due",
        f"Counted {frame.counted_as}; hollow points still move. The running {frame.grain} is mostly undecided."
        if any(hollow)
        else f"Counted {frame.counted_as}.",
        labels=labels,
        label_head=frame.grain.capitalize(),
        columns=[*columns, column(frame, "due", totals, "total"), column(frame, "kept", totals, "won", timing=WON)],
        figure=lines(_drawn_while_over(columns, totals), labels, current=current_label(totals), hollow=hollow)
        if _any_due(totals)
        else None,
        empty=NOTHING_DUE,
        span="p-span-6",
        currency=frame.currency,
    )


def _any_due(totals: Sequence[PeriodTotal]) -> bool:
    return any(one.total.sums["due_cents"] for one in totals)


def _drawn_while_over(columns: Sequence[Column], totals: Sequence[PeriodTotal]) -> list[Column]:
    """Without the running period, whose rate so far would read as a collapse."""
    return [
        Column(
            one.name,
            one.kind,
            [number if at.is_over else None for number, at in zip(one.numbers, totals, strict=True)],
            one.colour,
            one.rows_urls,
        )
        for one in columns
    ]


def reconciliation_tile(frame: Frame, chosen: PeriodTotal) -> Tile:
    """From the cohort to what counts by order period, and hybrid."""
    due = chosen.total.sums["due_cents"]

    def row(label: str, key: str, *, attribution: str = "", is_total: bool = False) -> Row:
        counted = attribution or frame.attribution
        amount = FIGURES[key].value(chosen.total.sums, counted, frame.grain)
        share = Decimal(amount) * 100 / due if due and amount is not None else None
        url = frame.explain_url(key, chosen, **({"attribution": attribution} if attribution else {}))
        return Row(label, [Cell(amount, Kind.MONEY, url), Cell(share, Kind.RATE)], is_total=is_total)

    rows = [
        row("Kept by due period: the cohort, at any order date", "kept", attribution="due_period", is_total=True),
        row("less ordered after the period", "after"),
        row("and late orders of earlier periods", "ordered_overdue"),
        row("Kept, hybrid", "kept", attribution="hybrid", is_total=True),
        row("less ordered before the period", "before"),
        row("and early orders of later periods", "ordered_ahead"),
        row("Kept by order period", "kept", attribution="order_period", is_total=True),
    ]
    has_any = due or any(cell.number for one in rows for cell in one.cells)
    return Tile(
        "reconciliation",
        f"What attribution does, {chosen.label}",
        f"This page counts {frame.counted_as}. The same orders, counted in three ways, and what lies between.",
        f"Kept, {currency_sign(frame.currency)}",
        ["Amount", "Of due"],
        rows if has_any else [],
        empty=f"Nothing is due in {chosen.label}, and nothing was ordered in it, for this choice of filters.",
        span="p-span-6",
    )


def conversion_tile(frame: Frame, totals: Sequence[PeriodTotal]) -> Tile:
    columns = [
        column(frame, "resolution", totals, "total"),
        column(frame, "close", totals, "won"),
        column(frame, "conversion", totals, "commit"),
        column(frame, "cohort_net", totals, "expected", name="Their product, net"),
    ]
    labels = [one.label for one in totals]
    return tile(
        "conversion",
        f"Resolution × close × conversion by {frame.grain}, %",
        "What was decided of what was due; what was won of that; what a won one is worth against its baseline. "
        "Their product is the net rate of the cohort.",
        labels=labels,
        label_head=frame.grain.capitalize(),
        columns=columns,
        figure=lines(_drawn_while_over(columns, totals), labels, current=current_label(totals))
        if _any_due(totals)
        else None,
        empty=NOTHING_DUE,
    )


def effects_tile(frame: Frame, totals: Sequence[PeriodTotal], chosen: PeriodTotal) -> Tile:
    """Why the gross rate moved against the period before: by segment, rates and mix."""
    at = next(place for place, one in enumerate(totals) if one is chosen)
    before = totals[at - 1] if at else None
    found = effects_of(frame, before, chosen) if before else []
    title = f"Rate and mix, {chosen.label}" + (f" against {before.label}" if before else "")
    change = sum((one.rate_effect + one.mix_effect for one in found), Decimal(0))
    columns = [
        Column("Rate effect", Kind.POINTS, [one.rate_effect for one in found], "won"),
        Column("Mix effect", Kind.POINTS, [one.mix_effect for one in found], "expected"),
    ]
    labels = [one.segment for one in found]
    rows = [_effect_row(one) for one in found]
    if found:
        sums = [sum((getattr(one, name) for one in found), Decimal(0)) for name in ("rate_effect", "mix_effect")]
        rows.append(
            Row(
                "Change of the gross rate",
                [*(Cell(one, Kind.POINTS) for one in (*sums, change)), *_blanks(4)],
                is_total=True,
            )
        )
    return Tile(
        "effects",
        f"{title}, points",
        f"The gross rate of the cohort changed by {text_of(change, Kind.POINTS)} points: a segment that renews "
        "better or worse is a rate effect, one that weighs more or less than before a mix effect."
        if found
        else "",
        "Segment",
        ["Rate effect", "Mix effect", "Together", "Rate before", "Rate", "Weight before", "Weight"],
        rows,
        drawn(_effects_figure(columns, labels)) if found else None,
        "There is no period before this one among those shown, or nothing was due in one of the two.",
        "p-span-12",
    )


def _effects_figure(columns: Sequence[Column], labels: Sequence[str]) -> Drawing:
    """Points are drawn as rates are, without their sign."""
    figure = bars(
        [Column(one.name, Kind.RATE, one.numbers, one.colour) for one in columns], labels, "", mode="relative"
    )
    figure.update_yaxes(ticksuffix="")
    return figure


def _blanks(count: int) -> list[Cell]:
    return [Cell(None, Kind.RATE) for _ in range(count)]


def _effect_row(one: Effect) -> Row:
    return Row(
        one.segment,
        [
            Cell(one.rate_effect, Kind.POINTS),
            Cell(one.mix_effect, Kind.POINTS),
            Cell(one.rate_effect + one.mix_effect, Kind.POINTS),
            *(Cell(rate, Kind.RATE) for rate in (one.rate_before, one.rate, one.weight_before, one.weight)),
        ],
    )


def words(frame: Frame, chosen: PeriodTotal) -> str:
    """The page in a sentence."""
    gross, net = (frame.value(key, chosen.total) for key in ("gross", "net"))
    if gross is None:
        return f"Nothing is due in {chosen.label} for this choice of filters."
    kept = f"{chosen.label} kept {exact_rate(gross)} of what was due"
    return f"{kept}, {exact_rate(net)} with expansion, {frame.counted_as}."

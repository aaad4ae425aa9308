"""What a period lost, to what, and what changed against the period before it: parts that add up to the change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import numpy as np

from accounts.models import Segment, User
from accounts.templatetags.money import exact_money
from dashboards.frame import Frame, PeriodTotal
from dashboards.risk.reading import CHURN, DOWNSELL, Contributor, Lost
from dashboards.tiles import Cell, Column, Kind, Row, Tile, bars, in_currency, unit_text
from forecasting.engine.arrays import NO_ID
from forecasting.overview.dashboard import LOST, WON
from forecasting.pictures import Drawing, drawn
from renewals.models import ChurnReason, Renewal

SHOWN: Final = 25
DRAWN: Final = 8
BOOKINGS: Final = {CHURN: "Churn", DOWNSELL: "Downsell"}
TIMINGS: Final = {CHURN: LOST, DOWNSELL: WON}
AVOIDABLE, UNAVOIDABLE, UNKNOWN = "Avoidable", "Not avoidable", "No reason given"
NO_PRODUCT: Final = "No product"
HEADS: Final = ("Before", "Now", "Change")
NOT_THEN: Final = "Reasons of churn are shown as they are known now. Go back to now to see them."


class Names:
    """What the ids of contributors are called, of owners those that are shown."""

    def __init__(self, lost: Lost) -> None:
        reasons = list(ChurnReason.objects.filter(pk__in=np.unique(lost.arrays["reason_id"]).tolist()))
        owner_ids = {one.owner_id for one in lost.most(SHOWN)} | {key for key, *_ in lost.by("owner_id")[:SHOWN]}
        owners = User.objects.filter(pk__in=owner_ids)
        self.reasons: Mapping[int, str] = {NO_ID: UNKNOWN, **{one.pk: str(one) for one in reasons}}
        self.avoidable: Mapping[int, str] = {
            NO_ID: UNKNOWN,
            **{one.pk: AVOIDABLE if one.is_avoidable else UNAVOIDABLE for one in reasons},
        }
        self.segments: Mapping[int, str] = {
            NO_ID: "No segment",
            **{one.pk: str(one) for one in Segment.objects.all()},
        }
        self.owners: Mapping[int, str] = {
            NO_ID: "No owner",
            **{pk: name or email for pk, name, email in owners.values_list("pk", "name", "email")},
        }
        examples = lost.examples()
        words = dict(Renewal.objects.filter(pk__in=examples.values()).order_by().values_list("pk", "contract__product"))
        self.products: Mapping[int, str] = {key: words.get(pk, "") for key, pk in examples.items()}

    def product(self, key: int) -> str:
        return self.products[key] or NO_PRODUCT

    def of(self, one: Contributor) -> str:
        return " · ".join(
            (
                self.reasons[one.reason_id],
                self.avoidable[one.reason_id],
                self.segments[one.segment_id],
                BOOKINGS[one.booking],
                self.owners[one.owner_id],
                self.product(one.product_id),
            )
        )


def churn_tiles(frame: Frame, before: PeriodTotal | None, chosen: PeriodTotal, lost: Lost) -> list[Tile]:
    names = Names(lost)
    return [
        contributors_tile(frame, before, chosen, lost, names),
        dimensions_tile(frame, before, chosen, lost, names),
    ]


def _title(words: str, before: PeriodTotal | None, chosen: PeriodTotal) -> str:
    return f"{words}, {chosen.label}" + (f" against {before.label}" if before else "")


def _money(cents: int) -> Decimal:
    return Decimal(cents) / 100


def _cells(before_cents: int, now_cents: int, urls: Sequence[str] = ("", "")) -> list[Cell]:
    change = now_cents - before_cents
    return [
        Cell(_money(before_cents), Kind.MONEY, urls[0]),
        Cell(_money(now_cents), Kind.MONEY, urls[1]),
        Cell(_money(change), Kind.MONEY),
    ]


def _nothing(frame: Frame, before: PeriodTotal | None, chosen: PeriodTotal) -> str:
    if frame.past is not None:
        return NOT_THEN
    periods = f"{before.label} and {chosen.label}" if before else chosen.label
    return f"Nothing of what was due in {periods} was lost or given up, for this choice of filters."


def contributors_tile(
    frame: Frame,
    before: PeriodTotal | None,
    chosen: PeriodTotal,
    lost: Lost,
    names: Names,
) -> Tile:
    """Every reason, segment, booking type, owner and product together, those that changed most first."""
    shown = lost.most(SHOWN)
    before_cents, now_cents = lost.sums
    rows = [
        Row(
            names.of(one),
            _cells(
                one.before_cents,
                one.now_cents,
                [_rows_url(frame, at, at, one, names) if at else "" for at in (before, chosen)],
            ),
        )
        for one in shown
    ]
    if len(lost) > len(shown):
        rest = _cells(
            before_cents - sum(one.before_cents for one in shown), now_cents - sum(one.now_cents for one in shown)
        )
        rows.append(Row(f"{len(lost) - len(shown):,} more that changed less", rest))
    rows.append(Row("All of them", _cells(before_cents, now_cents), is_total=True))
    change = now_cents - before_cents
    told = "more" if change >= 0 else "less"
    caption = (
        f"{exact_money(_money(now_cents), frame.currency)} lost or given up of what was due in {chosen.label}"
        + (f", {exact_money(_money(abs(change)), frame.currency)} {told} than in {before.label}" if before else "")
        + ". By reason, avoidable or not, segment, booking type, owner and product; the parts add up to the change."
    )
    drawn_ones = [one for one in shown if one.change_cents][:DRAWN]
    labels = [f"{number}" for number, _ in enumerate(drawn_ones, start=1)]
    told_of = [names.of(one) for one in drawn_ones]
    column = Column(
        "Change",
        Kind.MONEY,
        [_money(one.change_cents) for one in drawn_ones],
        "loss",
        [_rows_url(frame, before or chosen, chosen, one, names) for one in drawn_ones],
    )
    unit = f", {unit_text(frame.currency, column)}" if drawn_ones else ""
    return Tile(
        "contributors",
        _title("What contributed to churn", before, chosen) + unit,
        caption if len(lost) else "",
        "Reason, segment, booking type, owner, product",
        [in_currency(name, frame.currency) for name in HEADS],
        rows if len(lost) else [],
        drawn(_figure(frame, column, labels, told_of)) if drawn_ones else None,
        _nothing(frame, before, chosen),
        "p-span-12",
        ["Bars, from the left: " + "; ".join(f"{at} {one}" for at, one in zip(labels, told_of, strict=True)) + "."]
        if drawn_ones
        else (),
    )


def _figure(frame: Frame, column: Column, labels: Sequence[str], words: Sequence[str]) -> Drawing:
    """The change of each, numbered, for their names are too long to stand under a bar."""
    figure = bars([column], labels, frame.currency, mode="group")
    trace = figure.data[0]
    trace["customdata"] = [
        [data[0], f"{name.replace('<', '‹').replace('>', '›')}<br>{data[1].partition('<br>')[2]}"]
        for data, name in zip(trace["customdata"], words, strict=True)
    ]
    signs = [one is not None and one > 0 for one in column.numbers]
    trace["marker"]["color"] = [f"var(--p-chart-{'loss' if is_more else 'gain'})" for is_more in signs]
    figure.update_layout(showlegend=False)
    return figure


def _rows_url(frame: Frame, first: PeriodTotal, last: PeriodTotal, one: Contributor, names: Names) -> str:
    """The rows of these periods that are all of this; those of a downsell have renewed, whatever they gave up."""
    filters: dict[str, object] = {"timing": TIMINGS[one.booking]}
    filters["churn_reason"] = "none" if one.reason_id == NO_ID else one.reason_id
    filters["product"] = names.products[one.product_id] or "none"
    if one.segment_id != NO_ID and not frame.scope.segment:
        filters["segment"] = one.segment_id
    if one.owner_id != NO_ID and not frame.scope.owner:
        filters["owner"] = one.owner_id
    return frame.scope.rows_url(due_from=first.starts_on, due_to=last.ends_on, **filters)


def dimensions_tile(
    frame: Frame,
    before: PeriodTotal | None,
    chosen: PeriodTotal,
    lost: Lost,
    names: Names,
) -> Tile:
    """By each of them alone: each part of the table adds up to the same change."""
    rows: list[Row] = []
    for title, name, called in (
        ("Reason", "reason_id", names.reasons),
        ("Segment", "segment_id", names.segments),
        ("Booking type", "booking", BOOKINGS),
        ("Owner", "owner_id", names.owners),
        ("Product", "product_id", {key: names.product(key) for key in names.products}),
    ):
        parts = lost.by(name)
        if name == "reason_id":
            rows += _avoidable(parts, names)
        rows += [Row(f"{title}: {called[key]}", _cells(old, new)) for key, old, new in parts[:SHOWN]]
        if rest := parts[SHOWN:]:
            others = _cells(sum(old for _, old, _ in rest), sum(new for _, _, new in rest))
            rows.append(Row(f"{title}: {len(rest):,} more that changed less", others))
    rows.append(Row("All of each", _cells(*lost.sums), is_total=True))
    return Tile(
        "churn-by",
        _title("Churn by one thing at a time", before, chosen),
        "Avoidable or not, reasons, segments, booking types, owners and products, each by itself: each adds up to the "
        "last row.",
        "By",
        [in_currency(name, frame.currency) for name in HEADS],
        rows if len(lost) else [],
        None,
        _nothing(frame, before, chosen),
        "p-span-6",
    )


def _avoidable(parts: Sequence[tuple[int, int, int]], names: Names) -> list[Row]:
    called = {AVOIDABLE: "yes", UNAVOIDABLE: "no", UNKNOWN: "not known"}
    sums = {word: [0, 0] for word in called}
    for key, old, new in parts:
        sums[names.avoidable[key]][0] += old
        sums[names.avoidable[key]][1] += new
    return [Row(f"Avoidable: {called[word]}", _cells(old, new)) for word, (old, new) in sums.items()]

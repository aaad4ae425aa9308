"""The tiles of the risk page."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import Segment
from accounts.strip import Total
from accounts.templatetags.money import NOTHING, compact_money, currency_sign, exact_money
from dashboards.figures import FIGURES
from dashboards.frame import Frame, PeriodTotal
from dashboards.models import Side
from dashboards.risk.bubbles import NOT_THEN, bubbles_tile, names_of
from dashboards.risk.churn import churn_tiles
from dashboards.risk.reading import BANDS, Lost, OpenBook
from dashboards.rollups.opened import HEALTH, UNKNOWN
from dashboards.tiles import Cell, Column, Kind, Row, Tile, bars, tile, unit_text
from forecasting.engine.arrays import NO_ID
from forecasting.overview.dashboard import OPEN

WORDS: Final = {"high": "High", "medium": "Medium", "low": "Low", "unscored": "Not scored"}
COLOURS: Final = {"high": "loss", "medium": "late", "low": "commit", "unscored": "total"}
HEALTH_WORDS: Final = {
    "poor": ("Poor", "loss"),
    "watch": ("Watch", "late"),
    "healthy": ("Healthy", "won"),
    "unknown": ("Not known", "total"),
}
NOTHING_OPEN: Final = "Nothing is open for this choice of filters."


def build_tiles(
    frame: Frame,
    before: PeriodTotal | None,
    chosen: PeriodTotal,
    book: OpenBook,
    lost: Lost,
) -> list[Tile]:
    by_contributor, by_dimension = churn_tiles(frame, before, chosen, lost)
    return [
        bubbles_tile(frame, book),
        risk_tile(frame, book),
        health_tile(frame, book),
        misaligned_tile(frame, book),
        by_contributor,
        by_dimension,
        shift_tile(frame, book),
    ]


def build_totals(frame: Frame, chosen: PeriodTotal, book: OpenBook) -> list[Total]:
    """Six figures: of what is open now, and of what the period lost."""
    open_url = frame.scope.rows_url(timing=OPEN)

    def total(label: str, names: Sequence[str], meaning: str, url: str) -> Total:
        if frame.past is not None:
            return Total(label, NOTHING, "as of now only", NOT_THEN, "")
        amount = sum((_amount(book, name) for name in names), Decimal(0))
        count = sum(book.total(f"{name}_count") for name in names)
        title = f"{exact_money(amount, frame.currency)} in {count:,} open renewals. {meaning}"
        return Total(label, compact_money(amount, frame.currency), f"{count:,}", title, url)

    high_url = frame.scope.rows_url(timing=OPEN, risk="high", sort="-baseline_amount")
    return [
        total("Open", ["open"], "All that is open, past due too.", open_url),
        total("High risk", ["high"], "With a risk score of the highest band.", high_url),
        total("Poor health", ["poor"], "Of accounts of poor health.", _health_list(frame)),
        total("Misaligned", ["over", "under"], "Health says one thing, the forecast another.", ""),
        *(
            Total(
                f"{FIGURES[key].title}, {chosen.label}",
                compact_money(frame.value(key, chosen.total), frame.currency),
                f"{chosen.total.sums['lost_count']:,}" if key == "lost" else "",
                FIGURES[key].formula,
                frame.explain_url(key, chosen),
            )
            for key in ("lost", "downsell")
        ),
    ]


def words(frame: Frame, chosen: PeriodTotal, book: OpenBook, lost: Lost) -> str:
    """The page in a sentence."""
    if not chosen.total.sums["due_count"] and not book.total("open_count"):
        return f"Nothing is due in {chosen.label} for this choice of filters."
    if frame.past is not None:
        return NOT_THEN
    gone = Decimal(lost.sums[1]) / 100
    return (
        f"{compact_money(_amount(book, 'high'), frame.currency)} of "
        f"{compact_money(_amount(book, 'open'), frame.currency)} open is at high risk; "
        f"{compact_money(gone, frame.currency)} of what was due in {chosen.label} is lost or given up."
    )


def _amount(book: OpenBook, name: str) -> Decimal:
    return Decimal(book.total(f"{name}_cents")) / 100


def _amount_in(book: OpenBook, name: str, segment: int) -> Decimal:
    return Decimal(book.sums[segment][f"{name}_cents"]) / 100


def _segments(book: OpenBook) -> list[tuple[int, str]]:
    """Those with something open, in their order."""
    names = [(segment.pk, str(segment)) for segment in Segment.objects.all()]
    return [(key, name) for key, name in [*names, (NO_ID, "No segment")] if key in book.sums]


def risk_tile(frame: Frame, book: OpenBook) -> Tile:
    segments = _segments(book)
    bands = [band for band in BANDS if band != "unscored" or book.total("unscored_count")]
    columns = [
        Column(
            WORDS[band],
            Kind.MONEY,
            [_amount_in(book, band, key) for key, _ in segments],
            COLOURS[band],
            [_segment_url(frame, key, band) for key, _ in segments],
            [_segment_url(frame, key, band) for key, _ in segments],
        )
        for band in bands
    ]
    whole = [_amount_in(book, "open", key) for key, _ in segments]
    labels = [name for _, name in segments]
    unit = unit_text(frame.currency, *columns)
    return tile(
        "risk-segments",
        f"Open by risk and segment, {unit}",
        "Baselines of what is open, by the band of its risk score.",
        labels=labels,
        label_head="Segment",
        columns=[*columns, Column("All", Kind.MONEY, whole)],
        figure=bars(columns, labels, frame.currency, mode="stack") if segments else None,
        empty=NOT_THEN if frame.past is not None else NOTHING_OPEN,
        currency=frame.currency,
    )


def _segment_url(frame: Frame, key: int, band: str) -> str:
    """What has lapsed counts as lost. No address names what has no segment, or no score."""
    if key == NO_ID or band == "unscored":
        return ""
    segment = {} if frame.scope.segment else {"segment": key}
    return frame.scope.rows_url(timing=OPEN, risk=band, **segment)


def health_tile(frame: Frame, book: OpenBook) -> Tile:
    """Accounts with something open, by how well they are."""
    segments = _segments(book)
    columns = [
        Column(
            word,
            Kind.COUNT,
            [book.sums[key][f"{health}_accounts"] for key, _ in segments],
            colour,
            [_health_url(frame, HEALTH[health], key) for key, _ in segments],
            [_health_url(frame, HEALTH[health], key) for key, _ in segments],
        )
        for health, (word, colour) in HEALTH_WORDS.items()
    ]
    value = [_amount_in(book, "poor", key) for key, _ in segments]
    labels = [name for _, name in segments]
    return tile(
        "health-segments",
        "Accounts with something open, by health and segment",
        "Each account once. The table has what is open of those of poor health too.",
        labels=labels,
        label_head="Segment",
        columns=[*columns, Column(f"Open of poor, {currency_sign(frame.currency)}", Kind.MONEY, value)],
        figure=bars(columns, labels, frame.currency, mode="stack") if segments else None,
        empty=NOT_THEN if frame.past is not None else NOTHING_OPEN,
    )


def _health_list(frame: Frame) -> str:
    """Nowhere from a slice: the list of healths is not told apart by region, industry or currency."""
    return "" if frame.scope.slice else reverse("health:list")


def _health_url(frame: Frame, band: int, key: int) -> str:
    if frame.scope.slice:
        return ""
    query = {"band": "unknown" if band == UNKNOWN else band} | ({"segment": key} if key != NO_ID else {})
    return f"{reverse('health:list')}?{urlencode(query)}"


def misaligned_tile(frame: Frame, book: OpenBook) -> Tile:
    """Where health and forecast say different things, the largest first."""
    own = book.misaligned
    is_over = own["side"] == Side.OVER
    table = [
        Row(
            f"{name} · {'poor health, but forecast' if is_over[at] else 'healthy, but doubted'}",
            [
                Cell(Decimal(int(own["baseline_cents"][at])) / 100, Kind.MONEY),
                Cell(round(float(own["health_score"][at])), Kind.COUNT),
                Cell(Decimal(str(round(float(own["probability"][at]), 4))), Kind.RATE),
            ],
            reverse("account_page:page", args=[int(own["account_id"][at])]),
        )
        for at, name in enumerate(names_of(frame, own))
    ]
    both = [
        f"{compact_money(_amount(book, side), frame.currency)} in {book.total(f'{side}_count'):,}"
        for side in ("over", "under")
    ]
    return Tile(
        "misaligned",
        "Health against forecast",
        f"Poor health, but in commit or 70 % or more likely to renew: {both[0]}. Healthy, but less than 50 % likely: "
        f"{both[1]}. The {len(table)} largest.",
        "Renewal",
        [f"Value, {currency_sign(frame.currency)}", "Health", "Forecast probability"],
        table,
        None,
        NOT_THEN if frame.past is not None else "Nowhere do health and forecast contradict each other.",
        "p-span-12",
    )


def shift_tile(frame: Frame, book: OpenBook) -> Tile:
    """What the renewals that cost the forecast most would bring if they were sure, and the way to shift them."""
    own = book.doubted
    ids = own["renewal_id"].tolist()
    table = [
        Row(
            name,
            [
                Cell(Decimal(str(round(float(own["probability"][at]), 4))), Kind.RATE),
                Cell(Decimal(int(own["doubt_cents"][at])) / 100, Kind.MONEY),
            ],
            _what_if_url([ids[at]]),
        )
        for at, name in enumerate(names_of(frame, own))
    ]
    if ids:
        together = Cell(Decimal(int(own["doubt_cents"].sum())) / 100, Kind.MONEY)
        table.append(
            Row(f"These {len(ids)} together", [Cell(None, Kind.RATE), together], _what_if_url(ids), is_total=True)
        )
    return Tile(
        "shift",
        "What if these were likelier",
        "The open renewals whose doubt costs the forecast most, and what each would add to it if it were sure. Each "
        "opens the what-if page with its likelihood ready to be shifted, and shows what overall retention becomes.",
        "Renewal",
        ["Probability", f"If sure, {currency_sign(frame.currency)}"],
        table,
        None,
        NOT_THEN if frame.past is not None else "No open renewal is in doubt.",
        "p-span-6",
    )


def _what_if_url(ids: Sequence[int]) -> str:
    return f"{reverse('forecasting:scenarios:new')}?{urlencode({'ids': ','.join(map(str, ids))})}"

"""The tiles of the scorecards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, lru_cache, partial
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse

from accounts.strip import Total as StripTotal
from accounts.templatetags.money import compact_money, currency_sign, exact_rate
from dashboards.figures import FIGURES
from dashboards.frame import Frame, PeriodTotal
from dashboards.models.cells import SUMS
from dashboards.people import LISTED, NAME, Leaf, leaf_of, orders_of
from dashboards.rollups.reading import Total
from dashboards.scorecards.credit import DECISION, ByPeriod, read_credited, read_moved, together
from dashboards.scorecards.fair import Fair, judge_groups
from dashboards.scorecards.kept import Owners, read_group, read_moves, read_owners
from dashboards.scorecards.measures import add_hygiene, of_owners, read_calls, read_hygiene
from dashboards.scorecards.people import Group, Person, Shown, read_shown
from dashboards.scorecards.pictures import expected_figure
from dashboards.scorecards.recurring import Recurring, recurring_tile
from dashboards.tiles import Cell, Column, Kind, Number, Row, Tile, lines, tile
from forecasting.engine.calls import Tally, total
from forecasting.engine.probability import MINIMUM_CALLS

NOT_THEN: Final = "Kept as it is now, not as at past moments. Go back to now to see it."
CREDIT: Final = "A decided renewal counts for who owned it on the day of the decision, an open one for its owner."
RATES: Final = ("gross", "net", "on_time")
ORDERED: Final = ("due_count", "due", "kept", *RATES)


@dataclass(frozen=True, eq=False)
class Cards:
    """What all tiles are made of: totals by owner in the period chosen, and by period of who the page is about."""

    frame: Frame
    shown: Shown
    periods: Sequence[PeriodTotal]
    chosen: PeriodTotal
    owners: Owners
    trends: Mapping[Group, ByPeriod]  # of the focus and of everybody
    moved: Mapping[int, int]  # owners on the day of the decision, of those that have another one now
    added: dict[Group, Total] = field(default_factory=dict)  # what was asked for before

    def total(self, group: Group, one: PeriodTotal | None = None) -> Total:
        """In the period chosen; of the focus and of everybody in any period."""
        if one is not None and one is not self.chosen:
            return self.trends[group][one.starts_on]
        if group not in self.added:
            self.added[group] = self.owners.total(group.owner_ids)
        return self.added[group]

    def value(self, key: str, total: Total) -> Number:
        return self.frame.value(key, total)

    @cached_property
    def judged(self) -> dict[Group, Fair | None]:
        """Of each that is shown, and of the one person that the page is about."""
        frame = self.frame
        if frame.roll_up is None or frame.past is not None:
            return {}
        shown = [group for group, _ in self.lines] + ([self.shown.focus] if self.shown.is_of_one else [])
        groups = list(dict.fromkeys(shown))
        found = judge_groups(frame.roll_up, self.chosen.period, frame.scope, self.moved, groups)
        return dict(zip(groups, found, strict=True))

    def judge(self, group: Group) -> Fair | None:
        return self.judged.get(group)

    @cached_property
    def listed(self) -> Leaf[Group | Person]:
        """The page of teams, and of people with something due, that has cards."""
        named, working = self.shown.named, self.owners.working
        return leaf_of(
            self.frame.scope,
            [self.shown.teams, [one for one in named if one.pk in working or len(named) == 1]],
            name=lambda one: one.name,
            measures={key: partial(self.measure, key) for key in ORDERED},
            is_whole=self.frame.is_whole,
        )

    def measure(self, key: str, one: Group | Person) -> float | None:
        value = self.value(key, self.owners.total(self.shown.group_of(one).owner_ids))
        return None if value is None else float(value)

    @cached_property
    def lines(self) -> list[tuple[Group, str]]:
        """Each that is shown, with the address of the card."""
        groups = [self.shown.group_of(one) for one in self.listed.entries]
        return [(one, "" if one.team else self.card_url(one.owner_ids[0])) for one in groups]

    @property
    def has_many(self) -> bool:
        return self.listed.all_count > 1

    @cached_property
    def recurring(self) -> Recurring:
        return Recurring(self.frame)

    @cached_property
    def explained(self) -> str:
        """What every address of an explanation has."""
        kept = {name: value for name, value in self.frame.scope.query.items() if name not in ("team", "owner", *LISTED)}
        return urlencode({**kept, "period": self.chosen.starts_on.isoformat(), "credit": DECISION})

    def explain_url(self, key: str, group: Group) -> str:
        """Where a figure of the chosen period is taken apart, by the credit of the cards; none as at a past moment."""
        if self.frame.past is not None:
            return ""
        whose = "".join(f"&{name}={pk}" for name, pk in group.whose.items())
        return f"{_explain_path(key)}?{self.explained}{whose}"

    def cell(self, key: str, group: Group) -> Cell:
        return Cell(self.value(key, self.total(group)), FIGURES[key].kind, self.explain_url(key, group))

    def card_url(self, pk: int) -> str:
        query = {
            name: value for name, value in self.frame.scope.query.items() if name not in ("team", "owner", *LISTED)
        }
        address = reverse("dashboards:scorecard", args=[pk])
        return f"{address}?{urlencode(query)}" if query else address


@lru_cache(maxsize=64)
def _explain_path(key: str) -> str:
    return reverse("dashboards:explain", args=[key])


def read_cards(frame: Frame) -> Cards:
    shown = read_shown(frame)
    days = frame.periods[0].starts_on, frame.periods[-1].ends_on
    moved = {} if frame.past is not None else read_moved(frame.company.time_zone, *days)
    is_kept = frame.past is None and not frame.scope.slice
    return _cards_of_cells(frame, shown, moved) if is_kept else _cards_of_rows(frame, shown, moved)


def _cards_of_cells(frame: Frame, shown: Shown, moved: Mapping[int, int]) -> Cards:
    moves = read_moves(frame, moved)
    trends = {group: read_group(frame, group, moves) for group in shown.looked_at}
    periods = _periods(frame, trends[shown.focus])
    chosen = frame.chosen(periods)
    return Cards(frame, shown, periods, chosen, read_owners(frame, chosen.period, moves), trends, moved)


def _cards_of_rows(frame: Frame, shown: Shown, moved: Mapping[int, int]) -> Cards:
    """Of a slice, or as at a past moment, of which nothing is kept."""
    found = read_credited(frame, moved)
    trends = {
        group: {
            one.starts_on: together(
                found[pk][one.starts_on] for pk in group.owner_ids if one.starts_on in found.get(pk, {})
            )
            for one in frame.periods
        }
        for group in shown.looked_at
    }
    periods = _periods(frame, trends[shown.focus])
    chosen = frame.chosen(periods)
    owners = {owner: of_owner[chosen.starts_on] for owner, of_owner in found.items() if chosen.starts_on in of_owner}
    return Cards(frame, shown, periods, chosen, Owners.of_totals(owners, SUMS), trends, moved)


def _periods(frame: Frame, totals: ByPeriod) -> list[PeriodTotal]:
    current = frame.periods[-1]
    return [
        PeriodTotal(one, frame.label(one), totals[one.starts_on], one != current, one == current)
        for one in frame.periods
    ]


def build_totals(cards: Cards) -> list[StripTotal]:
    frame, chosen = cards.frame, cards.chosen
    mine = cards.total(cards.shown.focus)
    peers = cards.total(cards.shown.everybody)
    found = [
        StripTotal(
            f"{FIGURES[key].title}, {chosen.label}",
            compact_money(cards.value(key, mine), frame.currency),
            cards.shown.focus.name,
            FIGURES[key].formula,
            cards.explain_url(key, cards.shown.focus),
        )
        for key in ("due", "kept")
    ]
    beside = f"{cards.shown.everybody.name} " if cards.shown.is_of_one else ""
    found += [
        StripTotal(
            FIGURES[key].title,
            frame.text(key, mine),
            f"{beside}{frame.text(key, peers)}" if beside else frame.counted_as,
            FIGURES[key].formula,
            cards.explain_url(key, cards.shown.focus),
        )
        for key in RATES
    ]
    upsell = compact_money(cards.value("booked_above", mine), frame.currency)
    title = f"{FIGURES['booked_above'].formula} Whoever found it."
    url = cards.explain_url("booked_above", cards.shown.focus)
    return [*found, StripTotal("Upsell", upsell, "with renewals", title, url)]


def words(cards: Cards) -> str:
    """The page in a sentence: what was kept, and whether that is more or less than such a book keeps."""
    name, label = cards.shown.focus.name, cards.chosen.label
    gross = cards.value("gross", cards.total(cards.shown.focus))
    if gross is None:
        return f"Nothing is due in {label} for this choice of filters."
    found = cards.judge(cards.shown.focus) if cards.shown.is_of_one else None
    verdict = f"; of what is decided, {_said(found)}" if found else ""
    return f"{name} kept {exact_rate(gross)} of what was due in {label}{verdict}. {CREDIT}"


def _said(found: Fair) -> str:
    between = f"{exact_rate(found.lowest)} to {exact_rate(found.highest)}"
    return f"{exact_rate(found.rate)} was kept, {found.verdict} ({between} for such a book)"


def build_tiles(cards: Cards) -> list[Tile]:
    last = (cards.shown.everybody, _last(cards)) if cards.has_many else None
    recurring = recurring_tile(cards.frame, cards.recurring, period=cards.chosen.period, lines=cards.lines, last=last)
    return [cards_tile(cards), recurring, fair_tile(cards), trend_tile(cards), calls_tile(cards), hygiene_tile(cards),
            upsell_tile(cards)]  # fmt: skip


def _last(cards: Cards) -> str:
    return f"{cards.shown.everybody.name}, together" if cards.has_many else f"{cards.shown.everybody.name}, all"


def _average_label(cards: Cards) -> str:
    return f"{cards.shown.everybody.name}, on average"


def cards_tile(cards: Cards) -> Tile:
    def row(name: str, group: Group, url: str = "") -> Row:
        return Row(name, [cards.cell(key, group) for key in ORDERED], url)

    rows = [row(group.name, group, url) for group, url in cards.lines]
    everybody = cards.shown.everybody
    working = cards.owners.working.intersection(everybody.owner_ids)
    if working:
        total = cards.total(everybody)
        head_count = Decimal(len(working))
        cells = [Cell(round(total.sums["due_count"] / head_count, 1), Kind.COUNT)]
        cells += [
            Cell(round(Decimal(cards.value(key, total) or 0) / head_count, 2), Kind.MONEY) for key in ("due", "kept")
        ]
        cells += [cards.cell(key, everybody) for key in RATES]
        rows.append(Row(_average_label(cards), cells, is_total=True))
    sign = currency_sign(cards.frame.currency)
    heads = ["Due", f"Due, {sign}", f"Kept, {sign}", "Gross", "Net", "On time"]
    caption = f"{CREDIT} Counted {cards.frame.counted_as}. The average is of those with something due; its rates are "
    return Tile(
        "cards", f"Cards, {cards.chosen.label}", f"{caption}of all they have.", "Who", heads,
        rows if working else [], None, f"Nothing is due in {cards.chosen.label}.", "p-span-12",
        orders=orders_of(cards.frame.scope, [NAME, *ORDERED], dict.fromkeys(ORDERED)),
    )  # fmt: skip


def fair_tile(cards: Cards) -> Tile:
    """What was kept of what is decided, beside what such a book keeps in this company."""
    judged = [(group.name, found, url) for group, url in cards.lines if (found := cards.judge(group))]
    rows = [
        Row(
            f"{name}: {found.verdict}",
            [
                Cell(found.count, Kind.COUNT),
                *(
                    Cell(Decimal(str(share)), Kind.RATE)
                    for share in (found.rate, found.expected, found.lowest, found.highest)
                ),
            ],
            url,
        )
        for name, found, url in judged
    ]
    return Tile(
        "fair",
        f"Fair comparison, {cards.chosen.label}, % of what is decided",
        "Expected is what each segment and risk band kept in the whole company, in the mix of each book; risk as known "
        "before the decision. Above or below is said only where the interval of 95 % excludes what was kept.",
        "Who",
        ["Decided", "Kept", "Expected", "From", "To"],
        rows,
        expected_figure([(name, found) for name, found, _ in judged]) if judged else None,
        NOT_THEN if cards.frame.past is not None else f"Nothing that is due in {cards.chosen.label} is decided yet.",
        "p-span-6",
    )


def trend_tile(cards: Cards) -> Tile:
    focus, everybody = cards.shown.focus, cards.shown.everybody
    labels = [one.label for one in cards.periods]

    def column(key: str, group: Group, name: str, colour: str) -> Column:
        numbers = [cards.value(key, cards.total(group, one)) if one.is_over else None for one in cards.periods]
        return Column(name, Kind.RATE, numbers, colour)

    columns = [
        column("gross", focus, "Gross", "won"),
        column("net", focus, "Net", "expected"),
        column("on_time", focus, "On time", "late"),
        *_recurring_columns(cards),
    ]
    if cards.shown.is_of_one and len(everybody.members) > 1:
        columns.append(column("gross", everybody, f"Gross, {everybody.name}", "total"))
    return tile(
        "trend",
        f"{focus.name} by {cards.frame.grain}, %",
        f"{CREDIT} What nobody owns, and the running {cards.frame.grain}, are left out.",
        labels=labels,
        label_head=cards.frame.grain.capitalize(),
        columns=columns,
        figure=lines(columns, labels),
        empty="Nothing was due in these periods for this choice of filters.",
        span="p-span-6",
    )


def _recurring_columns(cards: Cards) -> list[Column]:
    """GRR and NRR of the focus; none where it has no recurring value."""
    (found,) = cards.recurring.moved([cards.shown.focus], cards.frame.periods)
    moved = {one.period: one for one in found}
    over = [moved.get(one.period) if one.is_over else None for one in cards.periods]
    columns = [
        Column("GRR", Kind.RATE, [one.grr if one else None for one in over], "commit"),
        Column("NRR", Kind.RATE, [one.nrr if one else None for one in over], "win-back"),
    ]
    return columns if moved else []


def calls_tile(cards: Cards) -> Tile:
    """Accuracy and bias of confidences. They are kept by rep, over all segments."""
    tallies = {} if cards.frame.past is not None else read_calls()
    of_all = total(tallies.values())

    def row(name: str, tally: Tally, *, is_total: bool = False, url: str = "") -> Row:
        bias = tally.drawn_bias(of_all)
        shares = [Cell(Decimal(str(round(one, 6))), Kind.POINTS) for one in bias]
        errors = [Cell(Decimal(f"{tally.brier(said):.3f}"), Kind.COUNT) for said in ("rep", "model")]
        few = " (too few to tell)" if tally.count < MINIMUM_CALLS else ""
        calls = Cell(tally.count, Kind.COUNT, reverse("forecasting:reps"))
        return Row(f"{name}{few}", [calls, *shares, *errors], url, is_total)

    rows = [
        row(group.name, tally, url=url)
        for group, url in cards.lines
        if (tally := of_owners(tallies, group.owner_ids)).count
    ]
    average = of_owners(tallies, cards.shown.everybody.owner_ids)
    if average.count:
        rows.append(row(_average_label(cards), average, is_total=True))
    return Tile(
        "calls",
        "Forecast accuracy and bias",
        "Confidences as they stood 30 days before the decision, against what came, over all filters and periods. Bias: "
        "points said too high, with its 95 % interval. Brier: mean squared error; 0 is perfect.",
        "Who",
        ["Calls", "Bias", "From", "To", "Brier, rep", "Brier, model"],
        rows,
        None,
        NOT_THEN
        if cards.frame.past is not None
        else "There are no closed calls yet: decided renewals with a confidence at that time.",
        "p-span-12",
    )


def hygiene_tile(cards: Cards) -> Tile:
    found = {} if cards.frame.past is not None else read_hygiene(cards.frame)

    def row(name: str, group: Group, *, is_total: bool = False, url: str = "") -> Row:
        one = add_hygiene([found[pk] for pk in group.owner_ids if pk in found])
        counts = [Cell(one.account_counts[key], Kind.COUNT) for key in ("flagged", "silent", "both")]
        worklist = f"{reverse('quality:list')}?owner={group.owner_ids[0]}" if len(group.owner_ids) == 1 else ""
        return Row(name, [Cell(one.trust_rate, Kind.RATE, worklist), *counts], url, is_total)

    rows = [row(group.name, group, url=url) for group, url in cards.lines]
    if len(cards.shown.everybody.members) > 1:
        rows.append(row(_last(cards), cards.shown.everybody, is_total=True))
    return Tile(
        "hygiene",
        "Data quality, flagged and unmonitored accounts",
        "Of open renewals, today. Data quality: share of the baseline on renewals that break no rule of weight. An "
        "account that two people work counts for both.",
        "Who",
        ["Data quality", "Flagged", "Unmonitored", "Both"],
        rows if found else [],
        None,
        NOT_THEN if cards.frame.past is not None else "Nothing is open for this choice of filters.",
        "p-span-6",
    )


def upsell_tile(cards: Cards) -> Tile:
    whole = cards.total(cards.shown.everybody).sums
    everything = whole["upsell_cents"] + whole["cross_sell_cents"]

    def row(name: str, group: Group, *, is_total: bool = False, url: str = "") -> Row:
        sums = cards.total(group).sums
        share = Decimal(sums["upsell_cents"] + sums["cross_sell_cents"]) / everything if everything else None
        cells = [cards.cell(key, group) for key in ("upsell", "cross_sell")]
        return Row(name, [*cells, Cell(share, Kind.RATE)], url, is_total)

    rows = [row(group.name, group, url=url) for group, url in cards.lines]
    rows.append(row(_last(cards), cards.shown.everybody, is_total=True))
    sign = currency_sign(cards.frame.currency)
    return Tile(
        "upsell",
        f"Upsell with renewals, {cards.chosen.label}",
        "By who owned the renewal. Who found an upsell, Customer Success or sales, is not recorded here, so the share "
        "of sales is not known and none is shown.",
        "Who",
        [f"Upsell, {sign}", f"Cross-sell, {sign}", "Share"],
        rows if everything else [],
        None,
        f"Nothing of {cards.chosen.label} was renewed above its baseline. Who finds an upsell is not recorded.",
        "p-span-6",
    )

"""What the page of reps and model shows: each rep's record in words and numbers, as far as its reader may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go

from accounts.models import User
from accounts.strip import Total
from accounts.templatetags.money import SPACE, exact_rate
from forecasting.charts import Cell
from forecasting.engine.calls import Tally, total
from forecasting.engine.probability import MINIMUM_CALLS, RepRecords
from forecasting.frames.calls import HORIZONS
from forecasting.learning.figures import Figure
from forecasting.models import CallRecord, Run
from forecasting.pictures import drawn, empty_figure
from renewals.models import Override, Renewal

DEFAULT_HORIZON: Final = 30
SHARES: Final = (
    (0.0, "nothing"), (0.1, "a tenth"), (0.25, "a quarter"), (1 / 3, "a third"), (0.5, "half"), (2 / 3, "two thirds"),
    (0.75, "three quarters"), (0.9, "nine tenths"), (1.0, "all of it"),
)  # fmt: skip


@dataclass(frozen=True)
class RepRow:
    """One rep, or an average of several: their record at a horizon."""

    name: str
    words: str
    tally: Tally
    bias: float
    lowest: float
    highest: float
    weight: float
    is_average: bool = False

    @property
    def cells(self) -> list[str]:
        return [
            f"{self.tally.count:,}",
            points_text(self.bias),
            f"{points_text(self.lowest)} to {points_text(self.highest)}",
            *(f"{self.tally.brier(said):.3f}" for said in ("rep", "model", "joined")),
            exact_rate(self.weight),
        ]


@dataclass(frozen=True)
class Records:
    """At one horizon: the average of whom the reader belongs to, and the reps that they may know of."""

    horizon: int
    average: RepRow | None
    rows: Sequence[RepRow]
    record: CallRecord | None


def read_records(user: User, horizon: int) -> Records:
    """An admin and who sees the whole book know of every rep, a manager of the team's, a rep of themselves; each beside
    the average of the whole, or of the team."""
    record = CallRecord.objects.first()
    stored = record.content.get(str(horizon), {}) if record else {}
    tallies = {int(rep): Tally.from_dict(sums) for rep, sums in stored.items()}
    if not tallies:
        return Records(horizon, None, (), record)
    run = Run.objects.only("rep_records").latest_published()
    weights = RepRecords.from_dict(run.rep_records) if run and run.rep_records else RepRecords.empty()
    of_all = total(tallies.values())
    people = {one.pk: one for one in User.objects.filter(pk__in=tallies)}
    mine = people if user.sees_all else {pk: one for pk, one in people.items() if _is_mate(user, one)}
    named = mine if user.sees_all or user.role == User.Role.MANAGER else {pk: p for pk, p in mine.items() if p == user}
    average = total(tallies[pk] for pk in mine)
    label = "Every rep" if user.sees_all else f"{user.team} on average" if user.team_id else "You"
    return Records(
        horizon,
        _row(label, average, of_all, weights.pooled_weight, is_average=True) if average.count else None,
        sorted(
            (_row(str(one), tallies[pk], of_all, weight_of(weights, pk)) for pk, one in named.items()),
            key=lambda row: -abs(row.bias),
        ),
        record,
    )


def _is_mate(user: User, other: User) -> bool:
    return other == user or (user.team_id is not None and other.team_id == user.team_id)


def weight_of(records: RepRecords, rep_id: int) -> float:
    """What a rep's word counts for beside the model; that of all reps for one without a record."""
    places = (records.rep_ids == rep_id).nonzero()[0]
    return float(records.weights[places[0]]) if places.size else records.pooled_weight


def _row(name: str, tally: Tally, of_all: Tally, weight: float, *, is_average: bool = False) -> RepRow:
    bias, lowest, highest = tally.drawn_bias(of_all)
    return RepRow(
        name, in_words(tally, bias, lowest, highest, weight), tally, bias, lowest, highest, weight, is_average
    )


def in_words(tally: Tally, bias: float, lowest: float, highest: float, weight: float) -> str:
    """`calls 9 points too high; counts for a third`."""
    counts = f"counts for {share_text(weight)}"
    if tally.count < MINIMUM_CALLS:
        return f"too few calls to tell; {counts}"
    points = abs(round(100 * bias))
    if lowest <= 0 <= highest or not points:
        return f"calls neither too high nor too low; {counts}"
    return f"calls {points} point{'s' if points > 1 else ''} too {'high' if bias > 0 else 'low'}; {counts}"


def share_text(weight: float) -> str:
    return min(SHARES, key=lambda share: abs(share[0] - weight))[1]


def points_text(rate: float) -> str:
    """+9.1, −0.4: points of a hundred."""
    text = f"{100 * rate:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def totals_of(records: Records, override: OverrideRecord | None) -> list[Total]:
    row = records.average
    if row is None:
        return []
    found = [
        Total("Closed calls", f"{row.tally.count:,}", row.name, "Decided renewals with a confidence at that time", ""),
        Total(
            "Bias", f"{points_text(row.bias)}", f"{points_text(row.lowest)} to {points_text(row.highest)}",
            "Points by which confidence was above what came, with its 95 % interval", "",
        ),
        *(
            Total(f"Brier, {label}", f"{row.tally.brier(said):.3f}", note, "Mean squared error; 0 is perfect", "")
            for said, label, note in (
                ("rep", "reps", "their word alone"),
                ("model", "model", "segment, state and risk"),
                ("joined", "joined", "by weights of other accounts"),
            )
        ),
    ]  # fmt: skip
    if override:
        found.append(
            Total(
                "Pins, decided", f"{override.count:,}", f"Brier {override.pinned:.3f}; joined {override.joined:.3f}",
                "Pinned probabilities against what came, and what both said when they were pinned", "",
            )
        )  # fmt: skip
    return found


@dataclass(frozen=True)
class OverrideRecord:
    """Mean squared errors over the decided renewals whose decision a pin stood to see."""

    count: int
    pinned: float
    model: float
    joined: float


def judge_overrides(user: User) -> OverrideRecord | None:
    """The last pin of each decided renewal that this user sees, where it had not ended by the decision."""
    decided = (
        Override.objects.visible_to(user)
        .exclude(renewal__outcome=Renewal.Outcome.OPEN)
        .filter(likelihood_then__isnull=False, joined_then__isnull=False)
        .order_by("renewal_id", "-pinned_at", "-pk")
        .distinct("renewal_id")
        .values_list(
            "percent", "likelihood_then", "joined_then", "until_on", "ended_at", "renewal__ordered_on",
            "renewal__declined_on", "renewal__due_on", "renewal__score__probability",
        )
    )  # fmt: skip
    errors = [
        ((percent / 100 - came) ** 2, ((model or 0.0) - came) ** 2, ((joined or 0.0) - came) ** 2)
        for percent, model, joined, until_on, ended_at, ordered_on, declined_on, due_on, came in decided
        if came is not None
        and until_on >= (decided_on := ordered_on or declined_on or due_on)
        and (ended_at is None or ended_at.date() >= decided_on)
    ]
    if not errors:
        return None
    sums = [sum(column) / len(errors) for column in zip(*errors, strict=True)]
    return OverrideRecord(len(errors), *sums)


def calibration_figure(row: RepRow | None) -> Figure:
    """What came against the confidence, by tenths of the confidence."""
    tenths = [(n, said / n, came / n) for n, said, came in row.tally.tenths if n] if row else []
    rows = [
        (
            f"{exact_rate(said)}",
            [Cell(f"{n:,.0f}", ""), Cell(exact_rate(came), ""), Cell(points_text(said - came), "")],
        )
        for n, said, came in tenths
    ]
    who = row.name if row else ""
    caption = f"{who}: what share came of the calls at each confidence; on the line as often as was said."
    empty = "There are no closed calls yet: decided renewals that had a confidence at that time."
    return Figure(
        "calls", "As often as they say, %", caption, "Confidence", ["Calls", "Came", "Too high by"], rows,
        _picture(tenths) if tenths else None, empty, "p-span-12",
    )  # fmt: skip


def _picture(tenths: Sequence[tuple[float, float, float]]) -> dict[str, Any]:
    figure = empty_figure("group", [], is_rate=True)
    ticks = list(range(0, 101, 20))
    figure.update_xaxes(type="linear", tickvals=ticks, ticktext=[f"{tick}{SPACE}%" for tick in ticks], range=[-2, 102])
    figure.update_xaxes(title={"text": "Confidence", "standoff": 6})
    figure.update_yaxes(range=[-2, 102], title={"text": "Came", "standoff": 6})
    line = {"color": "var(--p-chart-total)", "width": 1, "dash": "dot"}
    figure.add_trace(go.Scatter(x=[0, 100], y=[0, 100], mode="lines", name="As said", hoverinfo="skip", line=line))
    figure.add_trace(
        go.Scatter(
            x=[100 * said for _, said, _ in tenths],
            y=[100 * came for _, _, came in tenths],
            mode="lines+markers",
            name="Renewed",
            line={"color": "var(--p-chart-expected)", "width": 2},
            marker={"color": "var(--p-chart-expected)", "size": 8},
            customdata=[["", f"{n:,.0f}"] for n, _, _ in tenths],  # the first is the address that a click opens
            hovertemplate="Said %{x:.1f} %, came %{y:.1f} %<br>%{customdata[1]} calls<extra></extra>",
        )
    )
    return drawn(figure)


def read_horizon(params: Mapping[str, str]) -> int:
    """One of those that are measured; 30 days where the address names none."""
    text = params.get("horizon", "")
    return int(text) if text in {str(one) for one in HORIZONS} else DEFAULT_HORIZON

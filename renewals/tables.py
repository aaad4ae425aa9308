"""The columns of the central table, and what stands in a cell of each.

A column is defined once, here: its label, where its value comes from, how it is aligned, whether a person may write in
it. A row is read as one dict of plain values and becomes one `Row` of `Cell`s; the template only sets them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import django_tables2 as tables

from accounts.models import Company, User
from accounts.templatetags.look import STATES
from accounts.templatetags.money import NOTHING, currency_sign, money
from renewals.models import Renewal, RiskBand, TimingClass

if TYPE_CHECKING:
    from renewals.editors import Editor

DATE = "%d %b %Y"
RISK_TONES = {RiskBand.LOW: "good", RiskBand.MEDIUM: "warn", RiskBand.HIGH: "bad"}
TIMING_NAMES = {member.value: member.name.lower() for member in TimingClass}
# Days are said where a person has to act on them.
TIMING_WITH_DAYS = {TimingClass.OVERDUE, TimingClass.LATE}

Record = dict[str, Any]


def _column(label: str, accessor: str, *, css: str = "", why: str = "", is_editable: bool = False) -> Any:
    """`why` says why nobody can write in the column; the page shows it when somebody tries."""
    names = " ".join(filter(None, [css, "g-edit" if is_editable else ""]))
    return tables.Column(
        verbose_name=label, accessor=accessor, attrs={"th": {"class": css, "data-why": why}, "td": {"class": names}}
    )


IMPORTED = "Comes with the contract: change it there, or import it anew."
COMPUTED = "Computed from the row; see the risk and the confidence."


class RenewalTable(tables.Table):  # type: ignore[misc]  # django-tables2 has no types
    account = _column("Account", "account__name", css="g-account", why=IMPORTED)
    contract = _column("Contract", "contract__number", why=IMPORTED)
    due_on = _column("Due", "due_on", css="num", why=IMPORTED)
    decision_on = _column("Decision", "decision_on", css="num", why="The due date less the notice period.")
    timing = _column("Timing", "score__timing_class", why="Judged by the timing policy in force on the due date.")
    stage = _column("Stage", "stage__name", is_editable=True)
    baseline_amount = _column("Baseline", "baseline_amount", css="num", why=IMPORTED)
    forecast_amount = _column("Forecast", "forecast_amount", css="num", is_editable=True)
    offer = _column("Offer", "offer__name", css="g-long", is_editable=True)
    confidence = _column("Confidence", "confidence", css="num", is_editable=True)
    likelihood = _column("Likelihood", "score__likelihood", css="num g-quiet", why=COMPUTED)
    probability = _column("Probability", "score__probability", css="num g-bold", why=COMPUTED)
    risk = _column("Risk", "score__risk_score", css="num", why="Computed from the risk factors.")
    owner = _column("Owner", "owner__name", is_editable=True)
    next_step = _column("Next step", "next_step", css="g-long", is_editable=True)
    last_touch_on = _column("Last touch", "account__last_touch_on", css="num", why="The newest contact with it.")
    expected_order_on = _column("Expected order", "expected_order_on", css="num", is_editable=True)
    ordered_on = _column("Ordered", "ordered_on", css="num", is_editable=True)
    outcome = _column("Outcome", "outcome", is_editable=True)


COLUMNS: dict[str, Any] = dict(RenewalTable.base_columns)
EDITABLE = tuple(name for name, column in COLUMNS.items() if "g-edit" in column.attrs["td"]["class"])
# What cells need beside the column's own value.
BESIDE = (
    "id",
    "account_id",
    "account__segment__name",
    "contract__product",
    "currency",
    "stage_id",
    "offer_id",
    "owner_id",
    "owner__team_id",
    "final_amount",
    "churn_reason_id",
    "churn_reason__name",
    "next_step_on",
    "is_excluded",
    "excluded_reason",
    "score__timing_days",
    "score__likelihood_count",
    "score__completeness",
    "score__contributions",
)
VALUES = (*dict.fromkeys([*(str(column.accessor) for column in COLUMNS.values()), *BESIDE]),)


@dataclass(frozen=True)
class Sight:
    """Who looks, and from where: what decides how a row reads."""

    user: User
    as_of: dt.date
    currency: str

    @classmethod
    def of(cls, user: User, company: Company) -> Sight:
        return cls(user=user, as_of=company.today(), currency=company.reporting_currency)

    def may_edit(self, record: Record) -> bool:
        """As renewals.access.may_edit, asked of a row that was read as plain values."""
        match self.user.role:
            case User.Role.ADMIN:
                return True
            case User.Role.MANAGER:
                return record["owner_id"] is not None and record["owner__team_id"] == self.user.team_id
            case User.Role.REP:
                return bool(record["owner_id"] == self.user.pk)
        return False

    def why_not(self, record: Record) -> str:
        if self.user.role == User.Role.VIEWER:
            return "You may look, not change."
        owner = record["owner__name"] or "Nobody"
        return f"{owner} owns this renewal; the owner, the team's manager or an admin edits it."


@dataclass(slots=True)
class Cell:
    """Text, what stands small beside it, and, where the person may write, the value as the editor shows it."""

    name: str
    text: str
    small: str = ""
    tone: str = ""  # of the small text
    kind: str = ""  # a cell that is more than text: account, timing, risk
    code: str = ""  # of the timing class, or the tone of the risk bar
    icon: str = ""
    value: str = ""
    title: str = ""
    css: str = ""
    is_editable: bool = False
    contributions: str = ""
    level: float = 0.0
    editor: Editor | None = None  # open, because the server has something to say about what was typed


@dataclass(slots=True)
class Row:
    id: int
    account: str
    is_editable: bool
    cells: list[Cell] = field(default_factory=list)

    def cell(self, name: str) -> Cell:
        return next(cell for cell in self.cells if cell.name == name)


def _date(value: dt.date | None) -> str:
    return value.strftime(DATE) if value else ""


def _percent(rate: float | None) -> str:
    return NOTHING if rate is None else f"{round(rate * 100)}%"


def _amount(value: Decimal | None, record: Record, sight: Sight) -> str:
    """Whole units; the currency is said only where it is not the one in the column's head."""
    if value is None:
        return ""
    return money(value, "" if record["currency"] == sight.currency else record["currency"])


def _account(record: Record, sight: Sight) -> Cell:
    title = f"Exception: {record['excluded_reason']}" if record["is_excluded"] else ""
    segment = record["account__segment__name"] or ""
    return Cell("account", record["account__name"], kind="account", small=segment, title=title)


def _contract(record: Record, sight: Sight) -> Cell:
    return Cell("contract", record["contract__number"], title=record["contract__product"])


def _timing(record: Record, sight: Sight) -> Cell:
    timing = record["score__timing_class"]
    if timing is None:
        return Cell("timing", "Not scored yet", tone="p-muted", title="The next recompute scores it.")
    code = TIMING_NAMES[timing]
    icon, word = STATES[code]
    text = f"{word} {record['score__timing_days']} d" if timing in TIMING_WITH_DAYS else word
    return Cell("timing", text, kind="timing", code=code, icon=icon)


def _stage(record: Record, sight: Sight) -> Cell:
    return Cell("stage", record["stage__name"], value=str(record["stage_id"]))


def _forecast(record: Record, sight: Sight) -> Cell:
    forecast, baseline = record["forecast_amount"], record["baseline_amount"]
    cell = Cell("forecast_amount", _amount(forecast, record, sight), value="" if forecast is None else str(forecast))
    if forecast is not None and baseline and forecast != baseline:
        change = round((forecast / baseline - 1) * 100)
        cell.small = f"{change:+d}%".replace("-", "−") if change else "≈"
        cell.tone = "p-good" if forecast > baseline else "p-bad"
    return cell


def _offer(record: Record, sight: Sight) -> Cell:
    return Cell("offer", record["offer__name"] or "", value=_id(record["offer_id"]))


def _confidence(record: Record, sight: Sight) -> Cell:
    confidence = record["confidence"]
    text = "" if confidence is None else str(confidence)
    return Cell("confidence", text and f"{text}%", value=text)


def _likelihood(record: Record, sight: Sight) -> Cell:
    count = record["score__likelihood_count"]
    title = f"The rate of {count:,} decided renewals like this one" if count else ""
    return Cell("likelihood", _percent(record["score__likelihood"]), title=title)


def _probability(record: Record, sight: Sight) -> Cell:
    return Cell("probability", _percent(record["score__probability"]))


def _risk(record: Record, sight: Sight) -> Cell:
    score = record["score__risk_score"]
    if score is None:
        return Cell("risk", NOTHING, title="No risk factor has an input yet.")
    return Cell(
        "risk",
        str(round(score)),
        kind="risk",
        code=RISK_TONES[RiskBand.of(score)],
        level=round(score),
        value=f"{score:.2f}",
        small=str(round(record["score__completeness"] * 100)),
        contributions=",".join(map(str, record["score__contributions"])),
    )


def _owner(record: Record, sight: Sight) -> Cell:
    return Cell("owner", record["owner__name"] or "", value=_id(record["owner_id"]))


def _next_step(record: Record, sight: Sight) -> Cell:
    step = record["next_step"]
    return Cell("next_step", step, value=step, small=_date(record["next_step_on"]), title=step)


def _outcome(record: Record, sight: Sight) -> Cell:
    outcome = record["outcome"]
    small = record["churn_reason__name"] or "" if outcome == Renewal.Outcome.LOST else ""
    if outcome == Renewal.Outcome.RENEWED:
        small = _amount(record["final_amount"], record, sight)
    value = outcome_text(outcome, record["churn_reason_id"], record["final_amount"])
    return Cell("outcome", Renewal.Outcome(outcome).label, small=small, tone="p-muted", value=value)


def _id(value: int | None) -> str:
    return "" if value is None else str(value)


def outcome_text(outcome: str, churn_reason_id: int | None, final_amount: Decimal | None) -> str:
    """The outcome with what belongs to it in one text, as the cell's editor sees and returns it: `lost/3/0.00`."""
    return f"{outcome}/{_id(churn_reason_id)}/{'' if final_amount is None else final_amount}"


def _plain_date(name: str, accessor: str) -> Callable[[Record, Sight], Cell]:
    def cell(record: Record, sight: Sight) -> Cell:
        value = record[accessor]
        return Cell(name, _date(value), value=value.isoformat() if value else "")

    return cell


CELLS: dict[str, Callable[[Record, Sight], Cell]] = {
    "account": _account,
    "contract": _contract,
    "due_on": _plain_date("due_on", "due_on"),
    "decision_on": _plain_date("decision_on", "decision_on"),
    "timing": _timing,
    "stage": _stage,
    "baseline_amount": lambda record, sight: Cell(
        "baseline_amount", _amount(record["baseline_amount"], record, sight), value=str(record["baseline_amount"])
    ),
    "forecast_amount": _forecast,
    "offer": _offer,
    "confidence": _confidence,
    "likelihood": _likelihood,
    "probability": _probability,
    "risk": _risk,
    "owner": _owner,
    "next_step": _next_step,
    "last_touch_on": _plain_date("last_touch_on", "account__last_touch_on"),
    "expected_order_on": _plain_date("expected_order_on", "expected_order_on"),
    "ordered_on": _plain_date("ordered_on", "ordered_on"),
    "outcome": _outcome,
}


def build_row(record: Record, sight: Sight) -> Row:
    is_editable = sight.may_edit(record)
    why_not = "" if is_editable else sight.why_not(record)
    row = Row(id=record["id"], account=record["account__name"], is_editable=is_editable)
    for name, column in COLUMNS.items():
        cell = CELLS[name](record, sight)
        cell.css = column.attrs["td"]["class"]
        if name in EDITABLE:
            cell.is_editable = is_editable
            cell.title = why_not or cell.title
        row.cells.append(cell)
    return row


def load_rows(renewal_ids: Sequence[int], sight: Sight) -> list[Row]:
    """The rows in the order of their ids, in one query. Whether the user may see them is the caller's question."""
    records: Iterable[Record] = Renewal.objects.filter(pk__in=renewal_ids).order_by().values(*VALUES)
    by_id = {record["id"]: record for record in records}
    return [build_row(by_id[pk], sight) for pk in renewal_ids if pk in by_id]


@dataclass(frozen=True)
class Heading:
    """The head of a column, with the link that sorts by it."""

    name: str
    label: str
    unit: str
    css: str
    why: str
    url: str
    direction: str  # ascending, descending, or nothing: as aria-sort says it


def build_headings(sort: str, url_of: Callable[[str], str], sight: Sight) -> list[Heading]:
    """`sort` is the present order, `-` before it for descending; `url_of` gives the address of another."""
    current, is_descending = sort.removeprefix("-"), sort.startswith("-")
    headings = []
    for name, column in COLUMNS.items():
        is_current = name == current
        headings.append(
            Heading(
                name=name,
                label=column.verbose_name,
                unit=currency_sign(sight.currency) if name in {"baseline_amount", "forecast_amount"} else "",
                css=column.attrs["th"]["class"],
                why=column.attrs["th"]["data-why"],
                url=url_of(f"-{name}" if is_current and not is_descending else name),
                direction=("descending" if is_descending else "ascending") if is_current else "",
            )
        )
    return headings

"""The columns of the central table, and what stands in a cell of each.

A column is defined once, here: its label, where its value comes from, how it is aligned, whether a person may write in
it. A row is read as one dict of plain values and becomes one `Row` of `Cell`s; the template only sets them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cache, lru_cache
from typing import Any

import django_tables2 as tables
from django.db import connection
from django.urls import reverse
from django.utils.html import conditional_escape, format_html

from accounts.models import Company, User
from accounts.templatetags.look import bar, icon, state
from accounts.templatetags.money import NOTHING, money
from renewals.live.versions import DERIVED_VERSION, NEWEST_EVENT, version_text
from renewals.models import Renewal, RiskBand, TimingClass
from renewals.quality.marks import RULE_NAMES, mark

DATE = "%d %b %Y"
RISK_TONES = {RiskBand.LOW: "good", RiskBand.MEDIUM: "warn", RiskBand.HIGH: "bad"}
TIMING_NAMES = {member.value: member.name.lower() for member in TimingClass}
# Days are said where a person has to act on them.
TIMING_WITH_DAYS = {TimingClass.OVERDUE, TimingClass.LATE}

NO_TEXT = conditional_escape("")
CELL, CELL_END = format_html("<td{}", NO_TEXT), format_html("</td>{}", NO_TEXT)

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
NAMES = tuple(COLUMNS)
# The header of each row: wherever columns are chosen it is there, and first.
HEAD = "account"
DEFAULT_COLUMNS = NAMES
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
    "quality__worst_severity",
    "broken_rules",
    "newest_event",
    "derived_version",
    "score__timing_days",
    "score__likelihood_count",
    "score__completeness",
    "score__contributions",
)
VALUES = (*dict.fromkeys([*(str(column.accessor) for column in COLUMNS.values()), *BESIDE]),)


def read_columns(texts: Iterable[str]) -> tuple[tuple[str, ...], list[str]]:
    """The columns that are named, in order and once each, behind the row's header; and the names that are none.

    A text may name several with commas between them. The default columns where none is named.
    """
    names = dict.fromkeys(name.strip() for text in texts for name in text.split(",") if name.strip())
    known = [name for name in names if name in COLUMNS]
    unknown = [name for name in names if name not in COLUMNS]
    return (HEAD, *(name for name in known if name != HEAD)) if known else DEFAULT_COLUMNS, unknown


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
class Row:
    """A row as its template sets it. A cell is a SafeString from behind the name of its tag to before its end:
    ` class="num">12,000`.

    Attributes and content are put together here and not in the template, which takes four times as long for a page of
    a thousand cells. Every part went through format_html or conditional_escape.
    """

    id: int
    account: str
    version: str
    columns: tuple[str, ...]
    head: str
    cells: list[str]

    @property
    def body(self) -> str:
        """The cells after the head, as one SafeString: a template variable each would take longer than their query."""
        body: str = NO_TEXT
        for cell in self.cells:
            body += CELL + cell + CELL_END
        return body

    def append_to(self, name: str, markup: str) -> None:
        """Put markup behind what stands in a cell; in the row's header where the column is not shown."""
        if name == HEAD or name not in self.columns:
            self.head = format_html("{}{}", self.head, markup)
            return
        place = self.columns.index(name) - 1
        self.cells[place] = format_html("{}{}", self.cells[place], markup)


@lru_cache(maxsize=4096)
def _date(value: dt.date | None) -> str:
    return value.strftime(DATE) if value else ""


def _percent(rate: float | None) -> str:
    return NOTHING if rate is None else f"{round(rate * 100)}%"


def _amount(value: Decimal | None, record: Record, sight: Sight) -> str:
    """Whole units; the currency is said only where it is not the one in the column's head."""
    if value is None:
        return ""
    return _money(value, "" if record["currency"] == sight.currency else record["currency"])


_money = lru_cache(maxsize=4096)(money)


def _with_small(text: str, small: str, css: str = "") -> str:
    return format_html('{} <small class="{}">{}</small>', text, css, small) if small else text


def _account(record: Record, sight: Sight) -> str:
    name, segment = record["account__name"], record["account__segment__name"] or ""
    broken = mark(record["quality__worst_severity"], record["broken_rules"], record["id"])
    if not record["is_excluded"]:
        return format_html('<b dir="auto">{}</b> {}<small>{}</small>{}', name, broken, segment, _opener(record))
    tag = format_html('<small class="p-tag" title="{}">Exception</small>', record["excluded_reason"])
    return format_html('<b dir="auto">{}</b> {}<small>{}</small> {}{}', name, broken, segment, tag, _opener(record))


def _opener(record: Record) -> str:
    """The link to the whole renewal; a script opens it beside the table."""
    return format_html(
        '<a class="d-open" href="{}{}/" data-drawer tabindex="-1" aria-label="Open {}">{}</a>',
        _table_url(),
        record["id"],
        record["account__name"],
        icon("chevron-right"),
    )


@cache
def _table_url() -> str:
    return reverse("renewals:table")


def _timing(record: Record, sight: Sight) -> str:
    timing, days = record["score__timing_class"], record["score__timing_days"]
    if timing is None:
        return format_html('<span class="p-muted" title="{}">Not scored yet</span>', "The next recompute scores it.")
    return _state(TIMING_NAMES[timing], days if timing in TIMING_WITH_DAYS else None)


_state = lru_cache(maxsize=2048)(state)


def _forecast(record: Record, sight: Sight) -> str:
    forecast, baseline = record["forecast_amount"], record["baseline_amount"]
    text = _amount(forecast, record, sight)
    if forecast is None or not baseline or forecast == baseline:
        return text
    change = int(((forecast / baseline - 1) * 100).to_integral_value(ROUND_HALF_UP))
    small = f"{change:+d}%".replace("-", "−") if change else "≈"
    return _with_small(text, small, "p-good" if forecast > baseline else "p-bad")


def _confidence(record: Record, sight: Sight) -> str:
    return "" if record["confidence"] is None else f"{record['confidence']}%"


def _risk(record: Record, sight: Sight) -> str:
    score = record["score__risk_score"]
    return NOTHING if score is None else _bar(round(score), RISK_TONES[RiskBand.of(score)])


@lru_cache(maxsize=512)
def _bar(points: int, tone: str) -> str:
    return format_html("{} {}", points, bar(points, tone))


def _outcome(record: Record, sight: Sight) -> str:
    outcome, small = record["outcome"], ""
    if outcome == Renewal.Outcome.LOST:
        small = record["churn_reason__name"] or ""
    elif outcome == Renewal.Outcome.RENEWED:
        small = _amount(record["final_amount"], record, sight)
    return _with_small(OUTCOME_LABELS[outcome], small)


def outcome_text(outcome: str, churn_reason_id: int | None, final_amount: Decimal | None) -> str:
    """The outcome with what belongs to it in one text, as the cell's editor sees and returns it: `lost/3/0.00`."""
    return f"{outcome}/{_text(churn_reason_id)}/{_text(final_amount)}"


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _day(accessor: str) -> Callable[[Record, Sight], str]:
    return lambda record, sight: _date(record[accessor])


def _word(accessor: str) -> Callable[[Record, Sight], str]:
    return lambda record, sight: record[accessor] or ""


CONTENTS: dict[str, Callable[[Record, Sight], str]] = {
    "account": _account,
    "contract": _word("contract__number"),
    "due_on": _day("due_on"),
    "decision_on": _day("decision_on"),
    "timing": _timing,
    "stage": _word("stage__name"),
    "baseline_amount": lambda record, sight: _amount(record["baseline_amount"], record, sight),
    "forecast_amount": _forecast,
    "offer": _word("offer__name"),
    "confidence": _confidence,
    "likelihood": lambda record, sight: _percent(record["score__likelihood"]),
    "probability": lambda record, sight: _percent(record["score__probability"]),
    "risk": _risk,
    "owner": _word("owner__name"),
    "next_step": lambda record, sight: _with_small(record["next_step"], _date(record["next_step_on"])),
    "last_touch_on": _day("account__last_touch_on"),
    "expected_order_on": _day("expected_order_on"),
    "ordered_on": _day("ordered_on"),
    "outcome": _outcome,
}
# What an editor starts from, and sends back as what it saw. Where a column is not named here, the column itself.
VALUES_OF: dict[str, Callable[[Record], object]] = {
    "stage": lambda record: record["stage_id"],
    "offer": lambda record: record["offer_id"],
    "owner": lambda record: record["owner_id"],
    "outcome": lambda record: outcome_text(record["outcome"], record["churn_reason_id"], record["final_amount"]),
}


def _titled(text: str) -> str:
    return format_html(' title="{}"', text) if text else NO_TEXT


def _contributions(record: Record) -> str:
    """The points of each factor in hundredths, by its position; the script makes a card of them."""
    if record["score__risk_score"] is None:
        return _titled("No risk factor has an input yet.")
    points = ",".join(map(str, record["score__contributions"]))
    return format_html(
        ' data-contributions="{}" data-score="{}" data-completeness="{}"',
        points,
        record["score__risk_score"],
        round(record["score__completeness"] * 100),
    )


# Attributes that a cell has besides its column's.
MORE: dict[str, Callable[[Record], str]] = {
    "contract": lambda record: _titled(record["contract__product"]),
    "likelihood": lambda record: _titled(
        f"The rate of {record['score__likelihood_count']:,} decided renewals like this one"
        if record["score__likelihood_count"]
        else ""
    ),
    "risk": _contributions,
    "next_step": lambda record: _titled(record["next_step"]),
}


OUTCOME_LABELS = {str(value): str(label) for value, label in Renewal.Outcome.choices}
ATTRIBUTES = {
    name: format_html(' class="{}"', css) if (css := column.attrs["td"]["class"]) else NO_TEXT
    for name, column in COLUMNS.items()
}
CLOSING = format_html("{}>", NO_TEXT)
ATTRIBUTES_ALONE = {name: attributes + CLOSING for name, attributes in ATTRIBUTES.items()}
# By type too: the same text may come as markup and as what somebody typed.
_escaped = lru_cache(maxsize=8192, typed=True)(conditional_escape)


@lru_cache(maxsize=8192)  # most values are one of a few stages, owners, offers, per cents
def _editable(name: str, value: str) -> str:
    return ATTRIBUTES[name] + format_html(' data-value="{}" aria-readonly="false">', value)


def _own_value(name: str) -> Callable[[Record], object]:
    return lambda record: record[name]


# For each column: its name, what stands in it, what an editor starts from, what attributes it has besides.
PLAN = {
    name: (name, CONTENTS[name], VALUES_OF.get(name, _own_value(name)) if name in EDITABLE else None, MORE.get(name))
    for name in NAMES
}


def build_row(record: Record, sight: Sight, columns: tuple[str, ...] = DEFAULT_COLUMNS) -> Row:
    is_editable = sight.may_edit(record)
    why_not = NO_TEXT if is_editable else _titled(sight.why_not(record)) + CLOSING
    cells = []
    for name, content_of, value_of, more_of in map(PLAN.__getitem__, columns):
        if value_of is None:
            attributes = ATTRIBUTES[name] + more_of(record) + CLOSING if more_of else ATTRIBUTES_ALONE[name]
        elif is_editable:
            attributes = _editable(name, _text(value_of(record)))
            if name == "outcome":
                # Its editor asks for the order date too, whether or not that column is shown.
                attributes = format_html(' data-ordered-on="{}"{}', _text(record["ordered_on"]), attributes)
        else:
            attributes = ATTRIBUTES[name] + why_not
        # The sum of SafeStrings is one.
        cells.append(attributes + _escaped(content_of(record, sight)))
    version = version_text(record["newest_event"], record["derived_version"])
    return Row(record["id"], record["account__name"], version, columns, head=cells[0], cells=cells[1:])


def load_rows(renewal_ids: Sequence[int], sight: Sight, columns: tuple[str, ...] = DEFAULT_COLUMNS) -> list[Row]:
    """The rows in the order of their ids, in one query. Whether the user may see them is the caller's question."""
    if not renewal_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [list(renewal_ids)])
        records: list[Record] = [dict(zip(VALUES, values, strict=True)) for values in cursor.fetchall()]
    by_id = {record["id"]: record for record in records}
    return [build_row(by_id[pk], sight, columns) for pk in renewal_ids if pk in by_id]


@cache
def _statement() -> str:
    """The query for the cells of some rows, compiled once: Django takes as long for that as the database to answer."""
    rows = Renewal.objects.filter(pk__in=[0]).order_by()
    rows = rows.annotate(broken_rules=RULE_NAMES, newest_event=NEWEST_EVENT, derived_version=DERIVED_VERSION)
    sql, _ = rows.values(*VALUES).query.sql_with_params()
    return str(sql).replace("IN (%s)", "= ANY(%s)")

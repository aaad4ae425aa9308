"""Signals that are posted: by a rep who says how the customer feels, or by a program that sends rows as JSON."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.exceptions import PermissionDenied

from accounts.models import Account, AccountSignal, HealthFactor, User
from forecasting.health import refresh_health_of
from renewals.history.batches import note_created, recorded_batch
from renewals.history.kinds import SIGNAL
from renewals.models import ChangeBatch

MOST_ROWS: Final = 5_000
FIRST_DAY: Final = dt.date(1990, 1, 1)  # earlier than any customer of a company that renews contracts by software
LARGEST_COUNT: Final = 2**31 - 1
LARGEST: Final = 1e15
# Bounds of each measure, as the database has them.
BOUNDS: Final[dict[str, tuple[float, float]]] = {
    "usage_change_rate": (-1, 1e6),
    "seat_change_rate": (-1, 1e6),
    "login_change_rate": (-1, 1e6),
    "severe_ticket_count": (0, LARGEST_COUNT),
    "reopened_ticket_rate": (0, 1),
    "csat_score": (1, 5),
    "nps_score": (-100, 100),
    "sentiment_score": (1, 5),
    "late_payment_days": (0, 1e6),
    "failed_payment_count": (0, LARGEST_COUNT),
    "chargeback_count": (0, LARGEST_COUNT),
}
COUNTS: Final = frozenset(name for name in BOUNDS if name.endswith("_count"))
FLAG: Final = "has_champion_left"
MEASURES: Final = (*BOUNDS, FLAG)


@dataclass(frozen=True)
class Finding:
    """What is wrong with one value: `row` counts from 1."""

    row: int
    field: str
    value: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.row}: {self.field} {self.value}: {self.reason}"


class SignalsRefused(ValueError):
    """Nothing was written; `findings` say why."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("; ".join(str(one) for one in findings[:3]))
        self.findings = list(findings)


@dataclass
class PostedSignal:
    account_id: int
    measured_on: dt.date
    values: dict[str, Any] = field(default_factory=dict)  # by measure
    custom: dict[str, float] = field(default_factory=dict)  # by the key of a factor


def read_rows(rows: Iterable[Any], *, user: User, as_of: dt.date) -> list[PostedSignal]:
    """Rows of a program, each {"account": id elsewhere, "measured_on": ISO day, measure: value ..., "custom": {...}}.

    Accounts that the user may not write to are named as unknown, so that nobody learns of them.

    Raises SignalsRefused with every finding.
    """
    listed = list(rows)
    if not listed or len(listed) > MOST_ROWS:
        raise SignalsRefused([Finding(0, "rows", str(len(listed)), f"send 1 to {MOST_ROWS:,} rows")])
    names = {str(row.get("account", "")) for row in listed if isinstance(row, dict)}
    names = {name for name in names if name and "\x00" not in name}
    writable = Account.objects.editable_by(user).filter(external_id__in=names)
    accounts = dict(writable.order_by().values_list("external_id", "pk"))
    known = set(HealthFactor.objects.filter(is_custom=True).values_list("key", flat=True))
    findings: list[Finding] = []
    found: dict[tuple[int, dt.date], PostedSignal] = {}
    for number, row in enumerate(listed, 1):
        signal = _read_row(number, row, accounts, known, as_of, findings)
        if signal is None:
            continue
        key = (signal.account_id, signal.measured_on)
        if key in found:
            findings.append(_finding(number, "measured_on", row["measured_on"], "the account has a row for it already"))
        found[key] = signal
    if findings:
        raise SignalsRefused(findings)
    return list(found.values())


def _finding(number: int, name: str, value: Any, reason: str) -> Finding:
    return Finding(number, name, str(value)[:80], reason)


def _read_row(
    number: int, row: Any, accounts: dict[str, int], known: set[str], as_of: dt.date, findings: list[Finding]
) -> PostedSignal | None:
    """None where the row is refused; the findings then say why."""
    if not isinstance(row, dict):
        findings.append(_finding(number, "row", row, "is not an object"))
        return None
    before = len(findings)
    account_id = accounts.get(str(row.get("account", "")))
    if account_id is None:
        findings.append(_finding(number, "account", row.get("account", ""), "is no account that you may write to"))
    day = _day(number, row.get("measured_on", ""), as_of, findings)
    values: dict[str, Any] = {}
    custom: dict[str, float] = {}
    for name, value in row.items():
        if name in ("account", "measured_on") or value is None:
            continue
        if name == "custom" and isinstance(value, dict):
            custom = _custom(number, value, known, findings)
        elif name in MEASURES:
            values[name] = _measure(number, name, value, findings)
        else:
            findings.append(_finding(number, name, value, f"is unknown; known are {', '.join(MEASURES)} and custom"))
    if not values and not custom and len(findings) == before:
        findings.append(_finding(number, "row", row.get("account", ""), "nothing is measured in it"))
    if account_id is None or day is None or len(findings) > before:
        return None
    return PostedSignal(account_id, day, values, custom)


def _day(number: int, value: Any, as_of: dt.date, findings: list[Finding]) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(str(value))
    except ValueError:
        findings.append(_finding(number, "measured_on", value, "is not a day like 2026-11-30"))
        return None
    reason = why_not_on(day, as_of)
    if reason:
        findings.append(_finding(number, "measured_on", value, reason))
        return None
    return day


def why_not_on(day: dt.date, as_of: dt.date) -> str:
    """Why nothing can have been measured on a day; blank where it can."""
    if day > as_of:
        return f"is in the future; today is {as_of:%Y-%m-%d}"
    return f"is before {FIRST_DAY:%Y-%m-%d}" if day < FIRST_DAY else ""


def _measure(number: int, name: str, value: Any, findings: list[Finding]) -> Any:
    if name == FLAG:
        if not isinstance(value, bool):
            findings.append(_finding(number, name, value, "is neither true nor false"))
        return value
    lowest, highest = BOUNDS[name]
    if not _is_number(value) or (name in COUNTS and value != int(value)):
        findings.append(_finding(number, name, value, "is not a whole number" if name in COUNTS else "is not a number"))
    elif not lowest <= value <= highest:
        findings.append(_finding(number, name, value, f"is not from {lowest:g} to {highest:g}"))
    return value


def _custom(number: int, values: dict[str, Any], known: set[str], findings: list[Finding]) -> dict[str, float]:
    for key, value in values.items():
        if key not in known:
            findings.append(_finding(number, f"custom.{key}", value, "is no custom signal of the health weights"))
        elif not _is_number(value):
            findings.append(_finding(number, f"custom.{key}", value, "is not a number"))
    return values


def _is_number(value: Any) -> bool:
    # Compared, not converted: JSON may hold an integer that no float can.
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST <= value <= LARGEST


def record_signals(*, user: User, rows: Sequence[PostedSignal], as_of: dt.date, described: str = "") -> ChangeBatch:
    """Keep what was measured, as one step that can be taken back; the accounts' health is made anew at once.

    A value that is there for the account and day is replaced by the posted one; what is not posted stays.

    Raises:
        SignalsRefused: a day is in the future, or too long ago.
        PermissionDenied: the user does not write to one of the accounts.
    """
    findings = [
        _finding(number, "measured_on", row.measured_on, reason)
        for number, row in enumerate(rows, 1)
        if (reason := why_not_on(row.measured_on, as_of))
    ]
    if findings:
        raise SignalsRefused(findings)
    ids = sorted({row.account_id for row in rows})
    count = len(rows)
    description = described or f"{count:,} signal{'' if count == 1 else 's'} posted"
    with recorded_batch(user=user, how=ChangeBatch.How.PAGE, description=description) as batch:
        # Held in the order of their ids, so that two posts of the same accounts wait for each other.
        held = list(Account.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))
        if len(held) != len(ids) or Account.objects.editable_by(user).filter(pk__in=ids).count() != len(ids):
            raise PermissionDenied("You do not write to one of these accounts.")
        batch.row_count = len(rows)
        note_created(batch, SIGNAL, _write(rows))
        refresh_health_of(account_ids=ids, as_of=as_of)
    return batch


def _write(rows: Sequence[PostedSignal]) -> list[int]:
    """The ids of the rows that were not there. Two statements, whatever the number of rows."""
    known = {
        (one.account_id, one.measured_on): one
        for one in AccountSignal.objects.filter(
            account__in={row.account_id for row in rows}, measured_on__in={row.measured_on for row in rows}
        )
        .order_by("pk")
        .select_for_update()  # an import may be at the same day
    }
    new, changed = [], []
    for row in rows:
        signal = known.get((row.account_id, row.measured_on))
        if signal is None:
            signal = AccountSignal(account_id=row.account_id, measured_on=row.measured_on)
            new.append(signal)
        else:
            changed.append(signal)
        for name, value in row.values.items():
            setattr(signal, name, value)
        if row.custom:
            signal.custom_values = {**(signal.custom_values or {}), **row.custom}
    AccountSignal.objects.bulk_update(changed, [*MEASURES, "custom_values"], batch_size=500)
    return [one.pk for one in AccountSignal.objects.bulk_create(new)]

"""The book as it was known on a past day, for replaying forecasts whose outcome is known by now.

Unlike the book as at a moment (`read_book`), renewals that were brought in later are there too, by what no outcome
changes: their contract, segment, industry, region, baseline, and steady attributes of the account. What has no date
(stage, confidence, forecast, attributes of the renewal, the account's last touch) is missing of them, and what was
decided after the day is hidden. What was there by then, and has a history since, is read from it.
The due day, approved exceptions and the rules are those of today: they say which renewals are compared. Probabilities
that somebody pinned are left out: they are no forecast of model or rep, and have a record of their own.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from django.conf import settings

from accounts.models import AttributeDefinition
from forecasting.engine.arrays import NO_DAY, Booleans, Integers
from forecasting.frames.binary_copy import Arrays, Column, copy_out
from forecasting.frames.book import (
    ACCOUNT_COLUMNS,
    MISSING,
    OPEN,
    RENEWAL_COLUMNS,
    Accounts,
    Book,
    contract_columns,
    custom_columns,
)
from forecasting.frames.rules import CATEGORIES, Rules, day_number
from forecasting.frames.training import Known, forget_unknown, hide_later_decisions
from renewals.models import Stage

LASTING: Final = ("id", "account_id", "contract_id", "due", "is_excluded")
UNKNOWN_STAGE: Final = -1


@dataclass(frozen=True, eq=False)
class KnownBook:
    """A book as it was known on a day; `is_known` bool[n]: what the rep had written of a renewal is known of then."""

    book: Book
    is_known: Booleans


def rules_of_replay(rules: Rules) -> Rules:
    """The rules with a stage that nothing is known of: it says neither how far a renewal has come nor of its risk."""
    return replace(
        rules,
        stage_ids=np.append(UNKNOWN_STAGE, rules.stage_ids),
        stage_progress=np.append(np.nan, rules.stage_progress),
        stage_categories=np.append(
            np.int8(CATEGORIES.index(Stage.ForecastCategory.PIPELINE)), rules.stage_categories
        ).astype(np.int8),
    )


def known_on(
    cursor: Any, rules: Rules, accounts: Accounts, present: Book, *, day: dt.date, moment: dt.datetime
) -> KnownBook:
    """`present`, the book of `accounts` as it is (read_book), put back to what was known at a moment: the end of `day`.

    `rules` are those of `rules_of_replay`, and `present` was read with them. It stays as it is.
    """
    rows = {name: values.copy() for name, values in present.renewals.items()}
    order = np.argsort(rows["id"], kind="stable")
    there = _there(cursor, accounts, rows, order, moment)
    decided = _decided_on(rows)
    own = [column for column in RENEWAL_COLUMNS if column.name not in LASTING]
    has_event = _put_back(
        cursor, accounts, rows, order, moment, "renewals_renewal", "s.id",
        [*own, *custom_columns(rules, is_of_account=False)], there.of_renewal, "r",
    )  # fmt: skip
    everywhere = np.ones(order.size, dtype=np.bool_)
    of_account = [*ACCOUNT_COLUMNS[1:], *custom_columns(rules, is_of_account=True)]
    _put_back(cursor, accounts, rows, order, moment, "accounts_account", "s.account_id", of_account, everywhere, "a")
    _put_back(
        cursor, accounts, rows, order, moment, "renewals_contract", "s.contract_id", contract_columns(rules)[1:],
        everywhere, "c",
    )  # fmt: skip
    # Without an event since, one that was decided later was put in decided.
    is_known = there.of_renewal & (has_event | (decided <= day_number(day)))
    was_decided = rows["outcome"] != OPEN
    hide_later_decisions(rows, day_number(day))
    is_hidden = was_decided & (rows["outcome"] == OPEN)
    rows["cross_sell"][is_hidden | (~is_known & (rows["outcome"] == OPEN))] = 0
    _forget(rules, rows, Known(is_known, there.of_account))
    if "pinned" in rows:
        rows["pinned"][:] = MISSING
    return KnownBook(replace(present, renewals=rows), is_known)


def _decided_on(rows: Arrays) -> Integers:
    """Day of the decision of each row as it is; NO_DAY, which is before every day, of open ones."""
    lost_on = np.where(rows["declined"] == NO_DAY, rows["due"], rows["declined"])
    decided = np.where(rows["ordered"] != NO_DAY, rows["ordered"], lost_on)
    return np.where(rows["outcome"] == OPEN, NO_DAY, decided)


def _there(cursor: Any, accounts: Accounts, rows: Arrays, order: Integers, moment: dt.datetime) -> Known:
    """Which renewals and accounts were recorded by then; none where history has been forgotten since."""
    is_kept = "%s > now() - make_interval(days => %s)"
    kept = (moment, settings.HISTORY_RETENTION_DAYS)
    found = copy_out(
        cursor,
        [
            Column("id", "int8", "s.id"),
            Column("renewal", "bool", f"({is_kept} AND s.created_at <= %s)", (*kept, moment)),
            Column("account", "bool", f"({is_kept} AND a.created_at <= %s)", (*kept, moment)),
        ],
        "renewals_renewal s JOIN accounts_account a ON a.id = s.account_id"
        f" WHERE {accounts.condition.format('s.account_id')}",
        accounts.parameters,
    )
    places, is_here = _places(rows["id"], order, found["id"])
    known = {name: np.zeros(order.size, dtype=np.bool_) for name in ("renewal", "account")}
    for name, values in known.items():
        values[places] = found[name][is_here]
    return Known(known["renewal"], known["account"])


def _put_back(
    cursor: Any,
    accounts: Accounts,
    rows: Arrays,
    order: Integers,
    moment: dt.datetime,
    table: str,
    key: str,
    columns: list[Column],
    may_be: Booleans,
    alias: str,
) -> Booleans:
    """Set each row to its first event after the moment, where there is one and the row `may_be`; which ones were."""
    source = (
        f"renewals_renewal s JOIN LATERAL (SELECT * FROM {table}event e WHERE e.pgh_obj_id = {key}"
        f" AND e.pgh_created_at > %s ORDER BY e.pgh_id LIMIT 1) {alias} ON TRUE"
        f" WHERE {accounts.condition.format('s.account_id')}"
    )
    past = copy_out(cursor, [Column("s_id", "int8", "s.id"), *columns], source, [moment, *accounts.parameters])
    places, is_here = _places(rows["id"], order, past.pop("s_id"))
    taken = may_be[places]
    for name, values in past.items():
        rows[name][places[taken]] = values[is_here][taken]
    was_put = np.zeros(order.size, dtype=np.bool_)
    was_put[places[taken]] = True
    return was_put


def _places(ids: Integers, order: Integers, wanted: Integers) -> tuple[Integers, Booleans]:
    """(places of the wanted ids among `ids`, which of them are there): rows may have come since the book was read."""
    if not ids.size:
        return np.empty(0, dtype=np.int64), np.zeros(wanted.size, dtype=np.bool_)
    place = order[np.minimum(np.searchsorted(ids, wanted, sorter=order), ids.size - 1)]
    is_here: Booleans = ids[place] == wanted
    return place[is_here], is_here


def _forget(rules: Rules, rows: Arrays, known: Known) -> None:
    forget_unknown(rules, rows, known)
    rows["stage_id"][~known.of_renewal] = UNKNOWN_STAGE
    rows["confidence"][~known.of_renewal] = MISSING
    holder, category = AttributeDefinition.Holder.ACCOUNT, AttributeDefinition.Kind.CATEGORY
    steady = set(AttributeDefinition.objects.filter(holder=holder, is_steady=True).values_list("key", flat=True))
    for factor in rules.custom_factors:
        if factor.is_of_account and factor.key in steady:
            continue
        is_unknown = ~(known.of_account if factor.is_of_account else known.of_renewal)
        rows[f"custom_{factor.position}"][is_unknown] = MISSING if factor.kind == category else np.nan

"""What an address of these pages asks for, beside whose book it is; and the addresses of the rows behind a figure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import Http404

from forecasting.engine.recurring import Kind, State
from forecasting.models import MrrMovement
from forecasting.mrr.ledger import KINDS
from forecasting.scopes.scope import Scope, address_of

BACKS: Final = (12, 24, 36)
CLOSING: Final = "closing"
OPEN: Final = "open"
# Customers that were there when the ledger begins.
BEFORE: Final = "before"
KIND_NAMES: Final = {kind.name.lower(): kind for kind in KINDS}
CERTAIN: Final = "certain"
STATE_NAMES: Final = {
    "actual": (State.ACTUAL,),
    CERTAIN: (State.ACTUAL, State.COMMITTED),
    "ahead": (State.COMMITTED, State.EXPECTED),
    "expected": (State.EXPECTED,),
}


def read_back(query: Mapping[str, str]) -> int:
    text = query.get("back") or str(BACKS[0])
    if text not in map(str, BACKS):
        raise Http404(f"Months back are {', '.join(map(str, BACKS))}, not {text!r}.")
    return int(text)


@dataclass(frozen=True)
class Rows:
    """Which movements: a kind, or all up to a closing, or what is open; in some months and states; of an offer; of the
    customers that came in some months, or, with `is_before`, before the ledger begins."""

    kind: str
    first_on: dt.date | None
    last_on: dt.date
    state: str = ""
    offer: str | None = None
    came: tuple[dt.date, dt.date] | None = None
    is_before: bool = False

    @property
    def title(self) -> str:
        """What the rows are, in words: Churn, expected, Nov 2026."""
        kind = {CLOSING: "MRR at the end of", OPEN: "Open"}.get(self.kind) or self.kind.capitalize()
        months = f"{self.last_on:%b %Y}"
        if self.first_on and self.first_on != self.last_on and self.kind != CLOSING:
            months = f"{self.first_on:%b %Y} to {months}"
        state = {"actual": ", in effect", CERTAIN: ", signed", "expected": ", expected", "ahead": ", ahead"}
        offer = "" if self.offer is None else f" of {self.offer or 'no product'}"
        between = " " if self.kind == CLOSING else ", "
        return f"{kind}{offer}{between}{months}{state.get(self.state, '')}{self._customers()}"

    def _customers(self) -> str:
        if self.is_before:
            return ", of customers from before the ledger begins"
        if self.came is None:
            return ""
        first_on, last_on = self.came
        months = f"{last_on:%b %Y}" if first_on == last_on else f"{first_on:%b %Y} to {last_on:%b %Y}"
        return f", of customers that came in {months}"

    def of(self, movements: QuerySet[MrrMovement]) -> QuerySet[MrrMovement]:
        rows = movements.filter(month_on__lte=self.last_on)
        if self.first_on and self.kind != CLOSING:
            rows = rows.filter(month_on__gte=self.first_on)
        if self.kind == OPEN:
            rows = rows.filter(state=State.EXPECTED, kind=Kind.CHURN)
        elif self.kind != CLOSING:
            rows = rows.filter(kind=KIND_NAMES[self.kind])
        if self.state:
            rows = rows.filter(state__in=STATE_NAMES[self.state])
        if self.offer is not None:
            product = Q(contract__product=self.offer) & (Q(renewal=None) | Q(renewal__offer=None))
            rows = rows.filter(Q(renewal__offer__name=self.offer) | product)
        if self.is_before or self.came is not None:
            rows = rows.filter(account__in=self._came())
        return rows.order_by(F("open_amount" if self.kind == OPEN else "amount").desc(), "pk")

    def _came(self) -> QuerySet[Any, Any]:
        """The accounts, by their first movement, whoever's it is."""
        theirs = MrrMovement.objects.filter(state=State.ACTUAL).order_by()
        if self.came is None:
            return theirs.filter(kind=Kind.OPENING).values("account")
        first_on, last_on = self.came
        earlier = theirs.filter(account=OuterRef("account"), month_on__lt=first_on)
        within = theirs.filter(month_on__gte=first_on, month_on__lte=last_on).exclude(kind=Kind.OPENING)
        return within.filter(~Exists(earlier)).values("account")


def read_rows(query: Mapping[str, str]) -> Rows:
    """404 for what is no kind, month or state."""
    kind, state = query.get("kind", CLOSING), query.get("state", "")
    if kind not in {*KIND_NAMES, CLOSING, OPEN} or state not in {"", *STATE_NAMES}:
        raise Http404("There are no such movements.")
    last_on = _month(query.get("month", ""))
    first_on = _month(query["from"]) if query.get("from") else last_on
    came = query.get("came", "")
    if came in ("", BEFORE):
        return Rows(kind, first_on, last_on, state, query.get("offer"), is_before=came == BEFORE)
    came_on = _month(came)
    until_on = _month(query["came_to"]) if query.get("came_to") else came_on
    return Rows(kind, first_on, last_on, state, query.get("offer"), (came_on, until_on))


def _month(text: str) -> dt.date:
    if not re.fullmatch(r"(19|20)[0-9]{2}-(0[1-9]|1[0-2])", text):
        raise Http404(f"A month is written as 2026-11, not as {text!r}.")
    return dt.date(int(text[:4]), int(text[5:]), 1)


def rows_url(scope: Scope, kind: str, month_on: dt.date, *, state: str = "", **more: str) -> str:
    """The rows whose sum is a figure: `kind` is one of KIND_NAMES, CLOSING or OPEN."""
    asked = {"kind": kind, "month": f"{month_on:%Y-%m}", **({"state": state} if state else {}), **more}
    return address_of("forecasting:mrr_rows", {**asked, **scope.chosen})

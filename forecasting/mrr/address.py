"""What an address of these pages asks for, beside whose book it is; and the addresses of the rows behind a figure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.db.models import F, Q, QuerySet
from django.http import Http404
from django.urls import reverse

from forecasting.engine.recurring import Kind, State
from forecasting.models import MrrMovement
from forecasting.mrr.ledger import KINDS
from forecasting.scope import Scope

BACKS: Final = (12, 24, 36)
CLOSING: Final = "closing"
OPEN: Final = "open"
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
    """Which movements: a kind, or all up to a closing, or what is open; in some months and states; of an offer."""

    kind: str
    first_on: dt.date | None
    last_on: dt.date
    state: str = ""
    offer: str | None = None

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
        return f"{kind}{offer}{between}{months}{state.get(self.state, '')}"

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
        return rows.order_by(F("open_amount" if self.kind == OPEN else "amount").desc(), "pk")


def read_rows(query: Mapping[str, str]) -> Rows:
    """404 for what is no kind, month or state."""
    kind, state = query.get("kind", CLOSING), query.get("state", "")
    if kind not in {*KIND_NAMES, CLOSING, OPEN} or state not in {"", *STATE_NAMES}:
        raise Http404("There are no such movements.")
    last_on = _month(query.get("month", ""))
    first_on = _month(query["from"]) if query.get("from") else last_on
    return Rows(kind, first_on, last_on, state, query.get("offer"))


def _month(text: str) -> dt.date:
    if not re.fullmatch(r"(19|20)[0-9]{2}-(0[1-9]|1[0-2])", text):
        raise Http404(f"A month is written as 2026-11, not as {text!r}.")
    return dt.date(int(text[:4]), int(text[5:]), 1)


def rows_url(scope: Scope, kind: str, month_on: dt.date, *, state: str = "", **more: str) -> str:
    """The rows whose sum is a figure: `kind` is one of KIND_NAMES, CLOSING or OPEN."""
    asked = {"kind": kind, "month": f"{month_on:%Y-%m}", **({"state": state} if state else {}), **more}
    return f"{reverse('forecasting:mrr_rows')}?{urlencode({**asked, **scope.chosen})}"

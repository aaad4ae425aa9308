"""Every page in the odd books: words instead of errors, on screen, at a past day, and as a workbook."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from typing import Final

import pytest
from python_calamine import CalamineWorkbook

from accounts.models import User, get_company
from dashboards.rollups.services import bring_up_to_date
from forecasting.mrr.services import roll_up_mrr
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import recompute, renewed
from tests.pages import assert_sensible

PAGES: Final = (
    "executive", "forecast", "retention", "timing", "risk", "review", "scorecards", "capacity", "learning-curve",
)  # fmt: skip
ASKED: Final = (
    "",
    "by=month&years=1",
    "attribution=order_period",
    "attribution=hybrid&years=3",
    "booking=upsell",
    "as_at={today}",
)
# Names of fields and of choices, floats as they are computed, templates that were not filled in.
RAW: Final = re.compile(r"(?<![\w@./:=-])[a-z]+_[a-z_]+(?![\w@=(./])|\b[A-Z]{2,}_[A-Z_]+\b|\d\.\d{5,}|\{[{%]|\binf\b")


def days(count: int) -> dt.date:
    return get_company().today() + dt.timedelta(days=count)


def nothing(cast: Cast) -> None:
    pass


def one_open(cast: Cast) -> None:
    make_renewal(owner=cast.rep, due_on=days(10))


def one_past_due(cast: Cast) -> None:
    make_renewal(owner=cast.rep, due_on=days(-5))


def one_renewed(cast: Cast) -> None:
    make_renewal(owner=cast.rep, due_on=days(-40), **renewed(12_000, days(-30)))


def no_value(cast: Cast) -> None:
    for back in (-100, -10, 10):
        make_renewal(owner=cast.rep, due_on=days(back), baseline_amount=Decimal(0))


def all_lost(cast: Cast) -> None:
    for back in (-200, -100, -10):
        make_renewal(owner=cast.rep, due_on=days(back), outcome="lost", final_amount=0, declined_on=days(back))


def shrunk(cast: Cast) -> None:
    for back in (-200, -100):
        make_renewal(owner=cast.rep, due_on=days(back), **renewed(1, days(back)))


def no_rate(cast: Cast) -> None:
    for back in (-100, 10):
        make_renewal(owner=cast.rep, due_on=days(back), currency="GBP")


def nobodys(cast: Cast) -> None:
    make_renewal(owner=None, due_on=days(-100), **renewed(12_000, days(-100)))
    make_renewal(owner=None, due_on=days(10))


@pytest.mark.parametrize(
    "make", [nothing, one_open, one_past_due, one_renewed, no_value, all_lost, shrunk, no_rate, nobodys]
)
def test_every_page_has_sensible_words(cast: Cast, make: Callable[[Cast], None]) -> None:
    make(cast)
    User.objects.filter(pk=cast.viewer.pk).update(team=None)
    recompute(as_of=get_company().today())
    roll_up_mrr()
    bring_up_to_date()
    for who in ("admin", "rep", "viewer"):
        client = cast.client_of(who)
        for page in PAGES:
            for asked in ASKED if who == "admin" else ASKED[:1]:
                address = f"/dashboards/{page}/?{asked.format(today=get_company().today())}"
                response = client.get(address)
                assert response.status_code == 200, (who, address)
                text = response.content.decode()
                assert_sensible(text)
                shown = re.sub(r"<[^>]+>", " | ", re.sub(r"(?s)<(script|style|template).*?</\1>", " ", text))
                assert RAW.findall(shown) == [], (who, address)
                if who == "admin":
                    file = client.get(f"{address}&format=xlsx")
                    assert file.status_code == (200 if "format=xlsx" in text else 404), address
                    if file.status_code == 200:
                        CalamineWorkbook.from_filelike(BytesIO(file.content))

"""Books that know little, through a fit, a recompute and the pages: sensible, wide and labelled."""

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from html import unescape
from typing import Any

import pytest

from accounts.models import Segment, get_company
from forecasting.models import ForecastLine
from renewals.models import Renewal, RenewalScore
from tests.cast import Cast, make_account, make_renewal
from tests.forecasting.forecast_book import recompute
from tests.forecasting.learning.test_fit import fit
from tests.pages import read_page

OPEN = 20  # renewals of 12,000
DUE_IN = 40  # days, all in one month


@dataclass(frozen=True)
class Case:
    """`won` and `lost` decided renewals of the first `segments`; what the model page says of them.

    Where there is a `giant`, it is 60 % of all that is open.
    """

    won: int
    lost: int
    says: str
    segments: int = 2
    giant: bool = False


CASES = {
    "nothing": Case(0, 0, "Nothing is decided yet: a stated prior is used."),
    "one won": Case(1, 0, "One renewal is decided: the plain rate is used"),
    "one lost": Case(0, 1, "One renewal is decided: the plain rate is used"),
    "thirty": Case(25, 5, "the simple rate is used"),
    "all won": Case(60, 0, "All 60 decided renewals ended alike"),
    "all lost": Case(0, 60, "All 60 decided renewals ended alike"),
    "one segment": Case(67, 13, "the simple rate is used", segments=1),
    "a giant": Case(20, 10, "the simple rate is used", giant=True),
}


def make_book(cast: Cast, case: Case, today: dt.date) -> list[Renewal]:
    """The open ones are of two segments, whatever the decided ones are of."""
    segments = [Segment.objects.get_or_create(name=name)[0] for name in ("Enterprise", "Small")]
    count = case.won + case.lost
    outcomes = [(at + 1) * case.won // count > at * case.won // count for at in range(count)]
    for at, came in enumerate(outcomes):
        due_on = today - dt.timedelta(days=130 + 700 * at // len(outcomes))
        ended: dict[str, Any] = {"outcome": "lost", "declined_on": due_on, "final_amount": 0}
        if came:
            ended = {"outcome": "renewed", "ordered_on": due_on, "final_amount": Decimal(12_000)}
        account = make_account(owner=cast.rep, segment=segments[at % case.segments])
        make_renewal(owner=cast.rep, account=account, due_on=due_on, **ended)
    return [
        make_renewal(
            owner=cast.rep,
            account=make_account(owner=cast.rep, segment=segments[at % 2]),
            due_on=today + dt.timedelta(days=DUE_IN),
            baseline_amount=Decimal(amount),
        )
        for at, amount in enumerate([12_000] * OPEN + [12_000 * OPEN * 3 // 2] * case.giant)
    ]


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_book_that_knows_little_is_forecast_widely_and_says_so(cast: Cast, case: Case) -> None:
    today = get_company().today()
    renewals = make_book(cast, case, today)
    recompute(today)
    fit(today)
    recompute(today)
    decided = case.won + case.lost
    scores = RenewalScore.objects.filter(renewal__in=renewals)
    assert set(scores.values_list("likelihood_count", flat=True)) == {decided}
    for likelihood, probability in scores.values_list("likelihood", "probability"):
        # Nothing is certain, and without anything decided it is the stated rate.
        assert 0.002 <= likelihood <= 0.998
        assert probability == likelihood
        assert decided or likelihood == pytest.approx(0.85)
    line = ForecastLine.objects.get(
        grain="month", starts_on=renewals[0].due_on.replace(day=1), team=None, owner=None, segment=None
    )
    assert 0 <= line.p10_amount <= line.p50_amount <= line.p90_amount
    assert line.open_count == len(renewals)
    width = (line.p90_amount - line.p10_amount) / line.chance_amount
    if decided <= 30:
        # Chance alone is 2.56 of its standard deviations wide, unless one contract is nearly everything.
        assert width > 3 or case.giant
    if case.giant:
        # It comes or it does not: P10 is without it, P90 with it.
        assert line.p10_amount < Decimal("0.45") * line.open_amount < line.p50_amount
    model = words(read_page(cast, "admin", "/forecast/model/"))
    assert case.says in model
    forecast = words(read_page(cast, "admin", "/forecast/"))
    assert "Few renewals are decided: how many of all renew may lie" in forecast
    for address in ("accuracy/", "reps/", "mrr/", "calls/", "bridge/"):
        read_page(cast, "admin", f"/forecast/{address}")
    # Its choice of a churn reason may say None, so it is not held to what no page may say.
    drawer = words(cast.client_of("rep").get(f"/renewals/{renewals[0].pk}/").content.decode())
    assert ("none decided behind it" if not decided else f"{decided} decided behind it") in drawer

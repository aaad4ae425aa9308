"""What is said under the totals: the floor that chance sets, and how much each learned thing rests on."""

import datetime as dt
from decimal import Decimal

from forecasting.engine.amounts import AmountModel
from forecasting.frames.outlook import Outlook
from forecasting.models import ForecastLine, Run
from forecasting.overview.basis import describe_basis, typical_miss
from forecasting.overview.dashboard import Period
from forecasting.scopes.lines import Credit

START, END = dt.date(2026, 11, 1), dt.date(2027, 1, 31)


def period(**amounts: int) -> Period:
    line = ForecastLine(grain="quarter", starts_on=START, **{name: Decimal(value) for name, value in amounts.items()})
    return Period(START, END, "Q4 FY27", line, Credit(), is_current=True)


def test_little_history_is_named_as_stated() -> None:
    told = describe_basis(Run(), period(), "EUR")
    assert told == [
        "Renewals of a period are taken to move together by 0.17 in log-odds: stated, while no past period was "
        "forecast.",
        "Few renewals are decided: how many of all renew may lie 0.80 in log-odds from what is taken, and every band "
        "is wider by that.",
        "Amounts spread as stated: only 0 decided renewals say what a renewal brings.",
        "Order days are as stated: only 0 settled orders.",
    ]


def test_the_floor_is_the_mean_miss_by_chance() -> None:
    now = period(expected_amount=100_000, chance_amount=10_000, open_count=40, collected_amount=98_500)
    assert typical_miss(now) == Decimal("0.0798")
    assert typical_miss(period()) is None
    first, *_, last = (sentence.replace("\N{NO-BREAK SPACE}", " ") for sentence in describe_basis(Run(), now, "EUR"))
    assert first == (
        "Chance alone moves Q4 FY27 by 8.0 % on average, with 40 open: no forecast of it can be nearer in the long run."
    )
    assert last.startswith("98.5 % of what is expected will be paid (€ 98.5 K), by how late")


def test_what_was_learned_is_counted() -> None:
    amounts = AmountModel.without_history().to_dict() | {"counts": [400, 120], "forecast_weight": 0.85}
    run = Run(amount_model=amounts, shock={"size": 0.21, "period_count": 1})
    told = describe_basis(run, period(), "EUR")
    assert told[0] == "Renewals of a period move together by 0.21 in log-odds, learned from 1 past period."
    assert told[1] == (
        "Upsell and downsell are those of 400 decided renewals; a rep's forecast amount counts 85% (120 closed)."
    )
    assert Outlook.of_run(run).for_run()["amount_model"] == amounts


def test_a_rate_that_few_decided_renewals_tell_is_said_to_be_unknown() -> None:
    run = Run(shock={"size": 0.175, "period_count": 0, "unknown": 0.42})
    said = (
        "Few renewals are decided: how many of all renew may lie 0.42 in log-odds from what is taken, "
        "and every band is wider by that."
    )
    assert said in describe_basis(run, period(), "EUR")
    run = Run(shock={"size": 0.175, "period_count": 9, "unknown": 0.09})
    assert not any("Few renewals" in sentence for sentence in describe_basis(run, period(), "EUR"))

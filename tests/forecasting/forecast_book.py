"""A book small enough to add up by hand. The fiscal year starts in February: Q3 FY27 is August to October 2026."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Company, Segment
from forecasting import services
from forecasting.models import Run
from renewals.models import Renewal, RenewalScore, Stage
from tests.cast import Cast, make_account, make_rate, make_renewal

AS_OF = dt.date(2026, 11, 21)


def recompute(as_of: dt.date = AS_OF) -> Run:
    services.request_run(reason=Run.Reason.DEMAND, user=None)
    run = services.claim_run(as_of=as_of)
    assert run is not None
    services.execute_run(run_id=run.pk)
    services.judge_data_rules()
    run.refresh_from_db()
    return run


def renewed(amount: int, ordered_on: dt.date) -> dict[str, Any]:
    return {"outcome": "renewed", "final_amount": Decimal(amount), "ordered_on": ordered_on}


@pytest.fixture
def book(cast: Cast) -> dict[str, Renewal]:
    """Eleven renewals, scored and published; all of the rep in Enterprise, but for two of the outsider in Small.

    Q3: 30,000 due; 12,000 on time, 6,000 late, 5,000 lost, 3,000 won back, 4,000 overdue. Q4: one early, open ones.
    """
    Company.objects.update(fiscal_year_start_month=2)
    make_rate("USD", "0.90")
    small = Segment.objects.create(name="Small")
    stage = {name: Stage.objects.get(name=name) for name in ("Verbal yes", "Proposal", "In contact")}

    def renewal(due_on: tuple[int, int, int], baseline: int, **fields: Any) -> Renewal:
        fields = {"owner": cast.rep, "baseline_amount": Decimal(baseline), **fields}
        return make_renewal(due_on=dt.date(*due_on), **fields)

    amer = {"owner": cast.outsider, "account": make_account(owner=cast.outsider, segment=small, name="Amer <b>Ltd</b>")}
    made = {
        "on_time": renewal((2026, 9, 30), 10_000, **renewed(12_000, dt.date(2026, 9, 20))),
        "late": renewal((2026, 10, 20), 8_000, **renewed(6_000, dt.date(2026, 11, 5))),
        "lost": renewal((2026, 8, 31), 5_000, outcome="lost", final_amount=0, declined_on=dt.date(2026, 8, 1)),
        "win_back": renewal((2026, 8, 5), 3_000, **renewed(3_000, dt.date(2026, 11, 15)), **amer),
        "overdue": renewal((2026, 10, 31), 4_000, stage=stage["Verbal yes"], forecast_amount=Decimal(4_400)),
        "excluded": renewal((2026, 9, 30), 99_999, is_excluded=True, excluded_reason="A test account"),
        "early": renewal((2026, 12, 31), 20_000, **renewed(20_000, dt.date(2026, 11, 1))),
        "commit": renewal((2027, 1, 15), 10_000, stage=stage["Verbal yes"], forecast_amount=Decimal(11_000)),
        "best_case": renewal((2026, 12, 10), 10_000, stage=stage["Proposal"], currency="USD"),
        "pipeline": renewal((2026, 11, 25), 7_000, stage=stage["In contact"], **amer),
        "no_rate": renewal((2026, 12, 1), 1_000, stage=stage["In contact"], currency="GBP"),
    }
    recompute()
    # What the engine makes of them is tested elsewhere; here the figures have to be known.
    for name, probability, risk in [
        ("commit", 0.9, 20.0),
        ("best_case", 0.6, 30.0),
        ("pipeline", 0.25, 80.0),
        ("no_rate", 0.5, 10.0),
    ]:
        RenewalScore.objects.filter(renewal=made[name]).update(probability=probability, risk_score=risk)
    return made

import numpy as np
import pytest

from forecasting.engine.payments import default_rates

NAN = float("nan")


@pytest.mark.parametrize(
    ("late", "failed", "chargebacks", "rate"),
    [
        (NAN, NAN, NAN, 0.02),
        (0.0, 0.0, 0.0, 0.01),
        (0.0, NAN, NAN, 0.01),
        # Odds of 1 to 99 times e^0.9, e^0.5 and e^1.
        (30.0, NAN, NAN, 0.024242),
        (NAN, 1.0, NAN, 0.016381),
        (NAN, NAN, 1.0, 0.026724),
        (60.0, 5.0, 5.0, 0.5),
        (9_999.0, 0.0, 0.0, 0.057588),  # as 60 days
        (-5.0, 0.0, 0.0, 0.01),  # paid before it was due
    ],
)
def test_default_rates(late: float, failed: float, chargebacks: float, rate: float) -> None:
    found = default_rates(
        late_days=np.array([late]), failed_count=np.array([failed]), chargeback_count=np.array([chargebacks])
    )
    assert found[0] == pytest.approx(rate, abs=1e-6)

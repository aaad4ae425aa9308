"""Exchange rates as a report uses them."""

import datetime as dt
from decimal import Decimal

from accounts.exchange import read_rates
from tests.cast import make_rate


def test_read_rates_takes_the_newest_in_force_and_leaves_out_what_has_none(db: None) -> None:
    make_rate("USD", "0.80", dt.date(2025, 1, 1))
    make_rate("USD", "0.90", dt.date(2026, 1, 1))
    make_rate("USD", "0.95", dt.date(2026, 12, 1))
    make_rate("GBP", "1.20", dt.date(2027, 1, 1))
    make_rate("EUR", "3", dt.date(2020, 1, 1))  # the reporting currency is 1, whatever a table says
    assert read_rates(as_of=dt.date(2026, 11, 21)) == {"USD": Decimal("0.90"), "EUR": Decimal(1)}

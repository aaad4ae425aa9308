"""How amounts and rates are written."""

from decimal import Decimal

import pytest

from accounts.templatetags.money import compact_money, exact_money, exact_rate, money, percent

nbsp = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "€ 0"),
        (Decimal("949.50"), "€ 950"),
        (Decimal("999.49"), "€ 999"),
        (Decimal(1000), "€ 1.0 K"),
        (Decimal(12_449), "€ 12.4 K"),
        (Decimal(999_949), "€ 999.9 K"),
        (Decimal(999_950), "€ 1.0 M"),
        (Decimal("84249999.99"), "€ 84.2 M"),
        (Decimal("1234567890123"), "€ 1,234.6 B"),
        (Decimal(-6_300_000), "−€ 6.3 M"),
        (Decimal("-0.40"), "€ 0"),
        (None, "–"),
    ],
)
def test_compact_money_keeps_one_decimal_of_the_largest_step(amount: Decimal | None, text: str) -> None:
    assert compact_money(amount, "EUR") == text.replace(" ", nbsp)


def test_money_is_written_in_whole_units_or_to_the_cent() -> None:
    written = [money(Decimal("42000.50"), "EUR"), exact_money(Decimal("42000.5"), "CHF"), exact_money(-1, "")]
    assert written == [f"€{nbsp}42,001", f"CHF{nbsp}42,000.50", "−1.00"]


def test_rates_are_written_in_per_cent() -> None:
    written = [percent(0.405), exact_rate(0.8944), exact_rate(Decimal("1.0005")), percent(None), exact_rate(None)]
    assert written == [f"41{nbsp}%", f"89.4{nbsp}%", f"100.1{nbsp}%", "–", "–"]

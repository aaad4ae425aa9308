"""How amounts and rates are written: € 42,000, € 84.2 M, 41 %, 89.4 %. Also plain functions for Python code."""

from decimal import ROUND_HALF_UP, Decimal

from django import template

register = template.Library()

NOTHING = "–"
SPACE = "\N{NO-BREAK SPACE}"  # a sign, a number and its unit never part at the end of a line
SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "CNY": "CN¥", "INR": "₹", "KRW": "₩", "BRL": "R$", "PLN": "zł"}

Number = Decimal | float | int


def currency_sign(currency: str) -> str:
    """The sign of a currency, or its code where it has none of its own."""
    return SIGNS.get(currency, currency)


@register.filter
def money(amount: Number | None, currency: str = "") -> str:
    """Whole units, as in a list: € 42,000."""
    return NOTHING if amount is None else _signed(f"{_rounded(abs(_exact(amount)), 0):,}", amount, currency)


@register.filter
def exact_money(amount: Number | None, currency: str = "") -> str:
    """To the cent: € 42,000.50."""
    return NOTHING if amount is None else _signed(f"{_rounded(abs(_exact(amount)), 2):,}", amount, currency)


@register.filter
def compact_money(amount: Number | None, currency: str = "") -> str:
    """In thousands, millions or billions with one decimal: € 84.2 M; below a thousand in whole units."""
    if amount is None:
        return NOTHING
    size, letter, places = abs(_exact(amount)), "", 0
    for larger in ("K", "M", "B"):
        # Asked of what would be shown, so that 999,950 is € 1.0 M and never € 1,000.0 K.
        if _rounded(size, places) < 1000:
            break
        size, letter, places = size / 1000, f"{SPACE}{larger}", 1
    return _signed(f"{_rounded(size, places):,}{letter}", amount, currency)


@register.filter
def percent(rate: Number | None) -> str:
    """A rate from 0 to 1 in whole per cent: 41 %."""
    return NOTHING if rate is None else f"{_rounded(_exact(rate) * 100, 0):,}{SPACE}%"


@register.filter(name="rate")
def exact_rate(rate: Number | None) -> str:
    """A rate from 0 to 1 in per cent with one decimal: 89.4 %."""
    return NOTHING if rate is None else f"{_rounded(_exact(rate) * 100, 1):,}{SPACE}%"


def _exact(number: Number) -> Decimal:
    return number if isinstance(number, Decimal) else Decimal(str(number))


def _rounded(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def _signed(digits: str, amount: Number, currency: str) -> str:
    minus = "−" if amount < 0 and any(digit in "123456789" for digit in digits) else ""
    sign = f"{currency_sign(currency)}{SPACE}" if currency else ""
    return f"{minus}{sign}{digits}"

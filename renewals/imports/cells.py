"""From the text of a cell to what the database takes, each distinct text read once.

A reader answers with text ready for COPY (`\\N` is NULL) and keeps what it has to say about a text beside it: a
refusal,
which leaves the row out, or a warning, which does not.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from unicodedata import category, is_normalized, normalize

from accounts.models import Ticket, Touch
from renewals.imports.dates import EARLIEST, LATEST, NoSuchDay, last_of_month, read_date
from renewals.imports.fields import NAMED_KINDS, Kind
from renewals.imports.lookups import Lookups
from renewals.imports.mapping import Rule

NULL = r"\N"
LONGEST_CELL = 10_000
CACHED = 200_000  # texts; a column of a million different keys must not stay in memory
YES = frozenset({"yes", "y", "true", "t", "1", "x", "on"})
NO = frozenset({"no", "n", "false", "f", "0", "off"})
PER_YEAR = {"year": 1, "quarter": 4, "month": 12, "total": 1}
SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d+\Z")
CURRENCY_SIGNS = re.compile(r"^(?:[€$£¥]|[A-Z]{3} )|(?:[€$£¥]| [A-Z]{3})$")
CURRENCY = re.compile(r"[A-Z]{3}\Z")
# Signs that keep a whole column, cells between line ends, from passing without a look at each cell.
NOT_PLAIN = ("\n#", "  ", "\n ", " \n", "\n'", "\n\n", "\\", "e+", "E+")
PLAIN_AMOUNTS = re.compile(r"(?:\d{1,12}(?:\.\d{1,2})?\n)+\Z", re.ASCII)
# What a spreadsheet shows where a formula failed, and writes into a CSV.
FORMULA_ERRORS = frozenset(
    {"#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!", "#GETTING_DATA"}
)
# A quote that our own files to fix put before text that a spreadsheet would run as a formula.
GUARDED = re.compile(r"'[=+\-@\t\r]")
# Between letters of some scripts, and within emoji, these two make a word what it is; elsewhere nobody sees them.
JOINER = re.compile(r"(?<![^\x00-\u02ff])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\u02ff])")


@dataclass(frozen=True)
class Note:
    """What a person has to know about a cell."""

    code: str
    reason: str
    is_refusal: bool = True


class Unreadable(ValueError):
    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass
class ColumnReader:
    """Reads the cells of one field. `notes` is filled with the texts that need a person."""

    rule: Rule
    lookups: Lookups
    encode: Callable[[str], str] = str
    cache: dict[str, str] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)

    def read(self, cells: Sequence[str]) -> list[str]:
        if self._is_plain(cells):
            return list(cells)
        cache = self.cache
        if len(cache) > CACHED:
            cache.clear()
            self.notes.clear()
        for text in dict.fromkeys(cells):  # in their order, so that new names join their lists in the file's order
            if text not in cache:
                cache[text] = self._read_one(text)
        return [cache[text] for text in cells]

    def _is_plain(self, cells: Sequence[str]) -> bool:
        """True where every cell is its own value: no spaces to collapse, nothing to translate, to refuse or to cut."""
        rule = self.rule
        if rule.values or rule.refuse or rule.strip or rule.default or rule.one_line or self.encode is not str:
            return False
        if rule.field.kind in (Kind.KEY, Kind.TEXT):
            bare, text = "".join(cells), "\n" + "\n".join(cells) + "\n"
            return (
                bare.isprintable()
                and is_normalized("NFC", text)
                and not any(sign in text for sign in NOT_PLAIN)
                and max(map(len, cells)) <= rule.field.length
            )
        if rule.field.kind is Kind.AMOUNT and rule.decimal == "." and rule.amount_is in ("year", "total"):
            return PLAIN_AMOUNTS.match("\n".join(cells) + "\n") is not None
        return False

    def _read_one(self, cell: str) -> str:
        try:
            if len(cell) > LONGEST_CELL:
                raise Unreadable("too_long", f"has {len(cell):,} characters, {LONGEST_CELL:,} at most")
            if self.rule.one_line and len(cell.strip().splitlines()) > 1:
                raise Unreadable("several_lines", "has several lines: it names several, and a row is about one")
            text = self._translate(clean(cell))
            if not text:
                return NULL
            if text in FORMULA_ERRORS:
                raise Unreadable("formula_error", "is what a spreadsheet shows where a formula failed, not a value")
            value, warning = READERS[self.rule.field.kind](text, self.rule, self.lookups)
        except Unreadable as error:
            self.notes[cell] = Note(error.code, str(error))
            return NULL
        if warning:
            self.notes[cell] = warning
        return self.encode(value).replace("\\", "\\\\")

    def _translate(self, text: str) -> str:
        """The word that the mapping puts in a word's place; refuses the ones that it refuses."""
        rule = self.rule
        if not rule.refuse and not rule.values:
            return text or rule.default
        folded = text.casefold()
        for beginning, reason in rule.refuse.items():
            if folded.startswith(beginning):
                raise Unreadable("refused_word", reason)
        return rule.values.get(folded, text) or rule.default


def clean(cell: str) -> str:
    """Without spaces around, with one space inside, without signs that cannot be seen; an accent and its letter are one
    sign, however the file writes them."""
    text = cell.strip()
    if text.startswith("'") and GUARDED.match(text):
        text = text[1:].lstrip()
    if "  " in text or not text.isprintable():
        text = " ".join(JOINER.sub("", "".join(map(_seen, text))).split())
    return text if text.isascii() else normalize("NFC", text)


def _seen(sign: str) -> str:
    """Marks of direction, and of where a word may break, stand for nothing; tabs, line ends and such for a space."""
    if sign.isprintable() or sign in "\u200c\u200d":
        return sign
    return "" if category(sign) == "Cf" else " "


Answer = tuple[str, Note | None]
Read = Callable[[str, Rule, Lookups], Answer]


def read_key(text: str, rule: Rule, lookups: Lookups) -> Answer:
    if SCIENTIFIC.match(text):
        raise Unreadable("rounded_id", "a spreadsheet has rounded this id; take it from the source again, as text")
    bare = text.strip(rule.strip + " ") if rule.strip else text
    if not bare:
        raise Unreadable("blank", "has no sign that counts")
    _check_length(bare, rule)
    if bare != text:
        return bare, Note("cleaned_key", f"read as {bare}", is_refusal=False)
    return bare, None


def read_text(text: str, rule: Rule, lookups: Lookups) -> Answer:
    if rule.field.path == "account.name":
        _check_length(text, rule)
    if len(text) > rule.field.length:
        cut = text[: rule.field.length - 1].rstrip() + "…"
        return cut, Note("cut_text", f"is longer than {rule.field.length} characters; cut", is_refusal=False)
    return text, None


def _check_length(text: str, rule: Rule) -> None:
    if len(text) > rule.field.length:
        raise Unreadable("too_long", f"has {len(text):,} characters, {rule.field.length} at most")


def read_day(text: str, rule: Rule, lookups: Lookups) -> Answer:
    try:
        found = read_date(text, rule.dates)
    except NoSuchDay as error:
        raise Unreadable("no_such_day", str(error)) from None
    if found is None:
        asked = " or ".join(one.shown for one in rule.dates)
        raise Unreadable("not_a_date", f"is not a date written as {asked}")
    day, form = found
    if day > LATEST or day in rule.sentinels:
        raise Unreadable("sentinel_date", "stands for “no end”, not for a day")
    if day < EARLIEST:
        raise Unreadable("impossible_date", f"is before {EARLIEST.year}")
    if rule.is_last_of_month and not form.is_whole:
        day = last_of_month(day)
    return (day + dt.timedelta(days=rule.shift_days)).isoformat(), None


def read_amount(text: str, rule: Rule, lookups: Lookups) -> Answer:
    amount = read_decimal(text, rule)
    if amount < 0:
        raise Unreadable("negative_amount", "is negative")
    amount *= PER_YEAR[rule.amount_is]
    if amount >= Decimal(10) ** 12:
        raise Unreadable("amount_too_large", "has more than 12 digits before the decimal mark")
    rounded = amount.quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    if rounded != amount:
        return str(rounded), Note("rounded_amount", f"rounded to {rounded}", is_refusal=False)
    return str(rounded), None


def read_decimal(text: str, rule: Rule) -> Decimal:
    """A number by the mapping's signs. Where these are not named, what could be either is refused."""
    bare = CURRENCY_SIGNS.sub("", text).strip()
    if bare.startswith("(") and bare.endswith(")"):
        bare = f"-{bare[1:-1]}"
    if not rule.decimal and not rule.thousands and re.fullmatch(r"[-+]?\d{1,3}[.,]\d{3}", bare):
        raise Unreadable("ambiguous_number", "could be thousands or a fraction; say decimal in the mapping")
    decimal = rule.decimal or ("," if rule.thousands == "." else ".")
    if rule.thousands:
        grouped = re.fullmatch(
            rf"([-+]?\d{{1,3}}(?:{re.escape(rule.thousands)}\d{{3}})+)({re.escape(decimal)}\d+)?", bare
        )
        if grouped:
            bare = grouped[1].replace(rule.thousands, "") + (grouped[2] or "")
    if not re.fullmatch(
        rf"[-+]?(\d{{1,30}}({re.escape(decimal)}\d{{0,30}})?|{re.escape(decimal)}\d{{1,30}})", bare, re.ASCII
    ):
        raise Unreadable(
            "not_a_number", "is not a number" + (f" with {decimal} as its decimal mark" if rule.decimal else "")
        )
    return Decimal(bare.replace(decimal, "."))


def read_number(text: str, rule: Rule, lookups: Lookups) -> Answer:
    is_percent = text.endswith("%")
    number = float(read_decimal(text.removesuffix("%").strip(), rule)) / (100 if is_percent else 1)
    _check_range(number, rule)
    return repr(number), None


def read_count(text: str, rule: Rule, lookups: Lookups) -> Answer:
    number = read_decimal(text.removesuffix("%").strip(), rule)
    if number != number.to_integral_value():
        raise Unreadable("not_a_whole_number", "is not a whole number")
    _check_range(float(number), rule)
    return str(int(number)), None


def _check_range(number: float, rule: Rule) -> None:
    lowest, highest = rule.field.lowest, rule.field.highest
    if (lowest is not None and number < lowest) or (highest is not None and number > highest):
        low = "" if lowest is None else f"{lowest:g}"
        raise Unreadable(
            "out_of_range", f"is not from {low} to {highest:g}" if highest is not None else f"is below {low}"
        )


def read_flag(text: str, rule: Rule, lookups: Lookups) -> Answer:
    folded = text.casefold()
    if folded not in YES | NO:
        raise Unreadable("not_a_flag", "is neither yes nor no")
    return "t" if folded in YES else "f", None


def read_currency(text: str, rule: Rule, lookups: Lookups) -> Answer:
    code = text.upper()
    if not CURRENCY.match(code):
        raise Unreadable("not_a_currency", "is not a currency; three letters, such as EUR")
    return code, None


def read_outcome(text: str, rule: Rule, lookups: Lookups) -> Answer:
    outcome = text.casefold()
    if outcome not in ("open", "renewed", "lost"):
        raise Unreadable("not_an_outcome", "is no outcome that the mapping knows: open, renewed or lost")
    return outcome, None


CHOICES: dict[Kind, dict[str, str]] = {
    kind: {word.casefold(): value for value, label in choices for word in (value, label)}
    for kind, choices in (
        (Kind.CATEGORY, Ticket.Category.choices),
        (Kind.SEVERITY, Ticket.Severity.choices),
        (Kind.TOUCH_KIND, Touch.Kind.choices),
    )
}
NOUNS = {
    Kind.CATEGORY: "category of a ticket",
    Kind.SEVERITY: "severity of a ticket",
    Kind.TOUCH_KIND: "kind of a touch",
}


def read_choice(text: str, rule: Rule, lookups: Lookups) -> Answer:
    words = CHOICES[rule.field.kind]
    value = words.get(text.casefold())
    if value is None:
        known = ", ".join(dict.fromkeys(words.values()))
        code = f"not_a_{rule.field.kind}".replace(" ", "_")
        raise Unreadable(code, f"is no {NOUNS[rule.field.kind]}: {known}")
    return value, None


def read_name(text: str, rule: Rule, lookups: Lookups) -> Answer:
    found = lookups.find(rule.field.kind, text, create_missing=rule.create_missing)
    if found is None:
        kind = rule.field.kind
        raise Unreadable(
            "unknown_user" if kind is Kind.USER else f"unknown_{kind}".replace(" ", "_"),
            "nobody who is active signs in with this email" if kind is Kind.USER else f"is not in the list of {kind}s",
        )
    return str(found), None


READERS: dict[Kind, Read] = {
    Kind.KEY: read_key,
    Kind.TEXT: read_text,
    Kind.DATE: read_day,
    Kind.AMOUNT: read_amount,
    Kind.COUNT: read_count,
    Kind.NUMBER: read_number,
    Kind.FLAG: read_flag,
    Kind.CURRENCY: read_currency,
    Kind.OUTCOME: read_outcome,
    **dict.fromkeys(CHOICES, read_choice),
    **dict.fromkeys(NAMED_KINDS, read_name),
}

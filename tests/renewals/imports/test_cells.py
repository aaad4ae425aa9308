from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Segment
from renewals.imports.cells import JOINER, NULL, ColumnReader, clean
from renewals.imports.lookups import Lookups
from renewals.imports.mapping import parse_mapping

RENEWAL_BASE: dict[str, Any] = {
    "rows": "contracts",
    "account": {"name": "n"},
    "contract": {"number": "c", "ends_on": "e", "starts_on": "s", "currency": "cur"},
}


def reader(path: str, **spec: Any) -> ColumnReader:
    holder, name = path.split(".")
    rows = {"signal": "signals", "payment": "payments"}.get(holder, "contracts")
    base = (
        RENEWAL_BASE
        if rows == "contracts"
        else {"rows": rows, "account": {"name": "n"}, "signal": {"measured_on": "d"}}
    )
    data = {**base, holder: {**base.get(holder, {}), name: {"column": "x", **spec}}}
    return ColumnReader(parse_mapping(data).rules[path], Lookups(may_create=False))


def read_one(cell: str, path: str, **spec: Any) -> tuple[str, str]:
    """The staged value, and the code of what there is to say about the cell."""
    one = reader(path, **spec)
    [value] = one.read([cell])
    return value, one.notes[cell].code if cell in one.notes else ""


@pytest.mark.parametrize(
    ("cell", "spec", "expected"),
    [
        ("42000", {}, ("42000.00", "")),
        ("42000.5", {"decimal": "."}, ("42000.5", "")),
        ("1,234.50", {"decimal": ".", "thousands": ","}, ("1234.50", "")),
        ("1.234,50", {"decimal": ",", "thousands": "."}, ("1234.50", "")),
        ("1'234.50", {"decimal": ".", "thousands": "'"}, ("1234.50", "")),
        ("€ 1 234,5", {"decimal": ",", "thousands": " "}, ("1234.50", "")),
        ("USD 12", {}, ("12.00", "")),
        ("1,234", {}, (NULL, "ambiguous_number")),
        ("1.234", {}, (NULL, "ambiguous_number")),
        ("1,234", {"decimal": "."}, (NULL, "not_a_number")),
        ("1,234", {"decimal": ","}, ("1.23", "rounded_amount")),
        ("(500)", {}, (NULL, "negative_amount")),
        ("-5", {}, (NULL, "negative_amount")),
        ("12.345", {"decimal": "."}, ("12.34", "rounded_amount")),
        ("1000000000000", {}, (NULL, "amount_too_large")),
        ("9" * 400, {}, (NULL, "not_a_number")),
        ("nan", {}, (NULL, "not_a_number")),
        ("1e5", {}, (NULL, "not_a_number")),
        ("١٢", {}, (NULL, "not_a_number")),
        ("100", {"amount_is": "month"}, ("1200.00", "")),
        ("100", {"amount_is": "quarter"}, ("400.00", "")),
        ("", {}, (NULL, "")),
    ],
)
def test_amounts(cell: str, spec: dict[str, Any], expected: tuple[str, str]) -> None:
    assert read_one(cell, "contract.recurring_amount", **spec) == expected


@pytest.mark.parametrize(
    ("cell", "spec", "expected"),
    [
        ("  A  12 ", {}, ("A 12", "")),
        ("A\u00a012\u200b", {}, ("A 12", "")),
        ("6925**", {"strip": "*"}, ("6925", "cleaned_key")),
        ("6925 **", {"strip": "*"}, ("6925", "cleaned_key")),
        ("**", {"strip": "*"}, (NULL, "blank")),
        ("1.02E+11", {}, (NULL, "rounded_id")),
        ("1,02e+11", {}, (NULL, "rounded_id")),
        ("4E12", {}, ("4E12", "")),
        ("101698014528", {}, ("101698014528", "")),
        ("back\\slash", {}, ("back\\\\slash", "")),
        ("x" * 81, {}, (NULL, "too_long")),
        ("'=1+1", {}, ("=1+1", "")),
        ("O'Neill", {}, ("O'Neill", "")),
    ],
)
def test_keys(cell: str, spec: dict[str, Any], expected: tuple[str, str]) -> None:
    assert read_one(cell, "contract.number", **spec) == expected


@pytest.mark.parametrize(
    ("cell", "spec", "expected"),
    [
        ("11/31/2015", {"dates": ["%m/%d/%Y"]}, (NULL, "no_such_day")),
        ("31/12/2015", {"dates": ["%m/%d/%Y"]}, (NULL, "no_such_day")),
        ("2015-12-31", {"dates": ["%m/%d/%Y"]}, ("2015-12-31", "")),
        ("12/31/9999", {"dates": ["%m/%d/%Y"]}, (NULL, "sentinel_date")),
        ("12/31/50", {"dates": ["%m/%d/%y"], "sentinels": ["2050-12-31"]}, (NULL, "sentinel_date")),
        ("12/31/50", {"dates": ["%m/%d/%y"]}, ("2050-12-31", "")),
        ("1/1/1899", {"dates": ["%m/%d/%Y"]}, (NULL, "impossible_date")),
        ("Mo. To Mo.", {"refuse": {"mo. to mo": "has no end"}}, (NULL, "refused_word")),
        ("varies thru 9/23/2015", {"refuse": {"Varies": "has several"}}, (NULL, "refused_word")),
        ("soon", {}, (NULL, "not_a_date")),
        ("02/16/2005", {"dates": ["%m/%d/%Y"], "shift_days": -1}, ("2005-02-15", "")),
        ("201202", {"dates": ["%Y%m"], "is_last_of_month": True}, ("2012-02-29", "")),
    ],
)
def test_days(cell: str, spec: dict[str, Any], expected: tuple[str, str]) -> None:
    assert read_one(cell, "contract.ends_on", **spec) == expected


@pytest.mark.parametrize(
    ("path", "cell", "spec", "expected"),
    [
        ("contract.currency", "eur", {}, ("EUR", "")),
        ("contract.currency", "euro", {}, (NULL, "not_a_currency")),
        ("contract.is_auto_renewing", "Yes", {}, ("t", "")),
        ("contract.is_auto_renewing", "perhaps", {}, (NULL, "not_a_flag")),
        ("contract.notice_days", "30.0", {}, ("30", "")),
        ("contract.notice_days", "1.5", {}, (NULL, "not_a_whole_number")),
        ("contract.notice_days", "-1", {}, (NULL, "out_of_range")),
        ("renewal.confidence", "70 %", {}, ("70", "")),
        ("renewal.confidence", "101", {}, (NULL, "out_of_range")),
        ("renewal.outcome", "Converted", {"values": {"converted": "renewed"}}, ("renewed", "")),
        ("renewal.outcome", "Pending", {"values": {"converted": "renewed"}}, (NULL, "not_an_outcome")),
        ("contract.product", "x" * 250, {}, ("x" * 199 + "…", "cut_text")),
        ("account.name", "x" * 201, {}, (NULL, "too_long")),
        ("account.name", "A\nB", {"one_line": True}, (NULL, "several_lines")),
        ("contract.product", "y" * 10_001, {}, (NULL, "too_long")),
        ("contract.product", "", {"default": "Platform"}, ("Platform", "")),
    ],
)
def test_other_kinds(path: str, cell: str, spec: dict[str, Any], expected: tuple[str, str]) -> None:
    assert read_one(cell, path, **spec) == expected


@pytest.mark.django_db
def test_names_are_found_whatever_their_case_and_made_only_when_asked() -> None:
    segment = Segment.objects.create(name="Enterprise")
    spec = parse_mapping(
        {**RENEWAL_BASE, "account": {"name": "n", "segment": {"column": "s", "create_missing": True}}}
    ).rules["account.segment"]
    lookups = Lookups(may_create=True)
    assert ColumnReader(spec, lookups).read(["ENTERPRISE", "Mid", "SMB", "mid"]) == [str(segment.pk), "-1", "-2", "-1"]
    assert list(Segment.objects.values_list("name", flat=True)) == ["Enterprise"]
    denied = ColumnReader(spec, Lookups(may_create=False))
    assert denied.read(["Mid"]) == [NULL]
    assert denied.notes["Mid"].code == "unknown_segment"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Cafe\u0301", "Café"),
        ("\u202eAcme\u202c \u200fشركة", "Acme شركة"),
        ("Ac\u200bme \ufeffSoft\u00adware", "Acme Software"),
        ("Acme\u200d\u200c Ltd", "Acme Ltd"),
        ("می\u200cخواهم 👩\u200d💻", "می\u200cخواهم 👩\u200d💻"),
        ("a\tb\u00a0c\nd", "a b c d"),
    ],
)
def test_a_name_reads_the_same_however_its_signs_are_written(cell: str, expected: str) -> None:
    assert (clean(cell), clean(clean(cell))) == (expected, expected)


@given(st.lists(st.text(max_size=30), min_size=1, max_size=20))
def test_a_plain_column_reads_as_its_cells_read_one_by_one(cells: list[str]) -> None:
    whole = reader("contract.product")
    assert whole.read(cells) == [
        reader("contract.product", refuse={"no such word": "no"}).read([cell])[0] for cell in cells
    ]


@given(st.text())
def test_clean_is_stable_and_has_no_sign_that_cannot_be_seen(cell: str) -> None:
    text = clean(cell)
    assert clean(text) == text
    assert JOINER.sub("", text).translate(dict.fromkeys(map(ord, "\u200c\u200d"))).isprintable()
    assert "  " not in text
    assert text == text.strip()


@pytest.mark.parametrize(
    "path", ["contract.number", "contract.ends_on", "contract.recurring_amount", "renewal.outcome"]
)
@given(cell=st.text())
def test_no_cell_raises(path: str, cell: str) -> None:
    value, code = read_one(cell, path)
    assert value == NULL or code in ("", "rounded_amount", "cut_text")

from pathlib import Path
from typing import Any

import pytest

from renewals.imports.builtin import Fit, builtin_mapping, builtin_names, load_mapping, rank_mappings
from renewals.imports.keys import MappingError
from renewals.imports.mapping import parse_mapping, read_mapping

GOOD: dict[str, Any] = {
    "rows": "contracts",
    "account": {"name": "Company"},
    "contract": {"number": "No", "starts_on": "From", "ends_on": "To", "currency": {"value": "EUR"}},
}


def changed(**tables: Any) -> dict[str, Any]:
    return {**GOOD, **tables}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "rows: say what a row is"),
        (changed(rows="orders"), "rows: one of 'accounts', 'contracts'"),
        (changed(colour="red"), "colour: not a key of a mapping of contracts"),
        (changed(account={}), "account.external_id: a mapping of contracts needs account.external_id or account.name"),
        (changed(account={"nmae": "Company"}), "account.nmae: not a field. account has external_id, name"),
        (changed(account={"name": ["Company"]}), "account.name: a column's name, a number, or a table"),
        (changed(account={"name": {"colum": "Company"}}), "account.name.colum: not known here"),
        (changed(account={"name": {}}), "account.name: name its column, or give a value"),
        (changed(account={"name": {"column": "C", "dates": ["%Y"]}}), "account.name.dates: name is not a date"),
        (
            changed(contract={**GOOD["contract"], "ends_on": {"column": "To", "dates": ["%d/%m/%Y", "%m/%d/%Y"]}}),
            "contract.ends_on.dates: %d/%m/%Y and %m/%d/%Y would both read 03/04/2026",
        ),
        (
            changed(
                contract={**GOOD["contract"], "recurring_amount": {"column": "A", "decimal": ",", "thousands": ","}}
            ),
            "contract.recurring_amount.thousands: the same sign",
        ),
        (
            changed(contract={**GOOD["contract"], "recurring_amount": {"column": "A", "amount_is": "week"}}),
            "contract.recurring_amount.amount_is: one of 'year', 'month', 'quarter', 'total'",
        ),
        (changed(file={"delimiter": ";;"}), "file.delimiter: one character"),
        (changed(file={"encoding": "utf-99"}), "file.encoding: 'utf-99' is no encoding"),
        (changed(file={"file_on": "yesterday"}), "file.file_on: a date such as"),
        (changed(leave_out=[{"column": "Type"}]), r"leave_out\[1\]: give where"),
        (changed(attributes={"tier": {"column": "Tier"}}), "attributes.tier.kind: one of number"),
        (changed(attributes={"tier": {"column": "T", "kind": "category", "holder": "team"}}), "attributes.tier.holder"),
        (changed(attributes={"a b": {"column": "T", "kind": "category"}}), "attributes.a b: a key has letters"),
        (changed(is_rolling=True), "is_rolling: rolling terms need"),
        (changed(renewal={"ordered_on": {"stands_in": "today"}}), "renewal.ordered_on.stands_in: one of"),
        (changed(renewal={"owner": {"column": "O", "create_missing": True}}), "renewal.owner.create_missing"),
        (changed(expiry_moved="yes"), "expiry_moved: one of"),
    ],
)
def test_parse_mapping_names_the_key_that_is_wrong(data: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingError, match=message):
        parse_mapping(data)


def test_terms_are_corrected_where_the_first_day_is_mapped_and_new_otherwise() -> None:
    without_start = {"number": "No", "ends_on": "To", "term_months": 12, "currency": "Cur"}
    assert parse_mapping(GOOD).expiry_moved == "corrected"
    assert parse_mapping(changed(contract=without_start)).expiry_moved == "new_term"


def test_a_broken_file_is_a_mapping_error(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("rows = contracts")
    with pytest.raises(MappingError, match=r"mine.toml is not valid TOML"):
        read_mapping(path)
    with pytest.raises(MappingError, match="neither a file nor the name of a mapping"):
        load_mapping(str(tmp_path / "other.toml"))


@pytest.mark.parametrize("name", builtin_names())
def test_every_mapping_that_comes_along_is_valid_and_says_what_it_is_for(name: str) -> None:
    mapping = builtin_mapping(name)
    assert mapping.name
    assert mapping.description


def test_rank_mappings_puts_the_one_with_all_its_columns_first() -> None:
    header = ["TYPE OF CONTRACT", "Contract", "PA", "company", "SERVICE", " EXPIRATION ", "NOTES"]
    assert rank_mappings(header)[0] == Fit("county_register", 5, is_whole=True)

"""Files made by hand, with the dirt of real ones, and one way to import them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from renewals.imports.services import import_now, receive_file
from renewals.models import ImportBatch

Import = Callable[..., ImportBatch]

CONTRACTS: dict[str, Any] = {
    "rows": "contracts",
    "account": {"external_id": "Account", "name": "Name"},
    "contract": {
        "number": "Contract",
        "starts_on": "Starts",
        "ends_on": "Ends",
        "recurring_amount": {"column": "Amount", "decimal": "."},
        "currency": {"value": "EUR"},
    },
}
HEADING = "Account,Name,Contract,Starts,Ends,Amount\n"


@pytest.fixture
def run_import(db: None) -> Import:
    """run_import(text or bytes, mapping, user=..., is_check=..., all_or_nothing=..., name=...) -> the finished
    batch."""

    def run(
        content: str | bytes,
        mapping: dict[str, Any] | None = None,
        *,
        user: User | None = None,
        is_check: bool = False,
        all_or_nothing: bool = False,
        name: str = "file.csv",
    ) -> ImportBatch:
        data = content.encode() if isinstance(content, str) else content
        batch = receive_file(file_name=name, chunks=[data], user=user)
        import_now(
            batch=batch,
            mapping=mapping or CONTRACTS,
            name="Test",
            is_check=is_check,
            is_all_or_nothing=all_or_nothing,
        )
        return batch

    return run


def findings_of(batch: ImportBatch) -> list[tuple[int, str, str, str, str]]:
    return list(
        batch.findings.order_by("row_number", "severity", "reason_code").values_list(
            "row_number", "column", "value", "reason_code", "severity"
        )
    )


def refusals_of(batch: ImportBatch) -> list[tuple[int, str, str, str]]:
    return [finding[:4] for finding in findings_of(batch) if finding[4] == "refused"]


def assert_no_row_is_lost(batch: ImportBatch) -> None:
    parts = batch.imported_count + batch.refused_count + batch.repeated_count + batch.left_out_count
    assert batch.row_count == parts
    refused_rows = batch.findings.filter(severity="refused").values("row_number").distinct().count()
    assert refused_rows == batch.refused_count


def write(folder: Path, content: bytes, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path

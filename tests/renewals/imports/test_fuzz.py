"""Whatever is in a file: it is read or refused in words, and every row that was read is accounted for."""

import csv
import io
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from accounts.models import Account
from renewals.imports.reader import FileRejected, open_table
from renewals.models import Contract, Renewal
from tests.renewals.imports.conftest import CONTRACTS, HEADING, Import, assert_no_row_is_lost

FIXTURES = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
DIRT = st.sampled_from(
    [
        *("", " ", "=cmd|'/c calc'!A1", "+1", "@x", "<script>alert(1)</script>", "'; DROP TABLE x; --", "\\N", "\\."),
        *("%s", "%(x)s", "{}", "\t", "a\tb", "a\r\nb", "1.02E+11", "12/31/9999", "9999-12-31", "0001-01-01"),
        *(
            "2026-02-30",
            "NaN",
            "inf",
            "-0",
            "𝕏",
            "\u202e",
            "é",
            "C1",
            "A1",
            "2026-01-01",
            "2026-12-31",
            "12,5",
            "1.234",
        ),
    ]
)
CELL = st.one_of(DIRT, st.text(max_size=12))


@given(st.binary(max_size=400))
def test_random_bytes_are_read_or_refused_in_words(content: bytes) -> None:
    with NamedTemporaryFile() as file:
        Path(file.name).write_bytes(content)
        try:
            with open_table(Path(file.name)) as table:
                list(table.rows())
        except FileRejected as rejected:
            message = str(rejected)
        else:
            message = "."
        assert message.endswith(".")


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=FIXTURES)
@given(rows=st.lists(st.lists(CELL, min_size=4, max_size=8), min_size=1, max_size=8))
def test_random_cells_lose_no_row_and_never_end_in_an_error(run_import: Import, rows: list[list[str]]) -> None:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["Account", "Name", "Contract", "Starts", "Ends", "Amount", "Outcome", "Ordered"])
    writer.writerows(rows)
    mapping: dict[str, Any] = {**CONTRACTS, "renewal": {"outcome": "Outcome", "ordered_on": "Ordered"}}
    mapping["attributes"] = {"any": {"column": "Name", "kind": "category"}}
    content = file.getvalue().encode("utf-8", "surrogatepass")
    with transaction.atomic():
        try:
            batch = run_import(content, mapping)
        except FileRejected:
            return
        assert batch.state in ("done", "failed")
        assert not batch.message.startswith("The database refused"), batch.message
        if batch.state == "done":
            assert_no_row_is_lost(batch)
            again = run_import(content, mapping)
            assert [(c["created"], c["changed"]) for c in again.result.values()] == [(0, 0)] * 3
        transaction.set_rollback(True)


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=FIXTURES)
@example(
    rows=[
        ("A1", "Beta", "C1", "2026-01-01", "2026-12-31", "1"),
        ("A2", "Beta", "C1", "2026-01-01", "2025-06-30", "1"),  # refused, after it has named A2
        ("", "Acme", "C1", "2026-01-01", "2026-12-31", "1"),
        ("A2", "Acme", "C1", "2026-01-01", "2026-12-31", "1"),
    ],
    expiry_moved="corrected",
)
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["A1", "A2", "a1", ""]),
            st.sampled_from(["Acme", "acme ", "Beta", ""]),
            st.sampled_from(["C1", "C2", ""]),
            st.sampled_from(["2026-01-01", "2025-01-01", ""]),
            st.sampled_from(["2026-12-31", "2025-06-30", ""]),
            st.sampled_from(["1", "2"]),
        ),
        min_size=1,
        max_size=10,
    ),
    expiry_moved=st.sampled_from(["corrected", "new_term", "renewed"]),
)
def test_rows_that_collide_are_settled_the_same_way_each_time(
    run_import: Import, rows: list[tuple[str, ...]], expiry_moved: str
) -> None:
    mapping = {**CONTRACTS, "expiry_moved": expiry_moved, "renewal": {"ordered_on": {"stands_in": "due_on"}}}
    content = HEADING + "".join(",".join(row) + "\n" for row in rows)
    with transaction.atomic():
        batch = run_import(content, mapping)
        if batch.state == "done":
            assert_no_row_is_lost(batch)
            again = run_import(content, mapping)
            assert [(c["created"], c["changed"]) for c in again.result.values()] == [(0, 0)] * 3
            assert findings_without_moves(batch) == findings_without_moves(again)
        else:
            # Only blank rows: a row of commas is no row.
            assert batch.message == "The file has headings and no rows below them."
        transaction.set_rollback(True)


def findings_without_moves(batch: Any) -> list[tuple[int, str]]:
    found = batch.findings.exclude(reason_code__in=["expiry_moved", "term_assumed", "conflicting_account"])
    return list(found.order_by("row_number", "reason_code").values_list("row_number", "reason_code"))


@pytest.mark.django_db
def test_hostile_text_is_only_text(run_import: Import) -> None:
    names = [
        "=cmd|' /C calc'!A0",
        "<script>alert(1)</script>",
        "Robert'); DROP TABLE renewals_renewal;--",
        "%(x)s {y} \\N \\.",
    ]
    file = io.StringIO()
    csv.writer(file).writerows(
        [f"A{n}", name, f"C{n}", "2026-01-01", "2026-12-31", "1"] for n, name in enumerate(names)
    )
    batch = run_import(HEADING + file.getvalue())
    assert (batch.state, batch.refused_count) == ("done", 0)
    assert list(Account.objects.order_by("external_id").values_list("name", flat=True)) == names
    assert (Contract.objects.count(), Renewal.objects.count()) == (4, 4)


@pytest.mark.django_db
def test_a_huge_cell_refuses_its_row_and_no_other(run_import: Import) -> None:
    batch = run_import(HEADING + f"A1,{'x' * 500_000},C1,2026-01-01,2026-12-31,1\nA2,Beta,C2,2026-01-01,2026-12-31,1\n")
    assert (batch.imported_count, batch.refused_count) == (1, 1)
    finding = batch.findings.get()
    assert (finding.row_number, finding.column, finding.reason) == (2, "Name", "has 500,000 characters, 10,000 at most")
    assert len(finding.value) == 200

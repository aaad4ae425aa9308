"""Every file that the shipped mappings were made for, where it is at hand; it is no part of the project."""

import pytest

from forecasting.management.commands.try_real import BOOKS, real_data
from renewals.imports.builtin import load_mapping, rank_mappings
from renewals.imports.reader import open_table
from renewals.models import Renewal
from tests.renewals.imports.conftest import Import, assert_no_row_is_lost

FOLDER = real_data()
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the real files are not at {FOLDER}; see PERENNIAL_REAL_DATA"),
]


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.name)
def test_real_files_are_read_to_the_last_row_and_twice_change_nothing(run_import: Import, book) -> None:  # type: ignore[no-untyped-def]
    for name, mapping in book.files:
        if (FOLDER / name).stat().st_size > 1_000_000:
            continue  # the larger ones are tried by `make try-real`
        content = (FOLDER / name).read_bytes()
        batch = run_import(content, load_mapping(mapping), name=name.rpartition("/")[2])
        assert (batch.state, batch.message) == ("done", "")
        assert_no_row_is_lost(batch)
        again = run_import(content, load_mapping(mapping), name=name.rpartition("/")[2])
        assert {(c["created"], c["changed"]) for c in again.result.values()} == {(0, 0)}


def test_registers_at_three_dates_tell_what_was_extended(run_import: Import) -> None:
    counts = []
    for name, mapping in BOOKS[0].files[:3]:
        batch = run_import((FOLDER / name).read_bytes(), load_mapping(mapping), name=name.rpartition("/")[2])
        counts.append((batch.result["renewals"]["created"], batch.result["renewals"]["changed"]))
    # Of the third file: 27 extended, and beside their next terms 41 contracts that are new.
    assert counts == [(482, 0), (5, 5), (68, 27)]
    assert Renewal.objects.filter(outcome="renewed").count() == 32


@pytest.mark.parametrize(("name", "mapping"), sorted({file for book in BOOKS for file in book.files}))
def test_the_page_offers_the_right_mapping_first(name: str, mapping: str) -> None:
    with open_table(FOLDER / name) as table:
        best = rank_mappings(table.header)[0]
    alike = {"licence_renewals": "licence_terms"}  # two passes over one file; the first comes first
    assert (best.name, best.is_whole) == (alike.get(mapping, mapping), True)

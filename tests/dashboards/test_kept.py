"""What is kept of a page is what would be set now: whatever it was made of is in the version that it is kept under."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboards.kept import version_of_rows
from dashboards.models import BookChange
from dashboards.rollups.services import MOST_CHANGES, bring_up_to_date, fold_changes
from forecasting.kept import forget
from forecasting.mrr.services import roll_up_mrr
from renewals.models import Renewal, RenewalScore
from tests.cast import Cast
from tests.dashboards.books import draw_book

OF_ROWS = tuple(
    f"/dashboards/{name}/"
    for name in ("executive", "forecast", "risk", "review", "scorecards", "capacity", "learning-curve")
)
OF_SUMS = ("/dashboards/retention/", "/dashboards/timing/")
# Under the version of the sums; or about who is asking, which is in the key. Events come with what they are of.
VERSIONED = {
    "dashboards_bookchange", "dashboards_cell", "dashboards_lateaccount", "dashboards_movedrenewal",
    "dashboards_ownerwork", "dashboards_rollup", "dashboards_stalecell", "dashboards_stalework",
    "dashboards_workrollup", "dashboards_mixcell", "dashboards_pace", "dashboards_likelycell", "dashboards_stalelikely",
    "forecasting_mrrline", "forecasting_mrrrollup", "forecasting_mrrcohort", "forecasting_mrrlevel",
    "renewals_renewalevent", "django_session", "dashboards_executivemail", "engagement_outgoingmail",
    # Of what is counted, and brought up to date before a page is set.
    "dashboards_openrenewal", "dashboards_opencell", "dashboards_openday", "dashboards_lostmonth",
}  # fmt: skip
TABLE = re.compile(r'(?<!year )(?<!month )(?:FROM|JOIN) "?([a-z]+_[a-z]+)"?')
COUNTED = "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'dashboards_counted'"


def tables_read(cast: Cast, page: str) -> set[str]:
    client = cast.client_of("admin")
    forget()
    with CaptureQueriesContext(connection) as captured:
        assert client.get(page).status_code == 200
    return {table for query in captured.captured_queries for table in TABLE.findall(query["sql"])}


def counted_tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(COUNTED)
        return {table for (table,) in cursor.fetchall()}


def test_every_table_that_a_page_of_rows_reads_is_counted(cast: Cast) -> None:
    draw_book(cast, 5)
    roll_up_mrr()
    known = counted_tables() | VERSIONED
    assert {page: tables_read(cast, page) - known for page in OF_ROWS} == {page: set() for page in OF_ROWS}


@pytest.mark.parametrize("page", OF_ROWS)
def test_a_change_that_no_sum_knows_of_is_on_the_next_page(cast: Cast, page: str) -> None:
    first = draw_book(cast, 7)[0]
    client = cast.client_of("admin")
    client.get(page)
    with CaptureQueriesContext(connection) as as_kept:
        client.get(page)
    Renewal.objects.filter(pk=first.pk).update(next_step="Call")
    with CaptureQueriesContext(connection) as anew:
        client.get(page)
    assert len(anew) > len(as_kept)


def test_pages_of_sums_are_kept_while_no_sum_changes(cast: Cast) -> None:
    first = draw_book(cast, 7)[0]
    client = cast.client_of("admin")
    for page in OF_SUMS:
        client.get(page)
        with CaptureQueriesContext(connection) as as_kept:
            client.get(page)
        RenewalScore.objects.filter(renewal=first).update(risk_score=1)
        with CaptureQueriesContext(connection) as after:
            client.get(page)
        assert len(after) == len(as_kept), page


def test_kept_is_what_is_set_anew(cast: Cast) -> None:
    """After a random edit, and after the background made one row of all changes."""
    rows = draw_book(cast, 11)
    client = cast.client_of("manager")
    for at, row in enumerate(rows[:3]):
        for page in OF_ROWS:
            client.get(page)
        Renewal.objects.filter(pk=row.pk).update(baseline_amount=1000 + at, final_amount=None)
        for page in OF_ROWS:
            kept = client.get(page).content
            forget()
            assert _plain(client.get(page).content) == _plain(kept), page


def _plain(content: bytes) -> str:
    """Without what every answer has of its own."""
    return re.sub(r"csrf\w*[^>]*>|added up [^·]*·|X-CSRFToken[^}]*}", "", content.decode())


def test_a_fold_keeps_the_version(cast: Cast) -> None:
    row = draw_book(cast, 13, count=5)[0]
    for _ in range(MOST_CHANGES):
        Renewal.objects.filter(pk=row.pk).update(next_step="Call")
    before = version_of_rows()
    fold_changes()
    assert (version_of_rows(), BookChange.objects.count()) == (before, 1)
    fold_changes()
    Renewal.objects.filter(pk=row.pk).update(next_step="Write")
    assert version_of_rows() == BookChange.objects.get(count__gt=1).count + 1
    assert bring_up_to_date()

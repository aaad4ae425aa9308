"""What the address says of the table's layout, and what becomes of an address made by hand."""

import datetime as dt

import pytest
from django.http import QueryDict

from renewals.table.filter_kinds import Reader
from renewals.table.filters import Query, read_query
from tests.cast import Cast

TODAY = dt.date(2026, 11, 22)


def read(text: str, cast: Cast, fiscal_month: int = 1) -> Query:
    return read_query(QueryDict(text), Reader(cast.rep, TODAY, fiscal_month))


def test_layout_is_read_and_kept_in_every_link(cast: Cast) -> None:
    query = read("outcome=open&widths=risk:90,due_on:120&sticky=3&density=compact&group=stage&view=7", cast)
    assert query.problems == []
    assert (query.layout.widths, query.layout.sticky, query.layout.density) == (
        {"risk": 90, "due_on": 120},
        3,
        "compact",
    )
    assert query.layout.group is not None
    assert (query.layout.group.name, query.layout.view) == ("stage", "7")
    assert query.url(sort="risk") == (
        "?outcome=open&widths=due_on:120,risk:90&sticky=3&density=compact&group=stage&view=7&sort=risk"
    )
    assert query.filter_query == "outcome=open"


def test_defaults_are_not_said(cast: Cast) -> None:
    assert read("outcome=open&sticky=1&density=comfortable&folded=3", cast).url() == "?outcome=open"


@pytest.mark.parametrize(
    ("text", "widths"),
    [("due_on:5", {"due_on": 60}), ("due_on:99999", {"due_on": 600}), ("due_on:120,due_on:80", {"due_on": 80})],
)
def test_width_is_brought_within_bounds(cast: Cast, text: str, widths: dict[str, int]) -> None:
    assert read(f"widths={text}", cast).layout.widths == widths


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("widths=password:90", "“password:90” is not a width of a column, such as due_on:120."),
        ("widths=due_on:-5", "“due_on:-5” is not a width of a column, such as due_on:120."),
        ("sticky=7", "1 to 6 columns can stay, not “7”."),
        ("density=tiny", "Rows are comfortable or compact, not “tiny”."),
        ("group=<script>", "not by “<script>”."),
    ],
)
def test_what_cannot_be_read_is_left_out_and_said(cast: Cast, text: str, problem: str) -> None:
    query = read(f"outcome=open&{text}", cast)
    assert len(query.problems) == 1
    assert query.problems[0].endswith(problem)
    assert query.url() == "?outcome=open"


def test_folded_groups_need_a_group_and_harmless_names(cast: Cast) -> None:
    assert read("outcome=open&group=stage&folded=3,1,%22%3E,3", cast).layout.folded == ("1", "3")
    assert read("outcome=open&group=stage&folded=3,all", cast).layout.folded == ("all",)
    assert read("outcome=open&folded=3", cast).layout.folded == ()


@pytest.mark.parametrize(
    ("text", "where", "said"),
    [
        ("due_from=this-month&due_to=this-month", ("2026-11-01", "2026-11-30"), "this month"),
        ("due_from=next-90-days&due_to=next-90-days", ("2026-11-22", "2027-02-20"), "next 90 days"),
        ("due_from=this-month&due_to=next-month", ("2026-11-01", "2026-12-31"), "01 Nov 2026 to 31 Dec 2026"),
    ],
)
def test_named_period_moves_with_the_calendar(cast: Cast, text: str, where: tuple[str, str], said: str) -> None:
    query = read(text, cast)
    condition = query.condition("due")
    assert condition is not None
    assert condition.text == said
    assert dict(condition.where.children) == {
        "due_on__gte": dt.date.fromisoformat(where[0]),
        "due_on__lte": dt.date.fromisoformat(where[1]),
    }
    assert query.url() == f"?{text}"

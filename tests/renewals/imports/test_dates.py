import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renewals.imports.dates import NoSuchDay, last_of_month, read_date, read_formats


@pytest.mark.parametrize(
    ("cell", "formats", "day"),
    [
        ("2026-11-30", [], dt.date(2026, 11, 30)),
        ("11/30/2026", ["%m/%d/%Y"], dt.date(2026, 11, 30)),
        ("1/2/26", ["%m/%d/%y", "%m/%d/%Y"], dt.date(2026, 1, 2)),
        ("1/2/2026", ["%d/%m/%Y"], dt.date(2026, 2, 1)),
        ("12/31/50", ["%m/%d/%y"], dt.date(2050, 12, 31)),
        ("12/31/69", ["%m/%d/%y"], dt.date(1969, 12, 31)),
        ("20130501", ["%Y%m%d"], dt.date(2013, 5, 1)),
        ("201202", ["%Y%m"], dt.date(2012, 2, 1)),
        ("5 sept 2026", ["%d %b %Y"], None),
        ("5 Sep 2026", ["%d %b %Y"], dt.date(2026, 9, 5)),
        ("2024-10-27 08:15:00", ["%Y-%m-%d %H:%M:%S"], dt.date(2024, 10, 27)),
        ("30.11.2026", ["%m/%d/%Y"], None),
        ("11/30/2026 ", ["%m/%d/%Y"], None),
    ],
)
def test_read_date_reads_only_named_formats(cell: str, formats: list[str], day: dt.date | None) -> None:
    try:
        found = read_date(cell, read_formats(formats))
    except NoSuchDay:
        found = None
    assert (found[0] if found else None) == day


def test_read_date_names_a_day_that_the_calendar_lacks() -> None:
    with pytest.raises(NoSuchDay, match=r"no such day \(read as MM/DD/YYYY\)"):
        read_date("11/31/2015", read_formats(["%m/%d/%Y"]))


@pytest.mark.parametrize(
    ("formats", "message"),
    [
        (["%d/%m/%Y", "%m/%d/%Y"], "would both read 03/04/2026"),
        (["%m/%d/%y", "%d/%m/%Y"], "would both read 03/04/2026"),
        (["%d/%m"], "needs a year"),
        (["%Q"], "%Q in '%Q' is not known"),
        (["%Y-%Y-%m"], "%Y stands twice"),
    ],
)
def test_formats_that_could_misread_are_refused(formats: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_formats(formats)


def test_day_and_month_first_may_stand_together_where_their_signs_differ() -> None:
    formats = read_formats(["%d.%m.%Y", "%m/%d/%Y"])
    assert [read_date(cell, formats)[0] for cell in ("3.4.2026", "3/4/2026")] == [  # type: ignore[index]
        dt.date(2026, 4, 3),
        dt.date(2026, 3, 4),
    ]


@given(st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31)), st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%Y%m%d"]))
def test_every_day_comes_back_as_it_was_written(day: dt.date, form: str) -> None:
    assert read_date(day.strftime(form), read_formats([form]))[0] == day  # type: ignore[index]


@given(st.dates())
def test_last_of_month_is_in_the_month_and_the_next_day_is_not(day: dt.date) -> None:
    if day.year < 9999:
        last = last_of_month(day)
        assert (last.month, (last + dt.timedelta(days=1)).day) == (day.month, 1)

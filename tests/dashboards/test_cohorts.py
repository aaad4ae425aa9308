"""The triangles of the retention page against levels taken line by line, and the rows that each figure opens."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from decimal import Decimal
from html import unescape
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook

from accounts.models import Account, Company
from accounts.templatetags.money import exact_money
from dashboards.rollups.services import bring_up_to_date
from forecasting.mrr.services import roll_up_mrr
from tests.cast import Cast
from tests.forecasting.mrr.books import AS_OF, make_rates, random_book
from tests.forecasting.mrr.test_cohorts import levels_of
from tests.forecasting.mrr.test_services import oracle, publish
from tests.pages import assert_sensible

PAGE = "/dashboards/retention/"
Triangle = dict[str, list[float | None]]
Levels = dict[tuple[object, ...], int]


def make_book(cast: Cast, seed: int) -> None:
    make_rates()
    random_book(seed, cast, accounts=14)
    publish()
    assert roll_up_mrr()
    assert bring_up_to_date()


def quarter_label(day: dt.date) -> str:
    return f"Q{(day.month - 1) // 3 + 1} FY{day.year % 100}"


def expected(levels: Levels, *, by: str, divisor: int, whole: Levels | None = None) -> Triangle:
    """Rows of the triangle without their total: what a cohort came with, and shares of it, by calendar years. The
    levels may be a part of a whole book that has something in every quarter."""
    ends = {key[2] for key in whole or levels if key[2] + dt.timedelta(days=92) <= AS_OF}  # type: ignore[operator]
    if by == "year":
        ends = {end for end in ends if end.month == 10}  # type: ignore[attr-defined]
    sums: Counter[tuple[object, object]] = Counter()
    for (_, came_on, quarter_on), level in levels.items():
        key = came_on if by == "quarter" or came_on is None else came_on.replace(month=1)  # type: ignore[attr-defined]
        sums[key, quarter_on] += level
    found: Triangle = {}
    for came_on in sorted({came for came, _ in sums}, key=lambda one: str(one or "")):
        own = sorted(end for end in ends if came_on is None or end >= came_on)  # type: ignore[operator, type-var]
        if not own:
            continue
        base = sums[came_on, own[0]]
        shares = [sums[came_on, end] / base if base else None for end in own[1:]]
        label = f"Before {_next(own[0], by)}" if came_on is None else _label(came_on, by)
        found[label] = [base / divisor, *shares]
    return found


def _label(day: object, by: str) -> str:
    assert isinstance(day, dt.date)
    return quarter_label(day) if by == "quarter" else f"FY{day.year % 100}"


def _next(day: object, by: str) -> str:
    assert isinstance(day, dt.date)
    return _label(day + dt.timedelta(days=95), by)


def shown(cast: Cast, name: str, query: str = "", *, who: str = "admin") -> Triangle:
    response = cast.client_of(who).get(f"{PAGE}?format=xlsx{query}")
    book = CalamineWorkbook.from_filelike(BytesIO(response.content))
    sheet = next(one for one in book.sheet_names if one.startswith(name))
    rows = book.get_sheet_by_name(sheet).to_python()
    return {
        str(row[0]): [None if cell == "" else float(cell) for cell in row[1:]]  # type: ignore[arg-type]
        for row in rows[1:]
        if row[0] != "All since"
    }


def assert_same(found: Triangle, wanted: Triangle) -> None:
    assert list(found) == list(wanted)
    for label, numbers in wanted.items():
        own = found[label]
        assert own[: len(numbers)] == pytest.approx(numbers, abs=1e-9), label
        assert own[len(numbers) :] == [None] * (len(own) - len(numbers)), label


@pytest.mark.parametrize("by", ["quarter", "year"])
@pytest.mark.parametrize("seed", range(3))
def test_triangles_are_the_levels_of_their_customers(cast: Cast, seed: int, by: str) -> None:
    make_book(cast, seed)
    values, counts = levels_of(oracle())
    query = "&cohorts=year" if by == "year" else ""
    assert_same(shown(cast, "Recurring value", query), expected(values, by=by, divisor=100))
    assert_same(shown(cast, "Customers", query), expected(counts, by=by, divisor=1))


@pytest.mark.parametrize("who", ["admin", "rep"])
@pytest.mark.parametrize("seed", range(3))
def test_triangles_of_a_region_are_those_of_its_accounts(cast: Cast, seed: int, who: str) -> None:
    make_book(cast, seed)
    inside = set(Account.objects.order_by("pk").values_list("pk", flat=True)[::2])
    Account.objects.filter(pk__in=inside).update(region="DACH")
    slow = oracle()
    whole, _ = levels_of(slow)
    slow.lines = {key: line for key, line in slow.lines.items() if line.account in inside}
    values, counts = (
        {key: one for key, one in found.items() if who == "admin" or key[0][0] in {cast.rep.pk, cast.team_mate.pk}}
        for found in levels_of(slow)
    )
    assert values
    for name, levels, divisor in (("Recurring value", values, 100), ("Customers", counts, 1)):
        wanted = expected(levels, by="quarter", divisor=divisor, whole=whole)
        assert_same(shown(cast, name, "&region=DACH", who=who), wanted)


def cells_of(text: str, tile: str) -> list[list[tuple[str, str]]]:
    """Address and text of the links of each row of a tile's table."""
    section = text[text.index(f'id="{tile}-table"') :]
    rows = re.findall(r"<tr><th.*?</tr>", section[: section.index("</table>")], re.DOTALL)
    links = [re.findall(r'<a href="([^"]*)">([^<]*)</a>', row) for row in rows]
    return [[(unescape(url), label) for url, label in own] for own in links if own]


@pytest.mark.parametrize("query", ["", "&region=DACH"])
def test_a_share_opens_the_movements_that_add_up_to_it(cast: Cast, query: str) -> None:
    make_book(cast, 1)
    Account.objects.filter(pk__in=list(Account.objects.order_by("pk").values_list("pk", flat=True)[::2])).update(
        region="DACH"
    )
    client = cast.client_of("admin")
    text = client.get(f"{PAGE}?{query}").content.decode()
    assert_sensible(text)
    checked = 0
    triangle = list(shown(cast, "Recurring value", query).values())
    for row, numbers in zip(cells_of(text, "cohorts-value"), triangle, strict=False):
        base = Decimal(str(numbers[0]))
        for (url, _), share in list(zip(row, numbers, strict=False))[::3]:
            total = base if share == numbers[0] else round(base * Decimal(str(share or 0)), 2)
            page = client.get(url).content.decode()
            assert exact_money(total, "EUR") in page, url
            checked += 1
    assert checked > 10
    for row, counts in zip(cells_of(text, "cohorts-customers"), shown(cast, "Customers", query).values(), strict=False):
        assert f"{counts[0]:.0f} customer" in client.get(row[0][0]).content.decode()


def test_a_rep_reads_the_cohorts_of_their_own_lines(cast: Cast) -> None:
    make_book(cast, 2)
    values, _ = levels_of(oracle())
    own = {key: cents for key, cents in values.items() if key[0][0] == cast.rep.pk}  # type: ignore[index]
    query = f"&owner={cast.rep.pk}"
    assert_same(shown(cast, "Recurring value", query), expected(own, by="quarter", divisor=100))


def test_cohorts_of_another_fiscal_year_wait_for_the_next_run(cast: Cast) -> None:
    make_book(cast, 1)
    Company.objects.update(fiscal_year_start_month=2)
    text = cast.client_of("admin").get(PAGE).content.decode()
    assert "No customer has been there for a whole period yet" in text


def test_what_is_no_cohort_is_not_there(cast: Cast) -> None:
    make_book(cast, 1)
    client = cast.client_of("admin")
    assert client.get(f"{PAGE}?cohorts=decade").status_code == 404
    assert client.get("/forecast/mrr/rows/?kind=closing&month=2026-01&came=soon").status_code == 404
    assert client.get(f"{PAGE}?cohorts=year&as_at=2026-11-01").status_code == 200

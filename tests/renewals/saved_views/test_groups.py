"""Groups of the table: the pages, the folded ones, and subtotals that add up to the strip."""

import datetime as dt
from decimal import Decimal

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Segment, User, get_company
from renewals.exports.rows import ordering
from renewals.models import Renewal, RenewalScore, Stage, TimingClass
from renewals.table import groups
from renewals.table.filter_kinds import Reader
from renewals.table.filters import read_query
from renewals.table.groups import GROUPS, token_of
from renewals.table.sections import Page, read_page
from renewals.totals.groups import _to_the_cent, read_subtotals
from renewals.totals.strip import read_totals
from tests.cast import Cast, make_account, make_rate, make_renewal

AS_OF = dt.date(2026, 11, 22)


@pytest.fixture
def book(cast: Cast) -> list[Renewal]:
    """Fourteen rows over owners, stages, segments, currencies, months and outcomes; some blank, one an exception."""
    make_rate("USD", "0.91234567")
    make_rate("GBP", "1.17")
    stages = list(Stage.objects.order_by("position"))
    segments = [Segment.objects.create(name=name, position=9 - place) for place, name in enumerate("XYZ")]
    people: list[User | None] = [cast.rep, cast.team_mate, cast.manager, None]
    rows = []
    for number in range(14):
        owner = people[number % 4]
        account = make_account(owner=owner, segment=segments[number % 3] if number % 5 else None)
        decided = {
            0: {"outcome": "renewed", "ordered_on": AS_OF, "final_amount": Decimal("777.77")},
            1: {"outcome": "lost", "final_amount": 0},
        }.get(number % 6, {})
        rows.append(
            make_renewal(
                account=account,
                owner=owner,
                due_on=AS_OF + dt.timedelta(days=17 * number - 60),
                stage=stages[number % len(stages)],
                currency=("EUR", "USD", "GBP", "JPY")[number % 4],
                baseline_amount=Decimal("1000.01") * (number + 1),
                forecast_amount=Decimal("333.33") * number if number % 3 else None,
                is_excluded=number == 7,
                excluded_reason="Merger" if number == 7 else "",
                **decided,
            )
        )
    RenewalScore.objects.bulk_create(
        RenewalScore(
            renewal=row,
            account=row.account,
            timing_class={"open": TimingClass.UPCOMING, "renewed": TimingClass.ON_TIME, "lost": TimingClass.LOST}[
                row.outcome
            ],
            timing_days=0,
            likelihood=0.5,
            likelihood_count=1,
            probability=0.137 * (number % 7),
            mean_cents=100_007 * (number + 1) if row.outcome == "open" else 0,
            risk_score=None if number % 5 == 4 else 9.0 * number,
            completeness=1,
            contributions=[],
        )
        for number, row in enumerate(rows[:-1])
    )
    return rows


def page_of(address: str, user: User, page_size: int = 4) -> Page:
    query = read_query(QueryDict(address), Reader(user, AS_OF))
    query.page_size = page_size
    return read_page(query.apply(Renewal.objects.visible_to(user)), query)


def counts_of(address: str, user: User) -> list[tuple[str, int]]:
    """Title and count of each group on the page, with the counts that come after it."""
    query = read_query(QueryDict(address), Reader(user, AS_OF))
    assert query.layout.group is not None
    rows = query.apply(Renewal.objects.visible_to(user))
    found = read_subtotals(rows, query.layout.group, as_of=AS_OF, reporting_currency="EUR")
    sections = page_of(address, user, 50).sections
    assert {section.token for section in sections} == set(found)
    return [(section.title, found[section.token].count) for section in sections]


@pytest.fixture(params=["few", "many"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found out of the rows as a whole, and group after group, must be the same."""
    monkeypatch.setattr(groups, "FEW", {"few": 1000, "many": 3}[request.param])


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.parametrize("sort", ["due_on", "-forecast_amount", "stage", "-risk"])
def test_pages_hold_each_row_once_group_after_group_in_the_order_of_an_export(
    cast: Cast, book: list[Renewal], name: str, sort: str
) -> None:
    address = f"outcome=all&group={name}&sort={sort}"
    query = read_query(QueryDict(address), Reader(cast.admin, AS_OF))
    exported = list(Renewal.objects.order_by(*ordering(query)).values_list("pk", flat=True))
    pages = [page_of(f"{address}&page={number}", cast.admin) for number in range(1, 5)]
    assert [pk for page in pages for pk in page.ids] == exported
    assert [page.has_more for page in pages] == [True, True, True, False]
    assert all(len(page.ids) == 4 for page in pages[:3])
    # A group that goes on is named again; none comes back once another has begun.
    tokens = [section.token for page in pages for section in page.sections]
    assert len(set(tokens)) == len([token for place, token in enumerate(tokens) if token not in tokens[:place]])
    assert set(tokens) == {token_of(key) for key in Renewal.objects.values_list(GROUPS[name](1).key, flat=True)}


@pytest.mark.parametrize("name", GROUPS)
def test_subtotals_add_up_to_the_strip_to_the_cent(cast: Cast, book: list[Renewal], name: str) -> None:
    rows = Renewal.objects.visible_to(cast.admin)
    group = GROUPS[name](1)
    subtotals = read_subtotals(rows, group, as_of=AS_OF, reporting_currency="EUR")
    strip = read_totals(rows, as_of=AS_OF, reporting_currency="EUR")
    sums = {label: sum(one.amounts[label] for one in subtotals.values()) for label in ("Baseline", "Expected")}
    assert sums == {"Baseline": strip.atr_amount, "Expected": strip.expected_amount}
    assert sum(one.count for one in subtotals.values()) == strip.count == len(book)
    assert sum(one.excluded_count for one in subtotals.values()) == strip.excluded_count == 1
    assert sum(one.without_rate.get("JPY", 0) for one in subtotals.values()) == strip.without_rate["JPY"] == 3


def test_subtotals_exactly(cast: Cast) -> None:
    make_rate("USD", "0.5")
    make_renewal(owner=cast.rep, baseline_amount=100, forecast_amount=90)
    make_renewal(owner=cast.rep, baseline_amount=100, forecast_amount=None, currency="USD")
    make_renewal(owner=cast.team_mate, baseline_amount=7, forecast_amount=8)
    found = read_subtotals(Renewal.objects.all(), GROUPS["owner"](1), as_of=AS_OF, reporting_currency="EUR")
    assert {token: (one.count, one.amounts) for token, one in found.items()} == {
        str(cast.rep.pk): (2, {"Baseline": Decimal(150), "Forecast": Decimal(90), "Expected": Decimal(0)}),
        str(cast.team_mate.pk): (1, {"Baseline": Decimal(7), "Forecast": Decimal(8), "Expected": Decimal(0)}),
    }


@given(st.dictionaries(st.text(max_size=3), st.decimals(-(10**9), 10**12, places=7), max_size=30))
def test_rounded_parts_add_up_to_the_rounded_sum(amounts: dict[str, Decimal]) -> None:
    rounded = _to_the_cent(amounts)
    assert sum(rounded.values(), Decimal(0)) == sum(amounts.values(), Decimal(0)).quantize(Decimal("0.01"))
    assert all(abs(rounded[token] - amount) < Decimal("0.01") for token, amount in amounts.items())


@pytest.mark.usefixtures("size")
def test_folded_groups_take_no_rows_of_a_page(cast: Cast, book: list[Renewal]) -> None:
    address = "outcome=all&group=outcome"
    open_count = Renewal.objects.open().count()
    assert counts_of(address, cast.admin) == [("Open", open_count), ("Renewed", 3), ("Lost", 3)]
    assert not any(section.is_folded for section in page_of(address, cast.admin, 50).sections)
    folded = page_of(f"{address}&folded=0", cast.admin, 50)
    assert [(one.title, len(one.ids)) for one in folded.sections] == [("Open", 0), ("Renewed", 3), ("Lost", 3)]
    assert folded.sections[0].fold_url == "?outcome=all&group=outcome"
    assert folded.sections[1].fold_url == "?outcome=all&group=outcome&folded=0,1"
    every = page_of(f"{address}&folded=all", cast.admin, 3)
    assert [(one.title, one.ids) for one in every.sections] == [("Open", []), ("Renewed", []), ("Lost", [])]
    assert (every.has_more, every.sections[0].fold_url) == (False, "?outcome=all&group=outcome&folded=1,2")
    # A folded group stands behind the row before it, and on no other page.
    second = [page_of(f"{address}&folded=1&page={number}", cast.admin, open_count) for number in (1, 2)]
    assert [[one.title for one in page.sections] for page in second] == [["Open"], ["Renewed", "Lost"]]
    # The last ones are on the last page, even where it is full.
    last = page_of(f"{address}&folded=1,2", cast.admin, open_count)
    assert ([one.title for one in last.sections], last.has_more) == (["Open", "Renewed", "Lost"], False)


def test_groups_stand_in_the_order_of_their_names_and_the_blank_one_last(cast: Cast, book: list[Renewal]) -> None:
    titles = [section.title for section in page_of("outcome=all&group=segment", cast.admin, 50).sections]
    assert titles == ["Z", "Y", "X", "No segment"]
    owners = [section.title for section in page_of("outcome=all&group=owner", cast.admin, 50).sections]
    assert owners == ["Mona Manager", "Rhea Rep", "Tom Mate", "No owner"]


@pytest.mark.usefixtures("size")
def test_fiscal_quarters_begin_where_the_companys_year_does(cast: Cast) -> None:
    for day in (dt.date(2026, 10, 31), dt.date(2026, 11, 1), dt.date(2027, 1, 31), dt.date(2027, 2, 1)):
        make_renewal(owner=cast.rep, due_on=day)
    query = read_query(QueryDict("outcome=all&group=due_quarter"), Reader(cast.rep, AS_OF, 2))
    sections = read_page(query.apply(Renewal.objects.all()), query).sections
    assert [(one.title, len(one.ids)) for one in sections] == [
        ("Aug 2026 to Oct 2026", 1),
        ("Nov 2026 to Jan 2027", 2),
        ("Feb 2027 to Apr 2027", 1),
    ]


@pytest.mark.usefixtures("size")
def test_booking_types_of_rows(cast: Cast) -> None:
    fields = [
        {"forecast_amount": 0},
        {"outcome": "lost", "final_amount": 0},
        {"forecast_amount": 50},
        {"forecast_amount": None},
        {"forecast_amount": 150},
        {"forecast_amount": 150, "cross_sell_amount": 20},
    ]
    for values in fields:
        make_renewal(owner=cast.rep, baseline_amount=100, **values)
    assert counts_of("outcome=all&group=booking", cast.rep) == [
        ("Churn", 2),
        ("Downsell", 1),
        ("Renewal as it was", 1),
        ("Upsell", 1),
        ("Cross-sell", 1),
    ]


def test_groups_hold_only_what_one_may_see(cast: Cast, book: list[Renewal]) -> None:
    Renewal.objects.update(owner=cast.rep)
    make_renewal(owner=cast.outsider, due_on=get_company().today())
    page = cast.client_of("outsider").get("/renewals/?group=owner&outcome=all")
    assert [(one.title, len(one.ids)) for one in page.context["page"].sections] == [("Otto Outsider", 1)]
    answer = cast.client_of("outsider").get("/views/subtotals/?group=owner&outcome=all")
    assert [(one.token, one.count) for one in answer.context["subtotals"]] == [(str(cast.outsider.pk), 1)]


def test_head_of_a_group_is_no_row_of_data(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    text = cast.client_of("rep").get("/renewals/?group=owner&outcome=all").content.decode()
    head = text[text.index('<tr class="v-group"') :].partition("</tr>")[0]
    assert "data-group-row" in head
    assert "data-id" not in head
    assert "tabindex" not in head
    assert 'scope="rowgroup" colspan="19"' in head

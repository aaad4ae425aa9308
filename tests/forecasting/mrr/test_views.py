"""The page, the rows behind its figures and its files, as each reader gets them."""

from __future__ import annotations

import csv
import datetime as dt
import re
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from python_calamine import CalamineWorkbook

from accounts.models import User
from forecasting.frames import read_reporting
from forecasting.kept import forget
from forecasting.models import MrrCall, MrrMovement, MrrRollUp, Run
from forecasting.mrr.ledger import KINDS, LOSSES, Ledger, State
from forecasting.mrr.services import refresh_accounts, roll_up_mrr
from renewals.models import Contract, Offer, Renewal
from tests.cast import Cast, make_account, make_renewal
from tests.forecasting.mrr.books import AS_OF, make_rates, random_book
from tests.forecasting.mrr.test_services import publish

PAGE = "/forecast/mrr/"


def roll_up() -> None:
    publish()
    assert roll_up_mrr()


def text_of(html: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<script.*?</script>|<[^>]+>", " ", html.decode(), flags=re.S))


def ledger_of(client: Client, address: str = PAGE) -> Ledger:
    response = client.get(address)
    assert response.status_code == 200
    ledger = response.context["ledger"]
    assert isinstance(ledger, Ledger)
    return ledger


def assert_sensible(content: bytes) -> None:
    text = text_of(content)
    assert not re.search(r"\bNaN\b|\bNone\b|Infinity", text)


@pytest.mark.parametrize("seed", range(200, 206))
def test_each_figure_is_the_sum_of_its_rows_and_months_join_to_the_cent(cast: Cast, seed: int) -> None:
    make_rates()
    random_book(seed, cast)
    roll_up()
    client = cast.client_of("admin")
    response = client.get(f"{PAGE}?back=36")
    assert_sensible(response.content)
    ledger = response.context["ledger"]
    for before, month in zip(ledger.months, ledger.months[1:], strict=False):
        assert month.opening == before.closing
    for month in ledger.months:
        moved = [-month.amount(kind) if kind in LOSSES else month.amount(kind) for kind in KINDS]
        assert month.opening + sum(moved) == month.closing
        assert month.low is None or 0 <= month.low <= month.high
        assert month.signed is None or 0 <= month.signed <= month.closing
    figures = [cell for row in response.context["rows"] for cell in row.cells if cell.url]
    for cell in figures[::7]:
        total = client.get(cell.url).context["total"]
        assert cell.text.lstrip("−") == f"{total:,.2f}"
    for total in response.context["totals"]:
        rows = client.get(total.href)
        assert rows.status_code == 200
        if total.label in {"MRR today", "Committed"}:
            assert rows.context["total"] == {"MRR today": ledger.level, "Committed": ledger.committed}[total.label]


def test_scopes_add_up_to_the_whole_book(cast: Cast) -> None:
    make_rates()
    random_book(31, cast, accounts=14)
    roll_up()
    client = cast.client_of("admin")
    whole = ledger_of(client)
    parts = [ledger_of(client, f"{PAGE}?owner={one.pk}") for one in (cast.rep, cast.team_mate, cast.outsider)]
    teams = [ledger_of(client, f"{PAGE}?team={one.team_id}") for one in (cast.rep, cast.outsider)]
    by_month = {month.starts_on: month for month in whole.months}
    nobody = {
        month_on: month.closing - sum(closing_at(part, month_on) for part in parts)
        for month_on, month in by_month.items()
    }
    assert any(nobody.values())
    assert nobody == {
        month_on: month.closing - sum(closing_at(part, month_on) for part in teams)
        for month_on, month in by_month.items()
    }
    assert closing_at(ledger_of(cast.client_of("rep")), AS_OF.replace(day=1)) == closing_at(
        teams[0], AS_OF.replace(day=1)
    )


def closing_at(ledger: Ledger, month_on: dt.date) -> Decimal:
    return next((month.closing for month in ledger.months if month.starts_on == month_on), Decimal(0))


def test_before_the_first_roll_up_the_page_says_what_to_do(cast: Cast) -> None:
    response = cast.client_of("viewer").get(PAGE)
    assert "No recurring revenue yet" in text_of(response.content)
    assert cast.client_of("viewer").get(f"{PAGE}mrr.csv").status_code == 404


def test_an_empty_book_has_words_instead_of_charts(cast: Cast) -> None:
    roll_up()
    response = cast.client_of("admin").get(PAGE)
    assert [chart.figure for chart in response.context["charts"]] == [None, None, None]
    assert_sensible(response.content)
    assert "Nothing recurs" in text_of(response.content)
    assert "No rate: nothing recurred" in text_of(response.content)


def test_one_open_renewal_is_expected_by_its_probability(cast: Cast) -> None:
    make_renewal(owner=cast.rep, baseline_amount=Decimal(12_000))  # due on 15 December, not scored: even odds
    roll_up()
    response = cast.client_of("rep").get(PAGE)
    assert_sensible(response.content)
    ledger = response.context["ledger"]
    now, then = ledger.current, ledger.months[-1]
    assert (ledger.level, ledger.committed, now.closing) == (Decimal(1000), Decimal(1000), Decimal(1000))
    assert (then.closing, then.low, then.high, then.signed) == (Decimal(500), Decimal(0), Decimal(1000), Decimal(0))
    december = ledger.months[ledger.months.index(now) + 1]
    assert (december.grr, december.nrr) == (Decimal("0.5"), Decimal("0.5"))


def test_a_book_that_only_loses_is_told_with_minus_signs(cast: Cast) -> None:
    due_on = dt.date(2026, 10, 15)
    make_renewal(owner=cast.rep, due_on=due_on, outcome="lost", declined_on=due_on, final_amount=0)
    roll_up()
    response = cast.client_of("rep").get(PAGE)
    assert_sensible(response.content)
    assert "−1,000.00" in text_of(response.content)
    assert "−€\N{NO-BREAK SPACE}1.0\N{NO-BREAK SPACE}K net" in response.context["charts"][0].caption
    assert response.context["ledger"].level == 0


def test_a_currency_without_a_rate_is_named(cast: Cast) -> None:
    make_renewal(owner=cast.rep, currency="GBP")
    roll_up()
    text = text_of(cast.client_of("admin").get(PAGE).content)
    assert "No exchange rate into EUR: contracts left out of every figure: 1 in GBP" in text


def test_upsell_and_cross_sell_are_shown_by_offer_and_open_their_rows(cast: Cast) -> None:
    gold = Offer.objects.create(name="Gold & <b>more</b>")
    make_renewal(
        owner=cast.rep,
        due_on=dt.date(2026, 9, 30),
        offer=gold,
        baseline_amount=Decimal(12_000),
        outcome="renewed",
        ordered_on=dt.date(2026, 9, 20),
        final_amount=Decimal(18_000),
        cross_sell_amount=Decimal(2_400),
    )
    roll_up()
    response = cast.client_of("admin").get(PAGE)
    [offer] = response.context["ledger"].offers
    assert (offer.name, offer.upsell, offer.cross_sell, offer.total) == (gold.name, 300, 200, 500)
    assert b"<b>more" not in response.content
    links = re.findall(r'href="(/forecast/mrr/rows/[^"]*offer=Gold[^"]*)"', response.content.decode())
    address = next(link for link in links if "state=actual" in link)
    rows = cast.client_of("admin").get(address.replace("&amp;", "&"))
    assert (rows.context["total"], rows.context["cross_sell"], len(rows.context["rows"])) == (500, 200, 1)


def test_rows_do_not_lead_to_renewals_that_the_reader_may_not_see(cast: Cast) -> None:
    """A line is its newest renewal's owner's, with its past; the earlier renewal itself stays with whom it is."""
    account = make_account(owner=cast.rep)
    fields: dict[str, Any] = {"outcome": "renewed", "ordered_on": dt.date(2026, 4, 1), "final_amount": Decimal(24_000)}
    old = make_renewal(owner=cast.outsider, account=account, due_on=dt.date(2026, 4, 30), **fields)
    contract = Contract.objects.create(
        account=account,
        number=old.contract.number,
        starts_on=dt.date(2026, 5, 1),
        ends_on=dt.date(2027, 4, 30),
        currency="EUR",
        recurring_amount=Decimal(24_000),
    )
    make_renewal(owner=cast.rep, account=account, contract=contract, due_on=dt.date(2027, 4, 30))
    roll_up()
    address = f"{PAGE}rows/?kind=expansion&month=2026-05"
    rows = cast.client_of("rep").get(address)
    assert rows.context["total"] == 1000
    assert f"/renewals/{old.pk}/".encode() not in rows.content
    assert f"/renewals/{old.pk}/".encode() in cast.client_of("admin").get(address).content
    assert cast.client_of("outsider").get(address).context["total"] == 0


def test_the_forecast_and_the_naive_line_are_measured_when_there_is_history(cast: Cast) -> None:
    make_renewal(owner=cast.rep, due_on=dt.date(2027, 3, 31), account=make_account(owner=cast.rep))
    contract = Contract.objects.get()
    Contract.objects.update(starts_on=dt.date(2024, 4, 1))
    call = {"called_on": dt.date(2026, 7, 1), "month_on": dt.date(2026, 10, 1), "owner": cast.rep}
    MrrCall.objects.create(**call, segment=contract.account.segment, closing_amount=Decimal(1100))
    roll_up()
    errors = ledger_of(cast.client_of("admin")).errors
    assert (errors.called_rate, errors.called_count, errors.naive_rate) == (Decimal("0.1"), 1, Decimal(0))


def test_files_hold_the_table(cast: Cast) -> None:
    make_rates()
    random_book(41, cast)
    roll_up()
    client = cast.client_of("admin")
    months = ledger_of(client, f"{PAGE}?back=24").months
    text = client.get(f"{PAGE}mrr.csv?back=24").content.decode("utf-8-sig")
    rows = list(csv.DictReader(StringIO(text)))
    assert [row["Closing"] for row in rows] == [str(month.closing) for month in months]
    assert [Decimal(row["Churn"]) for row in rows] == [-month.amount(KINDS[-1]) for month in months]
    sheet = CalamineWorkbook.from_filelike(BytesIO(client.get(f"{PAGE}mrr.xlsx?back=24").content)).get_sheet_by_index(0)
    closings = [Decimal(str(row[9])) for row in sheet.to_python()[1:]]
    assert closings == [month.closing for month in months]
    assert client.get(f"{PAGE}mrr.pdf").status_code == 404


@pytest.mark.parametrize("accounts", [1, 6])
def test_the_page_asks_as_much_for_a_larger_book(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries, accounts: int
) -> None:
    make_rates()
    random_book(51, cast, accounts=accounts)
    roll_up()
    client = cast.client_of("admin")
    client.get(PAGE)
    forget()
    with django_assert_num_queries(13):
        client.get(PAGE)
    with django_assert_num_queries(5):  # kept, whatever it costs to set
        client.get(PAGE)


def test_what_is_kept_follows_movements_that_go_and_people_who_move(cast: Cast) -> None:
    make_rates()
    random_book(51, cast, accounts=12)
    roll_up()
    client = cast.client_of("manager")

    def shown() -> str:
        """Twice the same: what is kept, and what is set anew."""
        kept_text = text_of(client.get(PAGE).content)
        forget()
        assert text_of(client.get(PAGE).content) == kept_text
        return kept_text

    before = shown()
    User.objects.filter(pk=cast.outsider.pk).update(team=cast.manager.team)
    joined = shown()
    assert joined != before
    account_id = MrrMovement.objects.filter(owner=cast.rep).order_by("-amount")[0].account_id
    Renewal.objects.filter(account=account_id).delete()
    Contract.objects.filter(account=account_id).delete()
    done = MrrRollUp.objects.get()
    with transaction.atomic(), connection.cursor() as cursor:
        refresh_accounts(cursor, read_reporting(as_of=done.as_of_on), [account_id], done.assumed_rate)
    assert not MrrMovement.objects.filter(account=account_id).exists()
    assert shown() != joined


def test_states_of_the_running_month_are_kept_apart(cast: Cast) -> None:
    """Signed for the 25th of this month: committed, not yet in effect."""
    Contract.objects.create(
        account=make_account(owner=cast.rep),
        number="F-1",
        starts_on=dt.date(2026, 11, 25),
        ends_on=dt.date(2027, 11, 24),
        currency="EUR",
        recurring_amount=Decimal(6_000),
    )
    roll_up()
    ledger = ledger_of(cast.client_of("admin"))
    assert (ledger.level, ledger.committed) == (Decimal(0), Decimal(500))
    assert ledger.current.net(State.COMMITTED) == 500


def test_the_band_holds_what_is_unknown_of_the_rate_of_all(cast: Cast) -> None:
    """Forty even odds over two months: each month has a shock of 0.2, and a rate that is unknown moves both at once."""
    for number in range(40):
        make_renewal(
            owner=cast.rep, baseline_amount=Decimal(12_000), due_on=dt.date(2026, 12 if number % 2 else 11, 29)
        )
    roll_up()
    client = cast.client_of("rep")
    widths = {}
    for unknown in (0.0, 0.43, 0.8):
        widths[unknown] = width_under(client, {"size": 0.2, "period_count": 0, "unknown": unknown})
        # Renewals by themselves, months by themselves, and both months together.
        deviation = (40 * 250_000 + 2 * (0.2 * 5_000) ** 2 + (unknown * 10_000) ** 2) ** 0.5
        assert widths[unknown] == pytest.approx(2 * 1.2816 * deviation, rel=0.06)
    assert width_under(client, None) == pytest.approx(widths[0.8], rel=0.01)  # nothing learned: nothing is known


def width_under(client: Client, shock: dict[str, float] | None) -> float:
    """P90 less P10 of the last closing when the run has learned this shock."""
    Run.objects.update(shock=shock)
    forget()
    last = ledger_of(client).months[-1]
    assert last.low is not None
    assert last.high is not None
    return float(last.high - last.low)

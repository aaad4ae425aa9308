"""The accuracy page, and calls beside what came."""

import datetime as dt
from decimal import Decimal

import pytest

from accounts.models import Company
from forecasting.accuracy import services
from forecasting.models import Backtest
from forecasting.snapshots import freeze_snapshot
from renewals.models import Renewal
from tests.cast import Cast, make_rate, make_renewal
from tests.forecasting.accuracy.test_services import done
from tests.forecasting.as_at.history import happening_at
from tests.forecasting.forecast_book import recompute

__all__ = ["done"]
URL = "/forecast/accuracy/"
UTC = dt.UTC
pytestmark = pytest.mark.django_db


def page(cast: Cast, name: str, query: str = "", url: str = URL) -> str:
    response = cast.client_of(name).get(url + query)
    assert response.status_code == 200
    return response.content.decode()


def test_before_the_first_backtest_the_page_says_what_it_will_show(cast: Cast) -> None:
    text = page(cast, "rep")
    assert "No backtest yet" in text
    assert "Backtest now" not in text
    assert "Backtest now" in page(cast, "manager")


def test_too_little_history_says_what_is_needed(cast: Cast) -> None:
    Backtest.objects.create(asked_because="demand", origin_count=8, state="done")
    assert "Too little history to say" in page(cast, "admin")


def test_the_verdict_and_each_number_with_its_n(done: Backtest, cast: Cast) -> None:
    text = page(cast, "admin")
    assert "The forecast was off by" in text
    assert "chance alone leaves" in text
    assert "By team, segment and rep, 90 days before the end" in text
    for name in (str(cast.rep), str(cast.outsider), "Enterprise", "EMEA"):
        assert f'<th scope="row"><span dir="auto">{name}</span>' in text
    assert "No word of a rep is known of what was open then" in text
    assert "30 days before the end" in page(cast, "admin", "?days=30")


def test_a_rep_reads_their_own_record_and_their_teams(done: Backtest, cast: Cast) -> None:
    text = page(cast, "rep")
    assert f'<th scope="row"><span dir="auto">{cast.rep}</span>' in text
    assert '<th scope="row"><span dir="auto">EMEA</span>' in text
    for hidden in (str(cast.outsider), "AMER", "Enterprise"):
        assert f'<th scope="row"><span dir="auto">{hidden}</span>' not in text
    # Their team's numbers are the headline, not the company's.
    team = done.scopes.get(kind="team", group_id=cast.rep.team_id).content
    assert f"{team['horizons']['90']['all']['joined']['judged']:,.0f} open then" in text
    assert "Nothing to compare for this choice" in page(cast, "team_mate", f"?owner={cast.rep.pk}")


def test_a_running_one_shows_how_far_it_is(cast: Cast) -> None:
    services.request_backtest(reason="demand", user=cast.admin)
    assert "The backtest waits for a worker" in page(cast, "rep", url=f"{URL}status/")
    Backtest.objects.update(state="running", done_count=3)
    text = page(cast, "rep", url=f"{URL}status/")
    assert "3 of 8" in text
    assert 'hx-trigger="every 2s"' in text
    Backtest.objects.update(state="failed", message="The disk is full.")
    assert "The disk is full." in page(cast, "rep", url=f"{URL}status/")


def test_asking_answers_with_the_status(cast: Cast) -> None:
    response = cast.client_of("manager").post(f"{URL}run/", {"shown": "0"}, headers={"HX-Request": "true"})
    assert "The backtest waits for a worker" in response.content.decode()
    assert Backtest.objects.get().requested_by == cast.manager


def test_a_frozen_call_stands_beside_what_came_line_by_line(cast: Cast) -> None:
    """10,000 at 70 % and 9,000 in dollars at 50 % were expected; the first came for 12,000, the other was lost."""
    Company.objects.update(fiscal_year_start_month=1)
    with happening_at(dt.datetime(2026, 7, 1, 9, tzinfo=UTC)):
        make_rate("USD", "0.90")
        won = make_renewal(owner=cast.rep, due_on=dt.date(2026, 9, 30), confidence=70)
        lost = make_renewal(owner=cast.outsider, due_on=dt.date(2026, 9, 15), currency="USD", confidence=50)
    call = freeze_snapshot(
        reason="hand", user=cast.manager, note="Board", moment=dt.datetime(2026, 8, 3, 12, tzinfo=UTC)
    )
    Renewal.objects.filter(pk=won.pk).update(
        outcome="renewed", ordered_on=dt.date(2026, 9, 20), final_amount=Decimal("12500.50")
    )
    text = page(cast, "admin")
    assert "1 open" in text
    recompute()
    Renewal.objects.filter(pk=lost.pk).update(outcome="lost", declined_on=dt.date(2026, 9, 1), final_amount=0)
    recompute()
    # A later rate moves neither side.
    make_rate("USD", "0.10", dt.date(2026, 11, 1))
    lines = page(cast, "admin", url=f"{URL}calls/{call.pk}/")
    assert "12,500.50" in lines
    assert "off by" in lines
    assert str(won.account) in lines
    assert str(lost.account) in lines
    own = page(cast, "rep", url=f"{URL}calls/{call.pk}/")
    assert str(lost.account) not in own.split('id="rows-title"')[1] or won.account == lost.account
    assert "12,500.50" in own
    assert "Held" in page(cast, "admin") or "Missed" in page(cast, "admin")

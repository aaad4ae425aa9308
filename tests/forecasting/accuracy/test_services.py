"""A backtest from its request to its scopes: what is found, who sees it, and what becomes of a lost worker."""

import datetime as dt
import json
from io import StringIO

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Company, Segment
from forecasting.accuracy import services
from forecasting.accuracy.backtest import run_backtest
from forecasting.models import Backtest, BacktestScope, LikelihoodModel, Run
from renewals.models import Renewal
from tests.cast import Cast
from tests.forecasting.learning.decided import AS_OF, make_decided

State = Backtest.State
pytestmark = pytest.mark.django_db


@pytest.fixture
def done(cast: Cast) -> Backtest:
    """Three quarters of a book of two reps: EMEA's has two thirds of it."""
    Company.objects.update(fiscal_year_start_month=1)
    rows = make_decided(420, seed=2, signal=1.0)
    ids = [row.pk for row in rows]
    Renewal.objects.filter(pk__in=ids).update(owner=cast.rep)
    Renewal.objects.filter(pk__in=ids[::3]).update(owner=cast.outsider)
    services.request_backtest(reason="demand", user=cast.manager, origin_count=3)
    claimed = services.claim_backtest()
    assert claimed is not None
    assert services.execute_backtest(claimed, as_of=AS_OF)
    claimed.refresh_from_db()
    return claimed


def scope(done: Backtest, kind: str, group_id: int = 0) -> dict:
    return done.scopes.get(kind=kind, group_id=group_id).content["horizons"]["90"]["all"]["joined"]


def test_scopes_add_up_to_the_book(done: Backtest, cast: Cast) -> None:
    assert (done.state, done.done_count, done.as_of_on, done.reporting_currency) == (State.DONE, 3, AS_OF, "EUR")
    assert [one["label"] for one in done.periods] == ["Q1 FY26", "Q2 FY26", "Q3 FY26"]
    book = scope(done, "book")
    due = sum(one["due_count"] for one in done.periods)
    assert (book["due"], book["periods"]) == (due, 3)
    renewed = Renewal.objects.filter(due_on__range=("2026-01-01", "2026-09-30"), outcome="renewed").count()
    assert book["came_amount"] == 12_000 * renewed
    owners = [scope(done, "owner", one.pk) for one in (cast.rep, cast.outsider)]
    teams = [scope(done, "team", one.team_id or 0) for one in (cast.rep, cast.outsider)]
    segments = [scope(done, "segment", one.pk) for one in Segment.objects.filter(name__in=("Enterprise", "Small"))]
    for parts in (owners, teams, segments):
        for name in ("due", "judged", "came_amount"):
            assert sum(part[name] for part in parts) == pytest.approx(book[name])
    assert owners == teams
    series = done.scopes.get(kind="book").content["series"]
    assert len(series) == 12
    error = sum(abs(one["joined"] - one["came"]) for one in series if one["horizon"] == 90)
    assert error / book["came_amount"] == pytest.approx(book["wape"])
    assert all(one["p10"] <= one["p90"] for one in series)


def test_what_generated_the_book_is_found(done: Backtest) -> None:
    """Segments renew at 90 and 60 % on average; the forecast of open ones agrees within what chance explains."""
    for name, rate in (("Enterprise", 0.9), ("Small", 0.6)):
        found = scope(done, "segment", Segment.objects.get(name=name).pk)
        assert found["judged"] > 50
        assert abs(found["came"] - rate) < found["lean_reach"] + 0.05
        assert abs(found["lean"]) < 1.6 * found["lean_reach"]
    book = scope(done, "book")
    assert book["wape"] < 3 * book["floor"]
    assert book["wape"] >= 0


def test_who_sees_what(done: Backtest, cast: Cast) -> None:
    def seen(name: str) -> set[tuple[str, int]]:
        return set(BacktestScope.objects.visible_to(getattr(cast, name)).values_list("kind", "group_id"))

    emea, amer = cast.rep.team_id, cast.outsider.team_id
    assert seen("rep") == {("owner", cast.rep.pk), ("team", emea)}
    assert seen("team_mate") == seen("viewer") == {("team", emea)}
    assert seen("manager") == {("owner", cast.rep.pk), ("team", emea)}
    assert seen("outsider") == {("owner", cast.outsider.pk), ("team", amer)}
    assert {kind for kind, _ in seen("admin")} == {"book", "team", "owner", "segment"}
    assert seen("admin") == seen("auditor")


def test_only_admins_and_managers_ask_and_one_is_on_its_way(cast: Cast) -> None:
    for name in ("rep", "viewer", "auditor"):
        with pytest.raises(PermissionDenied):
            services.request_backtest(reason="demand", user=getattr(cast, name))
    assert not Backtest.objects.exists()
    first = services.request_backtest(reason="demand", user=cast.manager)
    assert services.request_backtest(reason="monthly", user=None) == first
    with pytest.raises(ValueError, match="origins: 41 is not between 1 and 40"):
        services.request_backtest(reason="demand", user=cast.admin, origin_count=41)


def test_too_little_history_is_no_failure(cast: Cast) -> None:
    make_decided(20)
    services.request_backtest(reason="demand", user=cast.admin)
    claimed = services.claim_backtest()
    assert claimed is not None
    assert services.execute_backtest(claimed, as_of=AS_OF)
    claimed.refresh_from_db()
    assert (claimed.state, claimed.periods, claimed.scopes.count()) == (State.DONE, [], 0)


def test_an_empty_book_has_nothing_to_replay(db: None) -> None:
    found = run_backtest(as_of=AS_OF)
    assert (found.periods, found.scopes) == ([], {})


def test_a_lost_worker_is_replaced_and_its_result_is_not_written(done: Backtest) -> None:
    before = BacktestScope.objects.count()
    services.request_backtest(reason="demand", user=None, origin_count=1)
    lost = services.claim_backtest()
    assert lost is not None
    services.dispatch_backtests()
    assert services.claim_backtest() is None  # it was heard of just now
    Backtest.objects.filter(pk=lost.pk).update(heard_at=timezone.now() - dt.timedelta(hours=1))
    services.dispatch_backtests()
    again = services.claim_backtest()
    assert again is not None
    assert (again.pk, again.restart_count) == (lost.pk, 1)
    assert services.execute_backtest(lost, as_of=AS_OF) is False
    assert BacktestScope.objects.count() == before
    Backtest.objects.filter(pk=lost.pk).update(heard_at=timezone.now() - dt.timedelta(hours=1), restart_count=2)
    services.dispatch_backtests()
    again.refresh_from_db()
    assert (again.state, again.message) == (State.FAILED, "It was started 3 times and did not get to its end.")


def test_a_fault_ends_it_in_words_and_the_last_one_stays(done: Backtest, cast: Cast) -> None:
    pk = services.request_backtest(reason="demand", user=cast.admin)
    Company.objects.update(time_zone="Nowhere/Atall")
    claimed = services.claim_backtest()
    assert claimed is not None
    assert services.execute_backtest(claimed) is False
    failed = Backtest.objects.get(pk=pk)
    assert failed.state == State.FAILED
    assert "Nowhere" in failed.message
    assert Backtest.objects.newest_done() == done


def test_once_a_month(cast: Cast) -> None:
    assert services.request_monthly_backtest() is None  # nothing is decided
    make_decided(3)
    first = services.request_monthly_backtest()
    assert first is not None
    assert services.request_monthly_backtest() is None
    Backtest.objects.filter(pk=first).update(state=State.DONE, requested_at=timezone.now() - dt.timedelta(days=32))
    assert services.request_monthly_backtest() not in {None, first}


def test_the_command_prints_the_table_and_its_json(cast: Cast) -> None:
    Company.objects.update(fiscal_year_start_month=1)
    rows = make_decided(420, seed=2, signal=1.0)
    Renewal.objects.filter(pk__in=[row.pk for row in rows]).update(owner=cast.rep)
    out = StringIO()
    call_command("backtest", "--origins", "1", stdout=out)
    said = out.getvalue()
    assert said.startswith("1 quarter, Q3 FY26 to Q3 FY26, each 90, 60, 30 and 0 days before its end.")
    assert "The forecast was off by " in said
    assert f"\n{cast.rep}  " in said
    out = StringIO()
    call_command("backtest", "--origins", "1", "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert [one["kind"] for one in found["scopes"]].count("book") == 1
    assert len(found["periods"]) == 1
    with pytest.raises(CommandError, match="--origins 0: between 1 and 40 quarters can be replayed"):
        call_command("backtest", "--origins", "0")
    Backtest.objects.create(asked_because="demand", origin_count=1, state=State.RUNNING, heard_at=timezone.now())
    with pytest.raises(CommandError, match="Another backtest is running"):
        call_command("backtest")


def test_the_first_follows_the_first_likelihood_and_nobody_has_to_ask(cast: Cast) -> None:
    make_decided(60)
    services.dispatch_backtests()
    assert not Backtest.objects.exists()  # the book is not scored yet
    run = Run.objects.create(reason="demand", state="published", as_of_on=AS_OF, published_at=timezone.now())
    services.dispatch_backtests()
    assert not Backtest.objects.exists()  # nothing is learned yet
    run.likelihood_model = LikelihoodModel.objects.create(
        asked_because="first", state="fitted", finished_at=timezone.now(), cut_off_on=AS_OF, content={}
    )
    run.save()
    later = Run.objects.create(reason="model", as_of_on=AS_OF)
    services.dispatch_backtests()
    assert not Backtest.objects.exists()  # a run waits: that goes first
    later.delete()
    services.dispatch_backtests()
    services.dispatch_backtests()
    first = Backtest.objects.get()
    assert (first.state, first.requested_by, first.origin_count) == (State.WAITING, None, 4)
    assert services.request_monthly_backtest() is None  # it is this month's
    Backtest.objects.update(state=State.FAILED)
    services.dispatch_backtests()
    assert Backtest.objects.count() == 1  # what failed is not tried for ever

"""The forecast page and the recompute behind it, as each reader gets them."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import Company, get_company
from forecasting.models import ForecastLine, Run, RunChunk
from forecasting.scopes import parts
from forecasting.services import execute_run
from forecasting.status import duration, read_status
from tests.cast import Cast, make_account, make_renewal
from tests.forecasting.forecast_book import recompute
from tests.pages import assert_sensible

nbsp = "\N{NO-BREAK SPACE}"


def publish(**fields: object) -> Run:
    today = get_company().today()
    return Run.objects.create(
        **{"reason": "demand", "state": "published", "as_of_on": today, "published_at": timezone.now(), **fields}
    )


def text_of(html: bytes) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<script.*?</script>|<[^>]+>", " ", html.decode(), flags=re.S))


def test_overview_shows_the_book_of_its_reader(cast: Cast) -> None:
    today = get_company().today()
    for owner, baseline in ((cast.rep, 1_000), (cast.outsider, 20_000)):
        make_renewal(owner=owner, due_on=today + dt.timedelta(days=3), baseline_amount=Decimal(baseline))
    recompute(as_of=today)
    due = {}
    for name in ("admin", "auditor", "manager", "rep", "viewer", "outsider", "other_manager"):
        response = cast.client_of(name).get("/forecast/")
        chart = next(chart for chart in response.context["charts"] if chart.key == "risk")
        due[name] = sum(value for series in chart.series for value in series.values)
    assert due == {
        "admin": 21_000,
        "auditor": 21_000,
        "manager": 1_000,
        "rep": 1_000,
        "viewer": 1_000,
        "outsider": 20_000,
        "other_manager": 20_000,
    }


@pytest.mark.parametrize("count", [1, 3])
def test_overview_asks_as_much_for_three_rows_as_for_one(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    parts._regions.clear()
    today = get_company().today()
    for at in range(count):
        account = make_account(owner=cast.rep)
        make_renewal(owner=cast.rep, account=account, due_on=today + dt.timedelta(days=10 * at + 1))
    recompute(as_of=today)
    client = cast.client_of("admin")
    with django_assert_num_queries(16):
        client.get("/forecast/")


def test_overview_without_a_run_says_what_to_do(cast: Cast) -> None:
    response = cast.client_of("viewer").get("/forecast/")
    assert "No forecast yet A forecast appears when the first recompute" in text_of(response.content)
    assert "charts" not in response.context


def test_overview_of_an_empty_book_has_words_instead_of_charts(cast: Cast) -> None:
    recompute(as_of=get_company().today())
    response = cast.client_of("admin").get("/forecast/")
    assert [chart.figure for chart in response.context["charts"]] == [None] * 5
    text = text_of(response.content)
    assert "Nothing is open and due in the next 90 days." in text
    assert "Nothing to lose No open renewal with a baseline" in text
    assert_sensible(text)


def test_overview_names_a_currency_without_a_rate(cast: Cast) -> None:
    today = get_company().today()
    make_renewal(owner=cast.rep, due_on=today + dt.timedelta(days=5), currency="GBP")
    run = recompute(as_of=today)
    text = text_of(cast.client_of("admin").get("/forecast/").content)
    assert run.message in text
    assert "1 in GBP" in run.message
    assert "No exchange rate into EUR for GBP" in text


def test_overview_names_the_attribution_beside_its_rates(cast: Cast) -> None:
    today = get_company().today()
    due_on = today - dt.timedelta(days=100)
    make_renewal(owner=cast.rep, due_on=due_on, outcome="renewed", final_amount=Decimal(9_000), ordered_on=due_on)
    recompute(as_of=today)
    client = cast.client_of("admin")
    Company.objects.update(attribution="hybrid", fiscal_year_start_month=4)
    response = client.get("/forecast/")
    assert "fiscal year from April" in text_of(response.content)
    assert "Counted by hybrid attribution" in text_of(response.content)
    assert response.context["totals"][3].label.startswith("Gross / net, hybrid Q")


def test_overview_keeps_an_account_name_out_of_the_markup(cast: Cast) -> None:
    today = get_company().today()
    account = make_account(owner=cast.rep, name="<script>alert(1)</script>")
    make_renewal(owner=cast.rep, account=account, due_on=today + dt.timedelta(days=5))
    recompute(as_of=today)
    content = cast.client_of("admin").get("/forecast/").content
    assert b"<script>alert" not in content
    assert b"&lt;script&gt;alert(1)" in content


def test_request_run_asks_for_one_run_however_often(cast: Cast, django_capture_on_commit_callbacks: object) -> None:
    manager = cast.client_of("manager")
    for _ in range(2):
        assert manager.post("/forecast/run/").status_code == 302
    run = Run.objects.get()
    assert (run.state, run.reason, run.requested_by) == ("waiting", "demand", cast.manager)


def test_run_status_polls_only_while_a_run_is_on_its_way(cast: Cast) -> None:
    published = publish(row_count=1204)
    client = cast.client_of("rep")
    status = f"/forecast/run/status/?shown={published.pk}"
    assert text_of(client.get(status).content).strip() == ""
    waiting = cast.client_of("admin").post("/forecast/run/", {"shown": published.pk}, headers={"HX-Request": "true"})
    assert f'hx-get="/forecast/run/status/?shown={published.pk}" hx-trigger="every 2s"' in waiting.content.decode()
    assert "Recompute waits for a worker" in text_of(waiting.content)
    assert "starts within 10 s" in text_of(waiting.content)
    Run.objects.filter(state=Run.State.WAITING).update(requested_at=timezone.now() - dt.timedelta(seconds=40))
    waiting = client.get("/forecast/run/status/")
    assert "no worker has taken it up yet: all are busy, or cannot be reached" in text_of(waiting.content)
    Run.objects.filter(state="waiting").update(state="running", row_count=3000)
    running = Run.objects.get(state="running")
    RunChunk.objects.create(
        run=running, first_account_id=0, last_account_id=9, staged_at=timezone.now(), row_count=1000
    )
    RunChunk.objects.create(run=running, first_account_id=10, last_account_id=19)
    content = client.get(status).content
    assert "Recompute: renewals scored 1,000 of 3,000" in text_of(content)
    assert b'value="1000" max="3000"' in content
    running.chunks.update(staged_at=timezone.now())
    assert "Recompute: publishing" in text_of(client.get(status).content)
    Run.objects.filter(pk=running.pk).update(
        state="published", published_at=timezone.now(), row_count=3000, changed_count=57
    )
    content = client.get(status).content
    assert b"hx-get" not in content
    assert f"Run {running.pk} is published: 3,000 renewals scored, 57 changed." in text_of(content)


def test_run_status_says_why_a_run_failed_and_what_is_shown(cast: Cast) -> None:
    published = publish()
    failed = Run.objects.create(
        reason="nightly", state="failed", as_of_on=get_company().today(), message="Policy 3: grace above late."
    )
    text = text_of(cast.client_of("viewer").get("/forecast/run/status/").content)
    assert f"Run {failed.pk} failed: Policy 3: grace above late." in text
    assert f"What is shown is of run {published.pk}, unchanged. Recompute again" in text
    publish()
    assert read_status().failed is None  # a later run went well


def test_run_chip_costs_one_query_and_says_how_old_the_scores_are(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    publish(published_at=timezone.now() - dt.timedelta(minutes=12, seconds=30))
    with django_assert_num_queries(1):
        status = read_status()
    assert status.age == "12 min old"
    lengths = [dt.timedelta(seconds=59), dt.timedelta(hours=5), dt.timedelta(days=3), dt.timedelta(seconds=-2)]
    assert [duration(length) for length in lengths] == ["59 s", "5 h", "3 days", "0 s"]


def test_runs_lists_who_asked_why_and_what_changed(cast: Cast) -> None:
    started_at = timezone.now()
    publish(
        reason="rule",
        requested_by=cast.admin,
        row_count=6000,
        changed_count=57,
        started_at=started_at,
        published_at=started_at + dt.timedelta(seconds=3.42),
    )
    text = text_of(cast.client_of("manager").get("/forecast/runs/").content)
    assert "Published After a rule changed Ada Admin" in text
    assert "3.4 s 6,000 57" in text


def test_a_requested_run_publishes_what_the_page_shows(cast: Cast) -> None:
    today = get_company().today()
    make_renewal(owner=cast.rep, due_on=today, baseline_amount=Decimal(5_000))
    client = cast.client_of("manager")
    client.post("/forecast/run/")
    assert "No forecast yet" in text_of(client.get("/forecast/").content)
    Run.objects.update(state="running", started_at=timezone.now())
    execute_run(run_id=Run.objects.get().pk)
    assert ForecastLine.objects.filter(grain="month", team=cast.manager.team, due_amount=5_000).exists()
    assert client.get("/forecast/").context["totals"][0].label == "Expected this quarter"

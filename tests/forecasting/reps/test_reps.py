"""The record of calls from history, who may know of whom, and the list of disagreements."""

import datetime as dt

import pytest
from django.db import connection

from accounts.models import Company
from forecasting.engine.calls import Tally
from forecasting.frames.calls import HORIZONS
from forecasting.models import CallRecord
from forecasting.reps.page import in_words, judge_overrides, points_text, read_records, share_text
from forecasting.reps.services import measure_calls
from renewals.models import Override, Renewal, RenewalScore
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import AS_OF, recompute

DECIDED = dt.date(2026, 8, 1)


def make_calls(cast: Cast) -> None:
    """The rep says 90 % of twenty of which half come; the team-mate 50 % of twenty alike; the outsider 90 % of two."""
    for owner, confidence, count in ((cast.rep, 90, 20), (cast.team_mate, 50, 20), (cast.outsider, 90, 2)):
        for at in range(count):
            came = {"outcome": "renewed", "ordered_on": DECIDED, "final_amount": 12_000}
            lost = {"outcome": "lost", "declined_on": DECIDED, "final_amount": 0}
            make_renewal(owner=owner, due_on=DECIDED, confidence=confidence, **(came if at % 2 else lost))


@pytest.fixture
def measured(cast: Cast) -> CallRecord:
    make_calls(cast)
    recompute()
    assert measure_calls()
    return CallRecord.objects.get()


def test_every_horizon_is_measured_once(cast: Cast, measured: CallRecord) -> None:
    assert sorted(map(int, measured.content), reverse=True) == list(HORIZONS)
    rep = Tally.from_dict(measured.content["30"][str(cast.rep.pk)])
    assert (rep.count, rep.came) == (20, 10.0)
    assert rep.bias == pytest.approx(0.4)
    assert rep.brier("rep") == pytest.approx(0.41)
    assert not measure_calls()


def test_a_call_is_what_stood_at_the_horizon(cast: Cast) -> None:
    """Raised from 30 to 90 % forty days before the decision: one call at 90 and 60 days, another from then on."""
    made = make_renewal(
        owner=cast.rep, due_on=DECIDED, confidence=30, outcome="renewed", ordered_on=DECIDED, final_amount=1
    )
    Renewal.objects.filter(pk=made.pk).update(confidence=90)
    at = dt.datetime(2026, 6, 22, 12, tzinfo=dt.UTC)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE renewals_renewalevent SET pgh_created_at = %s", [at])
    recompute()
    assert measure_calls()
    content = CallRecord.objects.get().content
    said = {horizon: Tally.from_dict(content[str(horizon)][str(cast.rep.pk)]).confidence for horizon in HORIZONS}
    assert said == {90: 0.3, 60: 0.3, 30: 0.9, 0: 0.9}


def test_who_knows_of_whom(cast: Cast, measured: CallRecord) -> None:
    def seen(name: str) -> tuple[str, int, list[str]]:
        found = read_records(getattr(cast, name), 30)
        assert found.average is not None
        return found.average.name, found.average.tally.count, sorted(row.name for row in found.rows)

    assert seen("rep") == ("EMEA on average", 40, ["Rhea Rep"])
    assert seen("team_mate") == ("EMEA on average", 40, ["Tom Mate"])
    assert seen("viewer") == ("EMEA on average", 40, [])
    assert seen("manager") == ("EMEA on average", 40, ["Rhea Rep", "Tom Mate"])
    assert seen("outsider") == ("AMER on average", 2, ["Otto Outsider"])
    assert seen("admin") == seen("auditor") == ("Every rep", 42, ["Otto Outsider", "Rhea Rep", "Tom Mate"])


def test_record_in_words(cast: Cast, measured: CallRecord) -> None:
    rep, mate = (read_records(user, 30).rows[0] for user in (cast.rep, cast.team_mate))
    # (20 x 40 + 30 x 20.95) / 50 points: all 42 calls are 20.95 too high on average.
    assert rep.bias == pytest.approx((20 * 0.4 + 30 * (20 * 0.4 + 2 * 0.4) / 42) / 50)
    assert rep.words.startswith("calls 29 points too high; counts for ")
    assert mate.words.startswith("calls neither too high nor too low; ")
    assert read_records(cast.outsider, 30).rows[0].words.startswith("too few calls to tell; ")


@pytest.mark.parametrize(
    ("bias", "half", "weight", "words"),
    [
        (0.09, 0.02, 0.35, "calls 9 points too high; counts for a third"),
        (-0.011, 0.005, 1.0, "calls 1 point too low; counts for all of it"),
        (0.09, 0.09, 0.0, "calls neither too high nor too low; counts for nothing"),
    ],
)
def test_words(bias: float, half: float, weight: float, words: str) -> None:
    assert in_words(Tally(count=15), bias, bias - half, bias + half, weight) == words


def test_numbers_in_words() -> None:
    assert [points_text(one) for one in (0.0912, -0.004, 0.0, -0.0001)] == ["+9.1", "−0.4", "0.0", "0.0"]
    assert [share_text(one) for one in (0.0, 0.3, 0.45, 0.7)] == ["nothing", "a third", "half", "two thirds"]


def test_decided_pins_are_judged(cast: Cast) -> None:
    for percent, until_on, ended in ((90, DECIDED, None), (10, DECIDED - dt.timedelta(days=1), None)):
        made = make_renewal(owner=cast.rep, due_on=DECIDED, outcome="renewed", ordered_on=DECIDED, final_amount=12_000)
        Override.objects.create(
            renewal=made, percent=percent, reason="Known", until_on=until_on, pinned_by=cast.rep,
            likelihood_then=0.7, joined_then=0.5, ended_at=ended,
        )  # fmt: skip
    recompute()
    found = judge_overrides(cast.rep)
    assert found is not None
    assert (found.count, found.pinned, found.model, found.joined) == pytest.approx((1, 0.01, 0.09, 0.25))
    assert judge_overrides(cast.outsider) is None


def test_disagreements_are_listed_by_what_is_at_stake(cast: Cast) -> None:
    Company.objects.update(time_zone="UTC")
    rows = [
        make_renewal(owner=owner, confidence=confidence, baseline_amount=amount)
        for owner, confidence, amount in (
            (cast.rep, 20, 1_000), (cast.team_mate, 95, 50_000), (cast.rep, 45, 9_000), (cast.outsider, 1, 99_000),
        )
    ]  # fmt: skip
    recompute()
    RenewalScore.objects.update(likelihood=0.60)
    client = cast.client_of("rep")

    def listed(query: str = "") -> list[int]:
        page = client.get(f"/forecast/reps/disagreement/{query}")
        assert page.status_code == 200
        return [row.pk for row, _, _ in page.context["rows"]]

    assert listed() == [rows[1].pk, rows[0].pk]
    assert listed("?side=lower") == [rows[0].pk]
    assert listed("?points=40") == [rows[0].pk]
    assert listed("?points=50&owner=me") == []
    assert listed("?points=abc&side=x") == listed()
    page = client.get("/forecast/reps/disagreement/").content.decode()
    assert f'action="/renewals/{rows[0].pk}/pin/"' in page
    assert f'action="/renewals/{rows[1].pk}/pin/"' not in page  # the team-mate's


def test_pages_say_when_there_is_nothing(cast: Cast) -> None:
    client = cast.client_of("rep")
    assert "No closed calls to judge yet" in client.get("/forecast/reps/").content.decode()
    assert "Rep and model agree" in client.get("/forecast/reps/disagreement/").content.decode()


def test_page_shows_the_record(cast: Cast, measured: CallRecord) -> None:
    page = cast.client_of("manager").get("/forecast/reps/?horizon=90")
    content = page.content.decode()
    assert "Calls 29 points too high" in content
    assert "Confidence as it stood 90 days before the decision" in content
    assert f"{AS_OF:%d %b %Y}" in content

"""The list of health, the section of an account, and the admin's weights."""

import datetime as dt

import pytest

from accounts.models import (
    AccountHealth,
    AccountSignal,
    HealthBand,
    HealthFactor,
    HealthWeightVersion,
    Segment,
    StaleHealth,
    get_company,
)
from accounts.signal_weights import Unweighed, find_unweighed
from config.history import recorded_as
from engagement.health import services
from engagement.health.reads import health_of, read_card
from forecasting.health import refresh_health
from forecasting.health.preview import Move, preview_weights
from tests.cast import make_account, make_renewal
from tests.permissions.health import WEIGHTS

pytestmark = pytest.mark.django_db


def judged(owner, *signals, **fields):
    """An account with an open renewal and signals of so many days ago: [(days, {measure: value}), ...]."""
    account, today = make_account(owner=owner, **fields), get_company().today()
    make_renewal(owner=owner, account=account, due_on=today + dt.timedelta(days=60))
    for days, values in signals:
        AccountSignal.objects.create(account=account, measured_on=today - dt.timedelta(days=days), **values)
    refresh_health(as_of=today)
    return account


@pytest.fixture
def weights(db):
    return HealthWeightVersion.objects.create(
        weights={"nps_score": 3, "sentiment_score": 1}, healthy_from=70, watch_from=50
    )


def names(client, query):
    answer = client.get(f"/health/{query}")
    assert answer.status_code == 200
    return [row.account.name for row in answer.context["rows"]]


def test_list_shows_the_least_healthy_first_and_filters(cast, weights):
    judged(cast.rep, (100, {"nps_score": 60}), (5, {"nps_score": -50}), name="Falling")
    judged(cast.rep, (5, {"nps_score": 5}), name="Middling", segment=None)
    judged(cast.rep, (5, {"nps_score": 60}), name="Well")
    judged(cast.team_mate, name="Silent")
    judged(cast.outsider, (5, {"nps_score": 60}), name="Elsewhere")
    client = cast.client_of("rep")
    assert names(client, "") == ["Falling", "Middling", "Well", "Silent"]
    assert names(client, "?band=0") == ["Falling"]
    assert names(client, "?band=unknown") == ["Silent"]
    assert names(client, "?trend=down") == ["Falling"]
    assert names(client, "?trend=up") == []
    assert names(client, "?whose=mine") == ["Falling", "Middling", "Well"]
    assert names(client, f"?segment={Segment.objects.get().pk}") == ["Falling", "Well", "Silent"]
    assert names(client, "?band=9&segment=x&page=x&trend=%00") == ["Falling", "Middling", "Well", "Silent"]
    assert names(client, "?page=2") == []
    rows = client.get("/health/").context["bands"]
    assert [(row.name, row.healthy, row.watch, row.poor, row.unknown) for row in rows] == [
        ("Enterprise", 1, 0, 1, 1),
        ("No segment", 0, 1, 0, 0),
        ("All", 1, 1, 1, 1),
    ]


def test_list_asks_as_much_for_many_accounts_as_for_one(cast, weights, django_assert_num_queries):
    client = cast.client_of("auditor")
    judged(cast.rep, (5, {"nps_score": 60}))
    client.get("/health/")
    with django_assert_num_queries(9):
        client.get("/health/")
    for _ in range(3):
        judged(cast.rep, (5, {"nps_score": 60}))
    with django_assert_num_queries(9):
        client.get("/health/")


def test_the_parts_of_an_account_add_up_to_its_health(cast, weights):
    account = judged(cast.rep, (40, {"nps_score": 23}), (3, {"sentiment_score": 2}))
    card = read_card(account, as_of=get_company().today())
    assert [(part.label, part.points, part.most) for part in card.parts] == [
        ("NPS", 49.77, 75.0),
        ("Sentiment", 6.25, 25.0),
    ]
    assert card.exact_score == 56.02 == round(sum(part.points for part in card.parts), 2)
    assert (card.standing.word, card.standing.completeness, card.missing) == ("Watch", 100, [])
    assert [(score, word, known) for _, score, word, known in card.line.rows] == [
        (56.02, "Watch", 100),
        (66.36, "Watch", 75),
    ]
    today = get_company().today()
    assert health_of([account.pk], today) == {account.pk: 56.02}
    assert health_of([account.pk], today - dt.timedelta(days=10)) == {account.pk: 66.36}
    assert health_of([account.pk], today - dt.timedelta(days=41)) == {}


def test_an_account_without_fresh_signals_says_so(cast, weights):
    account = judged(cast.rep, (800, {"nps_score": 60}))
    card = read_card(account, as_of=get_company().today())
    assert (card.exact_score, card.parts, card.missing) == (None, [], ["NPS", "Sentiment"])
    answer = cast.client_of("rep").get(f"/accounts/{account.pk}/")
    assert b"Nothing fresh is known" in answer.content
    assert b"Note sentiment" in answer.content
    assert b"Note sentiment" not in cast.client_of("viewer").get(f"/accounts/{account.pk}/").content


def test_new_weights_are_shown_before_they_are_saved(cast, weights):
    account = judged(cast.rep, (5, {"nps_score": -50, "sentiment_score": 5}))
    given = dict.fromkeys(WEIGHTS, "0") | {"weight-sentiment_score": "2", "healthy_from": "90", "watch_from": "60"}
    client = cast.client_of("admin")
    shown = client.post("/health/weights/", given)
    assert shown.context["preview"].moves == [Move(HealthBand.POOR, HealthBand.HEALTHY, 1)]
    assert HealthWeightVersion.objects.first() == weights
    client.post("/health/weights/", given | {"confirm": "yes"})
    version = HealthWeightVersion.objects.first()
    assert (version.weights["sentiment_score"], version.healthy_from, version.created_by) == (2, 90, cast.admin)
    assert list(StaleHealth.objects.values_list("account", flat=True)) == [account.pk]
    refresh_health(as_of=get_company().today())
    assert AccountHealth.objects.get().score == 100.0
    client.post(f"/health/weights/{weights.pk}/restore/")
    refresh_health(as_of=get_company().today())
    assert AccountHealth.objects.get().score == 25.0


def test_preview_looks_at_the_accounts_that_share_the_weights(cast, weights):
    own, other = Segment.objects.create(name="Own"), Segment.objects.create(name="Other")
    services.save_weights(by=cast.admin, segment=own, weights={"nps_score": 1}, healthy_from=70, watch_from=50)
    for segment in (own, other, None):
        judged(cast.rep, (5, {"nps_score": 60}), segment=segment)

    def counted(segment):
        found = preview_weights(
            segment=segment, weights={"csat_score": 1}, healthy_from=70, watch_from=50, as_of=get_company().today()
        )
        return found.account_count, found.moves

    assert counted(None) == (2, [Move(HealthBand.HEALTHY, None, 2)])
    assert counted(own) == (1, [Move(HealthBand.HEALTHY, None, 1)])
    services.share_weights(by=cast.admin, segment=own)
    assert counted(None)[0] == 3


def test_weights_that_say_nothing_are_refused(cast):
    for weights, bands in (({"nps_score": 0}, (70, 50)), ({"nps_score": -1}, (70, 50)), ({"nps_score": 1}, (50, 50))):
        with pytest.raises(ValueError, match="above 0"):
            services.save_weights(
                by=cast.admin, segment=None, weights=weights, healthy_from=bands[0], watch_from=bands[1]
            )
    answer = cast.client_of("admin").post("/health/weights/", dict.fromkeys(WEIGHTS, "0") | {"healthy_from": "9"})
    assert answer.status_code == 422


def test_a_custom_signal_is_defined_weighed_and_told_of(cast):
    client = cast.client_of("admin")
    values = {"key": "quiz", "label": "Quiz", "worst_value": "0", "best_value": "10", "stale_days": "90"}
    client.post("/health/factors/new/", values)
    factor = HealthFactor.objects.get(key="quiz")
    assert (factor.position, factor.is_custom) == (12, True)
    for wrong in ({"key": "quiz"}, {"key": "nps_score"}, {"key": "other", "best_value": "0"}):
        assert client.post("/health/factors/new/", values | wrong).status_code == 422
    client.post(f"/health/factors/{factor.pk}/", values | {"best_value": "5", "label": "Quizzes"})
    factor.refresh_from_db()
    assert (factor.label, factor.best_value, factor.key) == ("Quizzes", 5.0, "quiz")
    with recorded_as(user_id=None, how="job"):
        account = judged(cast.rep, (1, {"custom_values": {"quiz": 4}}))
    services.save_weights(by=cast.admin, segment=None, weights={"quiz": 1}, healthy_from=70, watch_from=50)
    refresh_health(as_of=get_company().today())
    assert read_card(account, as_of=get_company().today()).exact_score == 80.0


def test_a_custom_signal_without_a_weight_says_so_wherever_it_is(cast):
    own, shared = Segment.objects.create(name="Own"), Segment.objects.create(name="Shared")
    for segment, weights in (
        (None, {"nps_score": 4, "csat_score": 8, "usage_change_rate": 0}),
        (own, {"nps_score": 1}),
    ):
        services.save_weights(by=cast.admin, segment=segment, weights=weights, healthy_from=70, watch_from=50)
    client, today = cast.client_of("admin"), get_company().today()
    values = {"key": "quiz", "label": "Quiz", "worst_value": "0", "best_value": "10", "stale_days": "90"}
    made = client.post("/health/factors/new/", values)
    assert made.headers["Location"] == "/health/weights/#weight-quiz"
    factor = HealthFactor.objects.get(key="quiz")
    assert find_unweighed([factor]) == [Unweighed(factor, [None, own])]
    assert 'href="/health/weights/#weight-quiz"' in client.get(f"/health/factors/{factor.pk}/").content.decode()

    page = client.get("/health/weights/")
    [row] = [row for row in page.context["rows"] if row.is_proposed]
    assert (row.factor, row.field.initial, round(row.share, 1)) == (factor, 6, 33.3)  # the median of 4 and 8
    account = judged(cast.rep, (1, {"custom_values": {"quiz": 4}, "nps_score": 60}), segment=shared)
    other = judged(cast.rep, (1, {"nps_score": 60}), segment=shared)
    assert read_card(account, as_of=today).unweighed == ["Quiz"]
    assert read_card(other, as_of=today).unweighed == []
    text = cast.client_of("rep").get(f"/accounts/{account.pk}/").content.decode()
    assert "1 signal has no weight yet and counts for nothing: Quiz." in text
    assert "Give it one" not in text
    services.save_weights(
        by=cast.admin, segment=None, weights={"nps_score": 4, "quiz": 0}, healthy_from=70, watch_from=50
    )
    assert read_card(account, as_of=today).unweighed == []  # 0 is an admin's word
    assert find_unweighed([factor]) == [Unweighed(factor, [own])]

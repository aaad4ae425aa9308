"""The pin in the drawer: written, refused in words, marked in the table."""

import datetime as dt

import pytest
from django.test import Client

from accounts.models import get_company
from forecasting.services import score_renewals
from renewals.models import Override, Renewal, RenewalScore
from renewals.overrides.services import pin_probability
from tests.cast import Cast, make_renewal


@pytest.fixture
def today() -> dt.date:
    return get_company().today()


@pytest.fixture
def renewal(cast: Cast, today: dt.date) -> Renewal:
    made = make_renewal(owner=cast.rep, confidence=80, due_on=today + dt.timedelta(days=60))
    score(made, today)
    return made


def score(renewal: Renewal, today: dt.date) -> None:

    score_renewals(renewal_ids=[renewal.pk], as_of=today)


def send(client: Client, renewal: Renewal, today: dt.date, **changes: str):
    data = {"percent": "35", "until_on": f"{today + dt.timedelta(days=9)}", "reason": "Budget <cut>", "seen": ""}
    return client.post(f"/renewals/{renewal.pk}/pin/", data | changes, headers={"HX-Request": "true"})


def test_pin_is_shown_in_the_drawer_and_the_table(cast: Cast, renewal: Renewal, today: dt.date) -> None:
    client = cast.client_of("rep")
    answer = send(client, renewal, today)
    assert answer.status_code == 200
    assert f'"ids": [{renewal.pk}]' in answer.headers["HX-Trigger"]
    page = answer.content.decode()
    assert "<b>35 %</b> is pinned until" in page
    assert "Budget &lt;cut&gt;" in page
    assert RenewalScore.objects.get(pk=renewal.pk).probability == 0.35
    table = client.get("/renewals/").content.decode()
    words = f"Pinned by Rhea Rep until {today + dt.timedelta(days=9):%d %b %Y}: Budget &lt;cut&gt;"
    assert f'<span class="g-pin" title="{words}">' in table
    seen = str(Override.objects.get().pk)
    off = client.post(f"/renewals/{renewal.pk}/unpin/", {"seen": seen}, headers={"HX-Request": "true"})
    assert off.status_code == 200
    assert "Earlier pins" in off.content.decode()
    assert "g-pin" not in client.get("/renewals/").content.decode()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("percent", "101", "less than or equal to 100"),
        ("percent", "", "How probable is it?"),
        ("reason", "  ", "Why? Whoever reads the forecast asks that first."),
        ("until_on", "2020-01-01", "A day from"),
        ("until_on", "2999-01-01", "A day from"),
        ("until_on", "soon", "A date written as 2026-11-21."),
    ],
)
def test_bad_input_is_refused_in_words(
    cast: Cast, renewal: Renewal, today: dt.date, field: str, value: str, words: str
) -> None:
    answer = send(cast.client_of("rep"), renewal, today, **{field: value})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Override.objects.count() == 0


def test_pin_that_was_not_seen_is_told_and_kept(cast: Cast, renewal: Renewal, today: dt.date) -> None:
    pin_probability(
        renewal_id=renewal.pk, user=cast.manager, percent=60, reason="Mine", until_on=today, seen_id=None, as_of=today
    )
    answer = send(cast.client_of("rep"), renewal, today)
    assert answer.status_code == 409
    assert "Mona Manager pinned 60 % until" in answer.content.decode()
    gone = cast.client_of("rep").post(f"/renewals/{renewal.pk}/unpin/", {"seen": ""})
    assert gone.status_code == 409
    assert [one.percent for one in Override.objects.all()] == [60]


def test_without_scripts_a_pin_leads_back_to_where_it_was_made(cast: Cast, renewal: Renewal, today: dt.date) -> None:
    client = cast.client_of("rep")
    data = {"percent": "35", "until_on": str(today), "reason": "No", "next": "/forecast/reps/disagreement/?points=40"}
    assert client.post(f"/renewals/{renewal.pk}/pin/", data).headers["Location"] == data["next"]
    data |= {"seen": str(Override.objects.get().pk), "next": "https://example.com/"}
    assert client.post(f"/renewals/{renewal.pk}/pin/", data).headers["Location"] == f"/renewals/{renewal.pk}/#d-chances"


def test_a_lapsed_row_offers_no_pin(cast: Cast, today: dt.date) -> None:
    lapsed = make_renewal(owner=cast.rep, due_on=today - dt.timedelta(days=300))
    score(lapsed, today)
    client = cast.client_of("rep")
    assert "Pin a probability" not in client.get(f"/renewals/{lapsed.pk}/").content.decode()
    answer = send(client, lapsed, today)
    assert answer.status_code == 422
    assert "has lapsed" in answer.content.decode()

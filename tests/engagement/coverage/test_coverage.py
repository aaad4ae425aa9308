"""Coverage over the book: what is suggested, set as one step, taken back, and sent as a file."""

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest

from accounts.models import Account, Segment, get_company
from engagement.coverage.allocation import HIGH, LOW, MID
from engagement.coverage.reads import fingerprint, order_of, read_matrix, read_plan, read_reps
from engagement.coverage.services import apply_touch_models, save_terms
from engagement.models import CoverageTerms
from renewals.history.undo import undo_batch
from renewals.models import ChangeBatch, RenewalScore
from tests.cast import make_account, make_renewal

pytestmark = pytest.mark.django_db
RATES = {"EUR": Decimal(1), "USD": Decimal("0.5")}


def at_risk(owner, amount, probability, *, due_in=60, currency="EUR", account=None, **fields):
    account = account or make_account(owner=owner, **fields)
    renewal = make_renewal(
        owner=owner, account=account, due_on=get_company().today() + dt.timedelta(days=due_in),
        baseline_amount=Decimal(amount), currency=currency,
    )  # fmt: skip
    RenewalScore.objects.create(
        renewal=renewal, account=account, timing_class=0, timing_days=0, risk_score=10, likelihood=probability,
        likelihood_count=1, probability=probability, completeness=1, contributions=[],
    )  # fmt: skip
    return account


@pytest.fixture
def terms(cast):
    values = {"low_hours": 1, "mid_hours": 3, "high_hours": 9, "rep_hours": 10}
    rates = {"low_saved_rate": 0.0, "mid_saved_rate": 0.2, "high_saved_rate": 0.35}
    return CoverageTerms.objects.create(**values, **rates)


def plan_of(user, **options):
    return read_plan(user, as_of=get_company().today(), rates=RATES, **options)


def test_value_risk_and_hours_make_the_suggestion(cast, terms):
    large = at_risk(cast.rep, 10_000, 0.5, touch_model="low")
    at_risk(cast.rep, 4_000, 0.75, account=large, currency="USD")
    small = at_risk(cast.rep, 1_000, 0.5, touch_model="high")
    at_risk(cast.rep, 90_000, 0.1, due_in=400, account=small)  # beyond the year
    nobody = at_risk(None, 500, 0.0)
    plan = plan_of(cast.admin)
    assert plan.rows["id"].tolist() == [large.pk, small.pk, nobody.pk]
    assert plan.rows["stake"].tolist() == pytest.approx([5_500, 500, 500])
    assert plan.rows["baseline"].tolist() == [12_000, 1_000, 500]
    # 10 hours: 2 for low touch, 2 and 6 for the large one; nothing is left for the small one.
    assert plan.suggested.tolist() == [HIGH, LOW, LOW]
    assert plan.present.tolist() == [LOW, HIGH, LOW]
    # 35 % of 5,500 for 4 x 8 hours; and 35 % of 500 lost for as many.
    assert plan.gain.tolist() == pytest.approx([1925 / 32, 175 / 32, 0])
    assert order_of(plan, "").tolist() == [0, 2, 1]
    assert [order_of(plan, show).tolist() for show in ("up", "down", "all")] == [[0, 2], [1], [0, 2, 1]]
    assert [(row.label, row.counts) for row in read_matrix(plan)] == [
        ("High touch", [1, 0, 0]), ("Mid touch", [0, 0, 0]), ("Low touch", [0, 0, 1]), ("Not set", [1, 0, 0]),
    ]  # fmt: skip
    rep, none = read_reps(plan)
    assert (rep.name, rep.counts, rep.present_hours, rep.suggested_hours) == ("Rhea Rep", [1, 0, 1], 10.0, 10.0)
    assert (none.name, none.account_count, none.rep_hours) == ("Nobody", 1, None)
    assert rep.more_saved == pytest.approx(1750)


def test_a_segment_has_terms_of_its_own(cast, terms):
    small = Segment.objects.create(name="Small")
    save_terms(
        by=cast.admin,
        terms={small.pk: {"low_hours": 1, "mid_hours": 20, "high_hours": 30, "low_saved_rate": 0.0,
                          "mid_saved_rate": 0.5, "high_saved_rate": 0.6}},
    )  # fmt: skip
    at_risk(cast.rep, 100, 0.5, segment=small)
    at_risk(cast.rep, 100, 0.5)
    assert plan_of(cast.rep).suggested.tolist() == [LOW, HIGH]
    save_terms(by=cast.admin, terms={small.pk: None})
    assert CoverageTerms.objects.get() == terms


def test_readers_see_their_own_book_and_a_missing_rate_is_named(cast, terms):
    at_risk(cast.rep, 100, 0.5)
    at_risk(cast.outsider, 100, 0.5, currency="JPY")
    assert len(plan_of(cast.rep).suggested) == 1
    plan = plan_of(cast.admin)
    assert (plan.rows["baseline"].tolist(), plan.without_rate) == ([100, 0], ["JPY"])
    assert len(plan_of(cast.admin, owner_id=cast.outsider.pk).suggested) == 1
    assert cast.client_of("rep").get("/coverage/").context["row_count"] == 1


def test_touch_models_are_one_step_that_is_taken_back(cast, terms):
    mine, kept = at_risk(cast.rep, 1, 0.5, touch_model="low"), at_risk(cast.rep, 1, 0.5, touch_model="mid")
    other = at_risk(cast.outsider, 1, 0.5)
    batch = apply_touch_models(by=cast.manager, changes={mine.pk: HIGH, kept.pk: MID, other.pk: HIGH})
    models = dict(Account.objects.values_list("pk", "touch_model"))
    assert models == {mine.pk: "high", kept.pk: "mid", other.pk: ""}
    assert (batch.row_count, batch.description) == (1, "Touch models of 1 account")
    undo_batch(batch_id=batch.pk, user=cast.manager, as_of=get_company().today())
    assert dict(Account.objects.values_list("pk", "touch_model"))[mine.pk] == "low"


def test_page_sets_the_chosen_ones_or_all_if_they_are_as_shown(cast, terms):
    first, second = at_risk(cast.rep, 9_000, 0.5), at_risk(cast.team_mate, 9_000, 0.5)
    client = cast.client_of("manager")
    page = client.get("/coverage/")
    assert {row.account.pk for row in page.context["rows"]} == {first.pk, second.pk} == page.context["editable"]
    shown = page.context["fingerprint"]
    assert shown == fingerprint(plan_of(cast.manager))
    answer = client.post("/coverage/apply/", {"fingerprint": shown, "scope": "chosen"})
    assert (answer.status_code, b"Choose the accounts first." in answer.content) == (422, True)
    client.post("/coverage/apply/", {"fingerprint": shown, "scope": "chosen", "account": [str(first.pk), "x"]})
    assert dict(Account.objects.values_list("pk", "touch_model")) == {first.pk: "high", second.pk: ""}
    assert client.post("/coverage/apply/", {"fingerprint": shown, "scope": "all"}).status_code == 409
    assert ChangeBatch.objects.count() == 1
    fresh = client.get("/coverage/").context["fingerprint"]
    client.post("/coverage/apply/", {"fingerprint": fresh, "scope": "all"})
    assert dict(Account.objects.values_list("pk", "touch_model")) == {first.pk: "high", second.pk: "high"}
    assert b"Everybody is covered as suggested" in client.get("/coverage/").content


def test_the_file_has_every_row_and_no_formula(cast, terms):
    at_risk(cast.rep, 1_000, 0.5, name="=cmd()", external_id="A-9")
    content = b"".join(cast.client_of("rep").get("/coverage/export/").streaming_content).decode("utf-8-sig")
    head, row = csv.reader(io.StringIO(content))
    assert dict(zip(head, row, strict=True)) == {
        "Account id": "A-9", "Account": "'=cmd()", "Segment": "Enterprise", "Owner": "Rhea Rep", "Present": "Not set",
        "Suggested": "High touch", "Baseline due": "1000.00", "At risk": "500.00", "Risk %": "50.0", "Hours now": "1",
        "Hours suggested": "9", "Saved an hour": "5.47", "Currency": "EUR",
    }  # fmt: skip


def test_terms_that_do_not_rise_are_refused_with_their_numbers(cast, terms):
    segment = Segment.objects.create(name="Small")
    given = {"rep_hours": "300"}
    for name, hours, rates in (("others", ("1", "3", "2"), ("30", "20", "40")), (segment.pk, ("1", "", ""), ("",) * 3)):
        for model, hour, rate in zip(("low", "mid", "high"), hours, rates, strict=True):
            given |= {f"{model}_hours-{name}": hour, f"{model}_saved_rate-{name}": rate}
    answer = cast.client_of("admin").post("/coverage/terms/", given)
    errors = answer.context["form"].errors
    assert answer.status_code == 422
    assert errors["mid_hours-others"] == [
        "Everybody else: hours rise from low to mid to high touch, and 1, 3, 2 do not."
    ]
    assert errors["mid_saved_rate-others"] == ["Everybody else: a closer touch saves no less, and 30, 20, 40 % fall."]
    assert errors[f"mid_hours-{segment.pk}"] == ["Small needs all six, or none."]
    assert CoverageTerms.objects.get().mid_hours == 3

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError
from django.urls import reverse
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import Company, Industry, Segment, get_company
from forecasting.models import Run
from renewals.models import TimingPolicy, TimingPolicyVersion
from renewals.rules import services
from tests.cast import Cast, make_account, make_rate, make_renewal

NO_RENEWAL = "No renewal is due then; take a day from 01 Jan 1970 to 01 Jan 2100."
SAME_DAY = "This policy already has a version from 01 Jan 1970; take another."
NEW_POLICY, TIMING = "/rules/timing/new/", "/rules/timing/"


def tolerances(**changes: Any) -> dict[str, Any]:
    return {
        "early_days": 30,
        "grace_days": 0,
        "late_days": 60,
        "day_kind": "calendar",
        "effective_from": "2020-01-01",
        **changes,
    }


def default_policy() -> TimingPolicy:
    return TimingPolicy.objects.get(account=None, segment=None, industry=None)


def add_version(policy: TimingPolicy, day: dt.date, by: Any = None) -> TimingPolicyVersion:
    return TimingPolicyVersion.objects.create(
        policy=policy, effective_from=day, early_days=10, late_days=20, created_by=by
    )


def test_preview_shows_what_would_change_and_saves_nothing(cast: Cast) -> None:
    today = get_company().today()
    make_rate("USD", "0.5")
    make_renewal(owner=cast.rep, due_on=today - dt.timedelta(days=10), currency="USD")  # overdue, would lapse
    make_renewal(owner=cast.rep, due_on=today - dt.timedelta(days=3))  # overdue, would still be in its window
    make_renewal(owner=cast.rep, due_on=today + dt.timedelta(days=40))  # upcoming as before
    segment = Segment.objects.get(name="Enterprise")
    response = cast.client_of("admin").post(NEW_POLICY, tolerances(segment=segment.pk, grace_days=5, late_days=8))
    assert response.status_code == 200
    moves = [(m.before, m.after, m.way, m.count, m.baseline) for m in response.context["moves"]]
    assert sorted(moves) == [("overdue", "in_window", "better", 1, 12000), ("overdue", "lapsed", "worse", 1, 6000)]
    assert response.context["counts"] == {"better": 1, "worse": 1, "neither": 0}
    assert response.context["baseline"] == 18000
    assert TimingPolicy.objects.count() == 1
    assert not Run.objects.exists()


def test_confirming_saves_the_policy_and_asks_for_a_recompute(cast: Cast) -> None:
    segment, industry = Segment.objects.create(name="SMB"), Industry.objects.create(name="Construction")
    data = tolerances(segment=segment.pk, industry=industry.pk, early_days=45, day_kind="business", confirm="yes")
    response = cast.client_of("admin").post(NEW_POLICY, data)
    version = TimingPolicyVersion.objects.get(policy__segment=segment, policy__industry=industry)
    run = Run.objects.get()
    assert response.headers["Location"] == f"{TIMING}?run={run.pk}"
    assert (version.early_days, version.day_kind, version.created_by) == (45, "business", cast.admin)
    assert (run.reason, run.requested_by) == ("rule", cast.admin)
    assert Company.objects.get().rules_version == 2


def test_hidden_fields_of_the_preview_say_all_that_the_save_needs(cast: Cast) -> None:
    client, account = cast.client_of("admin"), make_account()
    preview = client.post(NEW_POLICY, tolerances(account=account.pk, effective_from="2026-12-01"))
    fields = {}
    for form in (preview.context["policy_form"], preview.context["form"]):
        fields |= {field.html_name: field.value() or "" for field in form}
    client.post(NEW_POLICY, {**fields, "confirm": "yes"})
    version = TimingPolicyVersion.objects.get(policy__account=account)
    assert version.effective_from == dt.date(2026, 12, 1)


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"grace_days": 61}, "grace_days", "Grace days are at most the late days: 61 is more than 60."),
        ({"early_days": -1}, "early_days", "Ensure this value is greater than or equal to 0."),
        ({"early_days": 1000}, "early_days", "Ensure this value is less than or equal to 999."),
        ({"late_days": ""}, "late_days", "This field is required."),
        ({"effective_from": "1970-01-01"}, "effective_from", SAME_DAY),
        ({"effective_from": "1969-12-31"}, "effective_from", NO_RENEWAL),
        ({"effective_from": "2100-01-02"}, "effective_from", NO_RENEWAL),
    ],
)
def test_invalid_tolerances_are_told_beside_their_field(
    cast: Cast, changes: dict[str, Any], field: str, message: str
) -> None:
    url = reverse("rules:new_version", args=[default_policy().pk])
    response = cast.client_of("admin").post(url, tolerances(**changes, confirm="yes"))
    assert response.status_code == 422
    assert response.context["form"].errors[field] == [message]
    assert TimingPolicyVersion.objects.count() == 1


def test_policy_needs_a_scope_of_its_own(cast: Cast) -> None:
    client, segment = cast.client_of("admin"), Segment.objects.create(name="SMB")
    nowhere = client.post(NEW_POLICY, tolerances(confirm="yes"))
    assert nowhere.context["policy_form"].errors["__all__"][0].startswith("Say where the policy applies")
    both = client.post(NEW_POLICY, tolerances(segment=segment.pk, account=make_account().pk, confirm="yes"))
    message = "A policy for an account names no segment and no industry."
    assert both.context["policy_form"].errors["__all__"] == [message]
    client.post(NEW_POLICY, tolerances(segment=segment.pk, confirm="yes"))
    again = client.post(NEW_POLICY, tolerances(segment=segment.pk, confirm="yes"))
    assert again.status_code == 422
    message = "There is a timing policy for this already; add a version to it."
    assert again.context["policy_form"].errors["__all__"] == [message]
    assert TimingPolicy.objects.filter(segment=segment).count() == 1


def test_version_of_the_same_day_is_refused_even_in_a_race(cast: Cast) -> None:
    policy = default_policy()
    version = TimingPolicyVersion(effective_from=dt.date(1970, 1, 1), early_days=1, late_days=1)
    with pytest.raises(IntegrityError):
        services.add_timing_version(by=cast.admin, policy=policy, version=version)


def test_only_a_version_to_come_can_be_deleted(cast: Cast) -> None:
    today, policy = get_company().today(), default_policy()
    coming = add_version(policy, today + dt.timedelta(days=1))
    in_force = add_version(policy, today)
    client = cast.client_of("admin")
    client.post(reverse("rules:delete_version", args=[coming.pk]))
    client.post(reverse("rules:delete_version", args=[in_force.pk]))
    assert list(policy.versions.values_list("effective_from", flat=True)) == [today, dt.date(1970, 1, 1)]


def test_policy_goes_with_its_last_version(cast: Cast) -> None:
    policy = TimingPolicy.objects.create(segment=Segment.objects.create(name="SMB"))
    version = add_version(policy, get_company().today() + dt.timedelta(days=3))
    cast.client_of("admin").post(reverse("rules:delete_version", args=[version.pk]))
    assert not TimingPolicy.objects.filter(pk=policy.pk).exists()


def test_policies_are_listed_from_the_general_to_the_specific(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    today = get_company().today()
    segment, industry = Segment.objects.create(name="SMB"), Industry.objects.create(name="Construction")
    scopes: list[dict[str, Any]] = [
        {"account": make_account(name="Zeta")}, {"segment": segment, "industry": industry},
        {"industry": industry}, {"segment": segment},
    ]  # fmt: skip
    for scope in scopes:
        policy = TimingPolicy.objects.create(**scope)
        add_version(policy, today + dt.timedelta(days=9), by=cast.admin)
        add_version(policy, today, by=cast.admin)
        add_version(policy, today - dt.timedelta(days=9), by=cast.admin)
    client = cast.client_of("admin")
    with django_assert_num_queries(7):  # session, user, company, count, policies, their versions, time zone
        response = client.get(TIMING)
    rows = response.context["rows"]
    assert [row.scope for row in rows] == ["Default", "Segment", "Industry", "Segment and industry", "Account"]
    found = [(row.current.effective_from, len(row.upcoming), len(row.earlier)) for row in rows[1:]]
    assert found == [(today, 1, 1)] * 4


def test_accounts_are_found_by_the_beginnings_of_words(cast: Cast) -> None:
    make_account(name="Halden Biotech", external_id="X-77")
    make_account(name="Norhal Freight")
    client = cast.client_of("admin")

    def found(text: str) -> list[str]:
        return [account.name for account in client.get("/rules/timing/accounts/", {"q": text}).context["accounts"]]

    assert found("biot hal") == ["Halden Biotech"]
    assert found("x-77") == ["Halden Biotech"]
    assert found("' | ! <->:*") == []
    assert found("") == []

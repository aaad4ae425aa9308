from typing import Any

import pytest
from django.urls import reverse

from accounts.models import AttributeDefinition, Segment, get_company
from forecasting.frames.rules import _load_weights
from forecasting.models import Run
from renewals.models import RiskFactor, RiskWeightVersion
from renewals.rules import services
from tests.cast import Cast, make_account

WEIGHTS = "/rules/weights/"


def weights(**changes: Any) -> dict[str, Any]:
    return {**dict.fromkeys(RiskFactor.objects.values_list("key", flat=True), 0), **changes}


def test_saving_makes_a_version_and_keeps_the_old_one(cast: Cast) -> None:
    cast.client_of("admin").post(WEIGHTS, weights(usage_trend=30, severe_tickets="12.5"))
    newest, first = RiskWeightVersion.objects.filter(segment=None)
    assert newest.weights["usage_trend"] == 30
    assert newest.weights["severe_tickets"] == 12.5
    assert newest.created_by == cast.admin
    assert first.weights["usage_trend"] == 20
    assert Run.objects.get().reason == "rule"
    assert get_company().rules_version == 2


def test_segment_shows_the_weights_of_the_others_until_it_has_its_own(cast: Cast) -> None:
    segment, client = Segment.objects.create(name="SMB"), cast.client_of("admin")
    url = f"{WEIGHTS}?segment={segment.pk}"
    before = client.get(url)
    assert before.context["is_borrowed"]
    assert before.context["form"].initial["usage_trend"] == 20
    client.post(url, weights(usage_trend=1))
    after = client.get(url)
    assert not after.context["is_borrowed"]
    assert [row.share for row in after.context["rows"] if row.factor.key == "usage_trend"] == [100]
    assert client.get(WEIGHTS).context["form"].initial["usage_trend"] == 20


def test_segment_goes_back_to_the_weights_of_the_others(cast: Cast) -> None:
    segment, client = Segment.objects.create(name="SMB"), cast.client_of("admin")
    url = f"{WEIGHTS}?segment={segment.pk}"
    client.post(url, weights(usage_trend=1))
    own, _ = _load_weights(list(RiskFactor.objects.all()), None)
    assert own.tolist() == [segment.pk]

    client.post(f"{WEIGHTS}shared/{segment.pk}/")

    page = client.get(url)
    assert page.context["is_borrowed"]
    assert page.context["form"].initial["usage_trend"] == 20
    assert page.context["versions"][0].changes == ["the weights of the other segments"]
    own, _ = _load_weights(list(RiskFactor.objects.all()), None)
    assert own.tolist() == []
    older = RiskWeightVersion.objects.filter(segment=segment).last()
    assert older is not None
    client.post(f"{WEIGHTS}{older.pk}/restore/")
    assert not client.get(url).context["is_borrowed"]


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"usage_trend": -1}, "usage_trend", "A weight is 0 or more."),
        ({"usage_trend": ""}, "usage_trend", "Give it a weight; 0 leaves it out"),
        ({}, "__all__", "All weights are 0: nothing would be a risk. Give one factor a weight at least."),
    ],
)
def test_weights_that_weigh_nothing_are_refused(cast: Cast, changes: dict[str, Any], field: str, message: str) -> None:
    response = cast.client_of("admin").post(WEIGHTS, weights(**changes))
    assert response.status_code == 422
    assert response.context["form"].errors == {field: [message]}
    assert RiskWeightVersion.objects.count() == 1


def test_service_refuses_weights_that_no_form_looked_at(cast: Cast) -> None:
    for wrong in ({}, {"usage_trend": 0}, {"usage_trend": -1, "severe_tickets": 5}):
        with pytest.raises(ValueError, match="0 or more"):
            services.save_weights(by=cast.admin, segment=None, weights=wrong)


def test_old_version_is_restored_as_a_new_one(cast: Cast) -> None:
    first = RiskWeightVersion.objects.get()
    services.save_weights(by=cast.admin, segment=None, weights=weights(usage_trend=1))
    client = cast.client_of("admin")
    versions = client.get(WEIGHTS).context["versions"]
    assert versions[0].is_in_force
    assert "Product usage 20 → 1" in versions[0].changes
    client.post(reverse("rules:restore_weights", args=[first.pk]))
    assert RiskWeightVersion.objects.count() == 3
    newest = RiskWeightVersion.objects.filter(segment=None)[0]
    assert newest.weights == first.weights


def test_category_attribute_becomes_a_factor_behind_the_others(cast: Cast) -> None:
    attribute = AttributeDefinition.objects.create(key="support_plan", label="Support plan", kind="category")
    make_account(attributes={"support_plan": "basic"})
    make_account(attributes={"support_plan": "premium"})
    make_account()
    client, url = cast.client_of("admin"), reverse("rules:new_factor", args=[attribute.pk])
    form = client.get(url).context["form"]
    assert form.initial["category_text"] == "basic = 0.5\npremium = 0.5"
    data = {"label": "Support plan", "explanation": "", "category_text": "basic = 0.9\n\npremium=0,1\n"}
    client.post(url, data)
    factor = RiskFactor.objects.get(attribute=attribute)
    assert (factor.key, factor.position, factor.category_risks) == ("support_plan", 11, {"basic": 0.9, "premium": 0.1})
    assert Run.objects.count() == 1
    client.post(WEIGHTS, weights(support_plan=4))
    assert RiskWeightVersion.objects.filter(segment=None)[0].weights["support_plan"] == 4


def test_number_attribute_needs_both_ends_of_its_scale(cast: Cast) -> None:
    attribute = AttributeDefinition.objects.create(key="seats", label="Seats", kind="number")
    client, url = cast.client_of("admin"), reverse("rules:new_factor", args=[attribute.pk])
    response = client.post(url, {"label": "Seats", "low_value": "5"})
    assert response.context["form"].errors == {"high_value": ["This field is required."]}
    same = client.post(url, {"label": "Seats", "low_value": "5", "high_value": "5"})
    assert same.context["form"].errors == {"high_value": ["No risk and full risk cannot be at the same value."]}
    client.post(url, {"label": "Seats", "low_value": "10", "high_value": "0"})
    factor = RiskFactor.objects.get(attribute=attribute)
    edit = reverse("rules:edit_factor", args=[factor.pk])
    client.post(edit, {"label": "Seats", "low_value": "20", "high_value": "2"})
    factor.refresh_from_db()
    assert (factor.low_value, factor.high_value) == (20, 2)


@pytest.mark.parametrize("text", ["basic", "basic = 2", "= 0.5", "basic = nan", "basic = 0.1\nbasic = 0.2"])
def test_category_risks_that_cannot_be_read_name_their_line(cast: Cast, text: str) -> None:
    attribute = AttributeDefinition.objects.create(key="plan", label="Plan", kind="category")
    url = reverse("rules:new_factor", args=[attribute.pk])
    response = cast.client_of("admin").post(url, {"label": "Plan", "category_text": text})
    assert response.status_code == 422
    assert response.context["form"].errors["category_text"][0].startswith("Line ")
    assert not RiskFactor.objects.filter(attribute=attribute).exists()

import re

import pytest
from django.urls import reverse
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import AttributeDefinition, Segment
from forecasting.models import Run
from renewals.models import ChurnReason, Offer, RiskFactor, Stage
from renewals.rules import services
from renewals.rules.list_forms import LISTS
from tests.cast import Cast, make_account, make_renewal


def said(response: object) -> list[str]:
    return [str(message) for message in response.wsgi_request._messages]  # type: ignore[attr-defined]


@pytest.mark.parametrize("slug", LISTS)
def test_each_list_can_be_read_and_edited(cast: Cast, slug: str) -> None:
    client = cast.client_of("admin")
    if slug == "attributes":
        AttributeDefinition.objects.create(key="plan", label="Plan", kind="category")
    response = client.get(reverse("rules:list", args=[slug]))
    assert response.status_code == 200
    for row in response.context["rows"]:
        assert client.get(reverse("rules:edit_item", args=[slug, row.item.pk])).status_code == 200


def test_stage_is_added_behind_the_others_and_scored(cast: Cast) -> None:
    data = {"name": "Signed", "default_confidence": 99, "forecast_category": "commit"}
    cast.client_of("admin").post(reverse("rules:list", args=["stages"]), data)
    stage = Stage.objects.get(name="Signed")
    assert (stage.position, stage.default_confidence) == (7, 99)
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    ("slug", "more"),
    [
        ("segments", {"position": 9}),
        ("industries", {}),
        ("stages", {"default_confidence": 9, "forecast_category": "commit"}),
        ("offers", {}),
        ("churn-reasons", {}),
    ],
)
def test_a_name_is_there_once_whatever_its_case(cast: Cast, slug: str, more: dict[str, object]) -> None:
    client, url = cast.client_of("admin"), reverse("rules:list", args=[slug])
    assert client.post(url, {"name": "  Café\u200b  au lait", **more}).status_code == 302
    item = LISTS[slug].model._default_manager.get(name="Café au lait")
    for again in ("café AU lait", "Cafe\u0301 au lait", "\u200eCafé au lait"):
        response = client.post(url, {"name": again, **more})
        assert (response.status_code, len(response.context["form"].errors["name"])) == (422, 1)
    invisible = client.post(url, {"name": "\u200b", **more})
    assert invisible.context["form"].errors["name"] == ["A name has signs that can be seen."]
    edited = client.post(reverse("rules:edit_item", args=[slug, item.pk]), {"name": "CAFÉ AU LAIT", **more})
    assert edited.status_code == 302


def test_stages_swap_places_and_stop_at_the_ends(cast: Cast) -> None:
    client = cast.client_of("admin")
    names = list(Stage.objects.values_list("name", flat=True))
    second, last = Stage.objects.all()[1], Stage.objects.all()[5]
    client.post(reverse("rules:move_stage", args=[second.pk, "up"]))
    client.post(reverse("rules:move_stage", args=[last.pk, "down"]))
    assert list(Stage.objects.values_list("name", flat=True)) == [names[1], names[0], *names[2:]]
    assert list(Stage.objects.values_list("position", flat=True)) == [1, 2, 3, 4, 5, 6]


def test_stage_in_use_is_not_deleted_and_says_by_how_many(cast: Cast) -> None:
    stage = Stage.objects.all()[2]
    make_renewal(owner=cast.rep, stage=stage)
    make_renewal(owner=cast.outsider, stage=stage)
    response = cast.client_of("admin").post(reverse("rules:delete_item", args=["stages", stage.pk]))
    assert said(response) == ["Proposal is used by 2 renewals; give these another one first."]
    assert Stage.objects.filter(pk=stage.pk).exists()


def test_row_that_came_into_use_after_the_count_is_not_deleted(cast: Cast) -> None:
    stage = Stage.objects.all()[2]
    make_renewal(owner=cast.rep, stage=stage)
    with pytest.raises(services.StillInUse, match="came into use just now"):
        services.delete_item(by=cast.admin, item=stage, uses={"renewals": 0}, is_scored=True)
    assert Stage.objects.filter(pk=stage.pk).exists()
    assert not Run.objects.exists()


def test_row_that_nothing_uses_is_deleted(cast: Cast) -> None:
    reason = ChurnReason.objects.create(name="Moved to the moon")
    cast.client_of("admin").post(reverse("rules:delete_item", args=["churn-reasons", reason.pk]))
    assert not ChurnReason.objects.filter(pk=reason.pk).exists()
    assert not Run.objects.exists()  # no score reads it


def test_segment_in_use_by_accounts_stays(cast: Cast) -> None:
    account = make_account()
    response = cast.client_of("admin").post(reverse("rules:delete_item", args=["segments", account.segment_id]))
    assert said(response) == ["Enterprise is used by 1 account; give these another one first."]


def test_names_are_unique_and_prices_have_a_currency(cast: Cast) -> None:
    client, url = cast.client_of("admin"), reverse("rules:list", args=["offers"])
    assert client.post(url, {"name": "Plus", "list_amount": "100"}).context["form"].errors == {
        "currency": ["A price needs its currency."]
    }
    client.post(url, {"name": "Plus", "list_amount": "100", "currency": "eur", "is_active": "on"})
    assert Offer.objects.get().currency == "EUR"
    again = client.post(url, {"name": "Plus"})
    assert again.status_code == 422
    assert again.context["form"].errors == {"name": ["There is an offer of this name already."]}


def test_attribute_keeps_its_key_and_kind(cast: Cast) -> None:
    attribute = AttributeDefinition.objects.create(key="plan", label="Plan", kind="category")
    url = reverse("rules:edit_item", args=["attributes", attribute.pk])
    cast.client_of("admin").post(url, {"label": "Support plan", "key": "other", "kind": "number", "holder": "renewal"})
    attribute.refresh_from_db()
    assert attribute.label == "Support plan"
    assert (attribute.key, attribute.kind, attribute.holder) == ("plan", "category", "account")


def test_attribute_of_a_factor_and_keys_of_built_in_factors_stay(cast: Cast) -> None:
    attribute = AttributeDefinition.objects.create(key="plan", label="Plan", kind="category")
    RiskFactor.objects.create(key="plan", label="Plan", position=11, attribute=attribute)
    client = cast.client_of("admin")
    response = client.post(reverse("rules:delete_item", args=["attributes", attribute.pk]))
    assert said(response) == ["Plan is used by 1 risk factor; give these another one first."]
    data = {"label": "Usage", "key": "usage_trend", "kind": "number", "holder": "account"}
    taken = client.post(reverse("rules:list", args=["attributes"]), data)
    assert taken.context["form"].errors == {"key": ["A built-in risk factor has this key; choose another one."]}


def test_dialog_gets_the_form_alone(cast: Cast) -> None:
    url = reverse("rules:edit_item", args=["stages", Stage.objects.all()[0].pk])
    fragment = cast.client_of("admin").get(f"{url}?dialog")
    assert re.match(r"\s*<form", fragment.text)
    assert "<html" not in fragment.text


def test_list_asks_as_much_for_one_row_as_for_three(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = cast.client_of("admin")
    for name in ("One", "Two", "Three"):
        Segment.objects.create(name=name)
        with django_assert_num_queries(6):  # session, user, rows, three counts
            client.get(reverse("rules:list", args=["segments"]))


def test_unknown_list_is_not_found(cast: Cast) -> None:
    assert cast.client_of("admin").get(reverse("rules:list", args=["secrets"])).status_code == 404

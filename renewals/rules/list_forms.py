"""The lists that an admin keeps: what each has, how it is edited, and what would stand in the way of deleting a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Count, Model

from accounts.models import Account, AttributeDefinition, Industry, Segment
from accounts.templatetags.money import money
from renewals.imports.cells import clean
from renewals.models import ChurnReason, Offer, Renewal, RiskFactor, RiskWeightVersion, Stage, TimingPolicy

Uses = Mapping[str, Mapping[int, int]]  # words for what uses it -> primary key -> count


class NamedForm(forms.ModelForm):  # type: ignore[type-arg]
    """A row that people, and files, know by its name, whatever its case."""

    def clean_name(self) -> str:
        name = clean(str(self.cleaned_data["name"]))
        if not name:
            raise ValidationError("A name has signs that can be seen.")
        others = self._meta.model._default_manager.exclude(pk=self.instance.pk)
        if name != self.initial.get("name") and others.filter(name__iexact=name).exists():
            raise ValidationError(self.fields["name"].error_messages["unique"])
        return name


class StageForm(NamedForm):
    class Meta:
        model = Stage
        fields = ("name", "default_confidence", "forecast_category")
        labels = {"default_confidence": "Usual confidence, %", "forecast_category": "Spoken of as"}
        error_messages = {"name": {"unique": "There is a stage of this name already."}}


class SegmentForm(NamedForm):
    class Meta:
        model = Segment
        fields = ("name", "position")
        labels = {"position": "Place in lists"}
        error_messages = {"name": {"unique": "There is a segment of this name already."}}


class IndustryForm(NamedForm):
    class Meta:
        model = Industry
        fields = ("name",)
        error_messages = {"name": {"unique": "There is an industry of this name already."}}


class OfferForm(NamedForm):
    class Meta:
        model = Offer
        fields = ("name", "product", "list_amount", "currency", "term_months", "is_active")
        labels = {"list_amount": "List price a year", "term_months": "Term, months", "is_active": "Can be chosen"}
        error_messages = {"name": {"unique": "There is an offer of this name already."}}

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("list_amount") is not None and not cleaned.get("currency") and "currency" not in self.errors:
            self.add_error("currency", "A price needs its currency.")
        return cleaned


class ChurnReasonForm(NamedForm):
    class Meta:
        model = ChurnReason
        fields = ("name", "is_avoidable", "is_active")
        labels = {"is_avoidable": "We could have avoided it", "is_active": "Can be chosen"}
        error_messages = {"name": {"unique": "There is a churn reason of this name already."}}


class AttributeForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = AttributeDefinition
        fields = ("label", "key", "kind", "holder")
        labels = {"key": "Key in imports", "holder": "Belongs to the"}
        help_texts = {"key": "Small letters, digits, - and _. It cannot be changed later: values are kept under it."}
        error_messages = {"key": {"unique": "There is an attribute with this key already."}}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in ("key", "kind", "holder"):  # values and factors rest on these
                self.fields[name].disabled = True

    def clean_key(self) -> str:
        key = str(self.cleaned_data["key"])
        if not self.instance.pk and RiskFactor.objects.filter(key=key).exists():
            raise ValidationError("A built-in risk factor has this key; choose another one.")
        return key


@dataclass(frozen=True)
class List:
    """One kind of rows. `columns` are (heading, text of a row); `uses` counts what refers to rows, by key."""

    slug: str
    title: str
    one: str
    caption: str
    model: type[Model]
    form: type[forms.ModelForm[Any]]
    columns: tuple[tuple[str, Callable[[Any], str]], ...]
    uses: Callable[[list[int]], Uses]
    is_scored: bool = False
    is_ordered: bool = False


def _counts(model: type[Model], column: str, keys: Iterable[int]) -> dict[int, int]:
    rows = model._default_manager.filter(**{f"{column}__in": keys}).order_by().values_list(column)
    return dict(rows.annotate(count=Count("pk")))


def _use_of_segments(keys: list[int]) -> Uses:
    return {
        "accounts": _counts(Account, "segment", keys),
        "timing policies": _counts(TimingPolicy, "segment", keys),
        "versions of weights": _counts(RiskWeightVersion, "segment", keys),
    }


def _use_of_industries(keys: list[int]) -> Uses:
    return {"accounts": _counts(Account, "industry", keys), "timing policies": _counts(TimingPolicy, "industry", keys)}


def _yes(value: bool) -> str:
    return "yes" if value else "no"


LISTS: dict[str, List] = {
    part.slug: part
    for part in (
        List(
            "stages", "Stages", "stage",
            "The steps of working a renewal, in their order. A stage brings its usual confidence and the category that "
            "its renewals are spoken of in.",
            Stage, StageForm,
            (
                ("Usual confidence", lambda row: f"{row.default_confidence} %"),
                ("Spoken of as", lambda row: row.get_forecast_category_display()),
            ),
            lambda keys: {"renewals": _counts(Renewal, "stage", keys)},
            is_scored=True, is_ordered=True,
        ),
        List(
            "segments", "Segments", "segment",
            "Kinds of customers that differ in size and behaviour; timing and weights can differ by segment.",
            Segment, SegmentForm, (("Place", lambda row: str(row.position)),), _use_of_segments,
        ),
        List(
            "industries", "Industries", "industry",
            "How late an order may come and still be usual differs by industry.",
            Industry, IndustryForm, (), _use_of_industries,
        ),
        List(
            "offers", "Offers", "offer", "What a rep believes the customer will purchase.",
            Offer, OfferForm,
            (
                ("Product", lambda row: row.product or "–"),
                ("List price", lambda row: money(row.list_amount, row.currency)),
                ("Term", lambda row: f"{row.term_months} months" if row.term_months else "–"),
                ("Can be chosen", lambda row: _yes(row.is_active)),
            ),
            lambda keys: {"renewals": _counts(Renewal, "offer", keys)},
        ),
        List(
            "churn-reasons", "Churn reasons", "churn reason", "Why customers did not renew.",
            ChurnReason, ChurnReasonForm,
            (("Avoidable", lambda row: _yes(row.is_avoidable)), ("Can be chosen", lambda row: _yes(row.is_active))),
            lambda keys: {"renewals": _counts(Renewal, "churn_reason", keys)},
        ),
        List(
            "attributes", "Custom attributes", "custom attribute",
            "Columns of your own that an import brings. Any of them can be weighed as a risk, under Risk weights.",
            AttributeDefinition, AttributeForm,
            (
                ("Key", lambda row: row.key),
                ("Kind", lambda row: row.get_kind_display()),
                ("Belongs to the", lambda row: row.get_holder_display().lower()),
            ),
            lambda keys: {"risk factors": _counts(RiskFactor, "attribute", keys)},
        ),
    )
}  # fmt: skip

"""What an admin types about timing, weights and the company."""

from __future__ import annotations

import calendar
import datetime as dt
import zoneinfo
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator

from accounts.models import Account, AttributeDefinition, Company, ExchangeRate
from renewals.forms import LATEST_ON
from renewals.models import RiskFactor, TimingPolicy, TimingPolicyVersion
from renewals.models.policies import BEGINNING

LONGEST_TOLERANCE_DAYS = 999
LARGEST_WEIGHT = 1000


class DateInput(forms.DateInput):
    """The browser's own date field, which speaks ISO whatever the site's format is."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class PolicyForm(forms.ModelForm):  # type: ignore[type-arg]
    """Where a new policy applies: to an account, or to a segment, an industry or both."""

    account = forms.ModelChoiceField(
        Account.objects.all(),
        required=False,
        widget=forms.HiddenInput,
        error_messages={"invalid_choice": "There is no such account."},
    )

    class Meta:
        model = TimingPolicy
        fields = ("segment", "industry", "account")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["segment"].empty_label = "Any segment"  # type: ignore[attr-defined]
        self.fields["industry"].empty_label = "Any industry"  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not any(cleaned.get(name) for name in ("segment", "industry", "account")):
            raise ValidationError(
                "Say where the policy applies: name a segment, an industry or an account. "
                "For everybody else, add a version to the default policy."
            )
        return cleaned


class VersionForm(forms.ModelForm):  # type: ignore[type-arg]
    """Tolerances in days, and the first due date that they judge."""

    class Meta:
        model = TimingPolicyVersion
        fields = ("early_days", "grace_days", "late_days", "day_kind", "effective_from")
        labels = {
            "early_days": "Early, days before",
            "grace_days": "Grace, days after",
            "late_days": "Late, days after",
            "day_kind": "Counted in",
            "effective_from": "For renewals due from",
        }
        help_texts = {
            "early_days": "Ordered earlier than this: early.",
            "grace_days": "Ordered up to here: still on time.",
            "late_days": "Ordered up to here: late. After it: lapsed, or a win-back.",
        }
        widgets = {"effective_from": DateInput, "day_kind": forms.RadioSelect}

    def __init__(self, *args: Any, policy: TimingPolicy, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.policy = policy
        for name in ("early_days", "grace_days", "late_days"):
            field = self.fields[name]
            field.validators.append(MaxValueValidator(LONGEST_TOLERANCE_DAYS))
            field.widget.attrs |= {"max": LONGEST_TOLERANCE_DAYS, "inputmode": "numeric"}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        grace, late = cleaned.get("grace_days"), cleaned.get("late_days")
        if grace is not None and late is not None and grace > late:
            self.add_error("grace_days", f"Grace days are at most the late days: {grace} is more than {late}.")
        day, policy = cleaned.get("effective_from"), self.instance.policy
        if day and not BEGINNING <= day <= LATEST_ON:
            bounds = f"{BEGINNING:%d %b %Y} to {LATEST_ON:%d %b %Y}"
            self.add_error("effective_from", f"No renewal is due then; take a day from {bounds}.")
        elif day and policy.pk and policy.versions.filter(effective_from=day).exists():
            self.add_error("effective_from", f"This policy already has a version from {day:%d %b %Y}; take another.")
        return cleaned


class WeightsForm(forms.Form):
    """One number per factor, by the factor's key."""

    def __init__(self, *args: Any, factors: Iterable[RiskFactor], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for factor in factors:
            self.fields[factor.key] = forms.DecimalField(
                label=factor.label,
                min_value=Decimal(0),
                max_value=Decimal(LARGEST_WEIGHT),
                decimal_places=2,
                widget=forms.NumberInput(
                    {"step": "any", "min": 0, "class": "p-input p-weight", "aria-label": f"Weight of {factor.label}"}
                ),
                error_messages={"min_value": "A weight is 0 or more.", "required": "Give it a weight; 0 leaves it out"},
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and sum(cleaned.values()) == 0:
            raise ValidationError("All weights are 0: nothing would be a risk. Give one factor a weight at least.")
        return cleaned

    def weights(self) -> dict[str, float]:
        """Whole numbers stay whole, as they are kept in JSON and shown again."""
        return {key: int(value) if value == int(value) else float(value) for key, value in self.cleaned_data.items()}


class FactorForm(forms.ModelForm):  # type: ignore[type-arg]
    """How the values of one custom attribute become a risk from 0 to 1; the fields differ with the attribute's kind."""

    category_text = forms.CharField(
        label="Risk of each category",
        widget=forms.Textarea,
        help_text="One per line: category = risk from 0 (harmless) to 1 (worst). One not listed counts as missing.",
    )

    class Meta:
        model = RiskFactor
        fields = ("label", "explanation", "low_value", "high_value", "stale_days")
        labels = {"low_value": "No risk at", "high_value": "Full risk at", "stale_days": "Missing after, days"}

    def __init__(self, *args: Any, attribute: AttributeDefinition, known: Iterable[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = AttributeDefinition.Kind
        self.attribute = attribute
        self.instance.attribute = attribute
        del self.fields["stale_days"]  # custom attributes carry no date of their own
        if attribute.kind == kinds.CATEGORY:
            del self.fields["low_value"], self.fields["high_value"]
            risks = self.instance.category_risks or dict.fromkeys(known, 0.5)
            self.initial["category_text"] = "\n".join(f"{name} = {risk:g}" for name, risk in risks.items())
            return
        del self.fields["category_text"]
        low, high = self.fields["low_value"], self.fields["high_value"]
        low.required = high.required = True
        if attribute.kind == kinds.FLAG:
            low.help_text = "0 stands for no, 1 for yes: no risk at 0 and full risk at 1 makes “yes” the risk."
            self.initial.setdefault("low_value", 0)
            self.initial.setdefault("high_value", 1)
        elif attribute.kind == kinds.DATE:
            low.label, high.label = "No risk at an age of, days", "Full risk at an age of, days"
        else:
            low.help_text = "In between, the risk rises evenly. The larger one first turns it round."

    def clean_category_text(self) -> dict[str, float]:
        risks: dict[str, float] = {}
        for number, line in enumerate(self.cleaned_data["category_text"].splitlines(), 1):
            if not line.strip():
                continue
            name, separator, value = line.rpartition("=")
            name = name.strip()
            try:
                risk = float(value.strip().replace(",", "."))
            except ValueError:
                risk = -1.0
            if not separator or not name or not 0 <= risk <= 1:
                raise ValidationError(f"Line {number}, “{line.strip()}”: write category = risk, from 0 to 1.")
            if name in risks:
                raise ValidationError(f"Line {number}: {name} is there twice.")
            risks[name] = risk
        return risks

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        low, high = cleaned.get("low_value"), cleaned.get("high_value")
        if low is not None and low == high:
            self.add_error("high_value", "No risk and full risk cannot be at the same value.")
        if "category_text" in cleaned:
            self.instance.category_risks = cleaned["category_text"]
        return cleaned

    def values(self) -> dict[str, Any]:
        """The model's columns that the form sets."""
        values = {name: self.cleaned_data[name] for name in self.fields if name != "category_text"}
        if "category_text" in self.cleaned_data:
            values["category_risks"] = self.cleaned_data["category_text"]
        return values


@cache
def _time_zones() -> list[tuple[str, str]]:
    """Every zone this machine knows, by area and city."""
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name or name == "UTC")
    return [(name, name.replace("_", " ")) for name in names]


class CompanyForm(forms.ModelForm):  # type: ignore[type-arg]
    time_zone = forms.ChoiceField(
        label="Time zone", choices=_time_zones, help_text="Where it is midnight when the business day ends."
    )
    fiscal_year_start_month = forms.TypedChoiceField(
        label="Fiscal year starts in",
        coerce=int,
        choices=[(month, calendar.month_name[month]) for month in range(1, 13)],
    )

    class Meta:
        model = Company
        fields = ("name", "time_zone", "fiscal_year_start_month", "reporting_currency", "attribution")
        widgets = {"attribution": forms.RadioSelect}
        help_texts = {
            "reporting_currency": "Three capital letters, such as EUR. The rates are turned over when you change it.",
            "attribution": "Where early and late renewals count: all in the period they were due in; in the one they "
            "were ordered in; or hybrid, early ones as due, late ones as a loss there and a windfall when they come.",
        }

    def clean_reporting_currency(self) -> str:
        return str(self.cleaned_data["reporting_currency"]).upper()


class RateForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = ExchangeRate
        fields = ("currency", "rate", "effective_on")
        labels = {"effective_on": "From"}
        widgets = {"effective_on": DateInput}

    def __init__(self, *args: Any, company: Company, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.company = company
        self.fields["rate"].label = f"{company.reporting_currency} for one unit"
        self.fields["currency"].widget.attrs |= {"placeholder": "USD", "autocapitalize": "characters"}

    def clean_currency(self) -> str:
        currency = str(self.cleaned_data["currency"]).upper()
        if currency == self.company.reporting_currency:
            raise ValidationError(f"{currency} is the reporting currency; its rate is always 1.")
        return currency

    def clean_effective_on(self) -> dt.date:
        day: dt.date = self.cleaned_data["effective_on"]
        if day.year < 1970:
            raise ValidationError("A rate is from 1970 or later.")
        if day > LATEST_ON:
            raise ValidationError(f"No report is made then; the latest is {LATEST_ON:%d %b %Y}.")
        return day

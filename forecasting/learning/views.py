"""The model page: which likelihood is in use, why that one, and whether to believe it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import role_required, signed_in
from accounts.models import AttributeDefinition, Company, User, get_company
from accounts.strip import Total
from accounts.templatetags.money import exact_rate
from forecasting.learning.figures import calibration_figure, importance_figure
from forecasting.learning.services import request_fit, save_settings
from forecasting.learning.status import FitStatus, read_fit_status
from forecasting.models import LikelihoodModel
from forecasting.status import duration
from renewals.models import Renewal

fit_allowed = role_required(User.Role.ADMIN, User.Role.MANAGER)
settings_allowed = role_required(User.Role.ADMIN)
VERSIONS_PER_PAGE = 15
WAYS = {
    "base": "Plain rate",
    "segments": "Segment rates",
    "score": "Risk score",
    "blend": "Blend",
    "logistic": "Logistic",
    "boosting": "Boosting",
}


class SettingsForm(forms.Form):
    """What the next fit takes: how long before the decision, and which attributes of accounts no outcome changes."""

    horizon_days = forms.TypedChoiceField(
        label="Learn from renewals as they stood", coerce=int, choices=Company.Horizon.choices
    )
    steady = forms.ModelMultipleChoiceField(
        label="Attributes that no outcome changes",
        queryset=AttributeDefinition.objects.filter(holder=AttributeDefinition.Holder.ACCOUNT),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Where history does not reach back to a decision, these count with their value of today. Untick what "
        "is only learned with the outcome, or the fit would know the answer beforehand.",
    )


@require_GET
def model(request: HttpRequest) -> HttpResponse:
    return _page(request, SettingsForm(initial=_settings()))


def _settings() -> dict[str, Any]:
    steady = AttributeDefinition.objects.filter(holder=AttributeDefinition.Holder.ACCOUNT, is_steady=True)
    return {"horizon_days": get_company().likelihood_horizon_days, "steady": [one.pk for one in steady]}


def _page(request: HttpRequest, form: SettingsForm, status_code: int = 200) -> HttpResponse:
    user, status = signed_in(request), read_fit_status()
    version = status.newest
    attributes = {one.key: one for one in AttributeDefinition.objects.all()}
    unseen = version.metrics.get("unseen") if version else None
    versions = Paginator(LikelihoodModel.objects.light(), VERSIONS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "status": status,
        "version": version,
        "way": WAYS.get(version.way, version.way) if version else "",
        "totals": _totals(version) if version else [],
        "trials": [_told(trial) for trial in version.metrics["trials"]] if version else [],
        "unseen": unseen,
        "figures": [
            calibration_figure(unseen),
            importance_figure(unseen, attributes, _why_no_factor(version, unseen)),
        ]
        if version
        else [],
        "known": _known(version, attributes) if version else [],
        "page": versions,
        "versions": [(one, duration(length) if (length := one.took(status.now)) else "–") for one in versions],
        "form": form if user.is_admin else None,
        "may_fit": user.role in {User.Role.ADMIN, User.Role.MANAGER},
        "decided_count": None if version else Renewal.objects.exclude(outcome=Renewal.Outcome.OPEN).count(),
    }
    return render(request, "forecasting/learning/model.html", context, status=status_code)


def _told(trial: dict[str, Any]) -> dict[str, Any]:
    gain = f"{trial['gain']:+.5f}".replace("-", "−")
    return trial | {"label": _way(trial["name"]), "against": _way(trial["against"]).lower(), "gain_text": gain}


def _way(name: str) -> str:
    """ "boosting, newer cohorts count more" begins with the way's own name."""
    word, _, rest = name.partition(",")
    return WAYS.get(word, word) + (f",{rest}" if rest else "")


def _why_no_factor(version: LikelihoodModel | None, unseen: dict[str, Any] | None) -> str:
    if unseen is None:
        return "There are too few decided renewals to keep some apart and ask about them."
    if version is not None and not version.is_signal:
        return "The simple rate rests on no signal."
    return "What was chosen asks the risk score alone."


def _totals(version: LikelihoodModel) -> list[Total]:
    unseen = version.metrics["unseen"]
    rate = version.renewed_count / version.row_count if version.row_count else None
    return [
        Total("In use", WAYS.get(version.way, version.way), f"version {version.pk}", version.words, ""),
        Total(
            "Decided renewals",
            f"{version.row_count:,}",
            f"{exact_rate(rate)} renewed" if rate is not None else "none settled",
            "Settled before the cut-off: their last tolerated day was over",
            "",
        ),
        Total(
            "Cut-off",
            f"{version.cut_off_on:%d %b %Y}",
            f"{version.horizon_days} days before" if version.horizon_days else "the day before",
            "Learned from what was known so long before each decision",
            "",
        ),
        _unseen_total("Ranks right", unseen, "auc", "AUC: chance that a renewed one was ranked above a lost one"),
        _unseen_total(
            "Skill", unseen, "skill", "1 less Brier score over that of the plain rate; 0 is no better than it"
        ),
        _unseen_total("Off by", unseen, "calibration_error", "Mean distance of what was said and what came, by tenths"),
    ]


def _unseen_total(label: str, unseen: dict[str, Any] | None, name: str, title: str) -> Total:
    value = unseen[name] if unseen else None
    qualifier = f"on {unseen['row_count']:,} unseen" if unseen else "too few to tell"
    if unseen and name == "auc" and unseen["auc_lowest"] is not None:
        qualifier = f"{exact_rate(unseen['auc_lowest'])} to {exact_rate(unseen['auc_highest'])}"
    return Total(label, exact_rate(value).replace("-", "−"), qualifier, title, "")


def _known(version: LikelihoodModel, attributes: dict[str, AttributeDefinition]) -> list[dict[str, Any]]:
    """Each custom attribute with how many of the decided renewals know it, and whether it takes part."""
    asked = set(version.metrics["asked"])
    return [
        {"label": attribute.label, "count": count, "is_asked": column in asked, "kind": attribute.get_kind_display()}
        for column, count in version.metrics["known_counts"].items()
        if (attribute := attributes.get(column.partition(":")[2]))
    ]


@require_POST
@fit_allowed
def fit(request: HttpRequest) -> HttpResponse:
    request_fit(reason=LikelihoodModel.Reason.DEMAND, user=signed_in(request))
    if request.headers.get("HX-Request"):
        return _status(request, read_fit_status())
    messages.info(request, "A fit is on its way; the version in use stays until it is done.")
    return redirect("forecasting:model")


@require_GET
def model_status(request: HttpRequest) -> HttpResponse:
    """The status line, which asks for itself again while a fit is on its way."""
    return _status(request, read_fit_status())


def _status(request: HttpRequest, status: FitStatus) -> HttpResponse:
    shown = request.GET.get("shown", request.POST.get("shown", ""))
    return render(request, "forecasting/learning/_status.html", {"status": status, "shown": shown})


@require_POST
@settings_allowed
def settings(request: HttpRequest) -> HttpResponse:
    form = SettingsForm(request.POST)
    if not form.is_valid():
        return _page(request, form, 422)
    save_settings(
        horizon_days=form.cleaned_data["horizon_days"],
        steady_ids={one.pk for one in form.cleaned_data["steady"]},
        user=signed_in(request),
    )
    messages.success(request, "Saved; a fit with it is on its way.")
    return redirect("forecasting:model")

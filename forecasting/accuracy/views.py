"""The accuracy page: the last backtest, frozen calls beside what came, and a new backtest on demand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access import role_required, signed_in
from accounts.models import get_company
from accounts.strip import Total
from accounts.templatetags.money import NOTHING
from forecasting.accuracy.calls import compare_calls, compare_rows, read_outcomes, standing_of_call
from forecasting.accuracy.figures import calibration_chart, error_chart, periods_chart
from forecasting.accuracy.names import FORECASTER_NAMES, group_names
from forecasting.accuracy.replay import FORECASTERS, HORIZONS
from forecasting.accuracy.services import MAY_REQUEST, request_backtest
from forecasting.accuracy.verdict import percent, verdict
from forecasting.models import Backtest, BacktestScope, Snapshot
from forecasting.periods import period_of
from forecasting.scopes.scope import Scope, get_scope, read_pills
from forecasting.snapshots.views import page_number

Kind = BacktestScope.Kind
GROUPS_PER_PAGE: Final = 50
CALLS_SHOWN: Final = 8
backtest_allowed = role_required(*MAY_REQUEST)


@dataclass(frozen=True)
class GroupRow:
    """A team, rep or segment at one horizon: its forecast beside what came, and the rep's word beside it."""

    kind: str
    name: str
    joined: dict[str, Any]
    word: dict[str, Any]

    @property
    def is_leaning(self) -> bool:
        return self.word["lean"] is not None and abs(self.word["lean"]) > self.word["lean_reach"]


@require_GET
def accuracy(request: HttpRequest) -> HttpResponse:
    user = signed_in(request)
    scope = get_scope(user, request.GET, page="forecasting:accuracy", own=("days",))
    horizon = _horizon(request)
    done = Backtest.objects.newest_done()
    seen = BacktestScope.objects.visible_to(user).filter(backtest=done)
    found = seen.filter(**_asked(scope)).first() if done else None
    context: dict[str, Any] = {
        "scope": scope,
        "pills": read_pills(user, scope),
        "backtest": done,
        "has_any": bool(done and done.periods),
        "found": found,
        "horizon": horizon,
        "horizons": [(str(days), scope.url(days=str(days) if days != HORIZONS[0] else None)) for days in HORIZONS],
        "status": Backtest.objects.active().order_by("state").first(),
        "failed": _failed(),
        "shown": str(done.pk if done else 0),
        "may_request": user.role in MAY_REQUEST,
        "calls": compare_calls(list(_calls()), scope),
        "groups": _groups(seen, horizon, request),
        "query": request.GET.urlencode(),
    }
    if found is not None and done is not None:
        context |= _content(found, horizon, done.reporting_currency)
    return render(request, "forecasting/accuracy/accuracy.html", context)


def _horizon(request: HttpRequest) -> str:
    text = request.GET.get("days") or str(HORIZONS[0])
    if text not in {str(days) for days in HORIZONS}:
        raise Http404(f"Forecasts are compared 90, 60, 30 and 0 days before the end, not {text!r}.")
    return text


def _asked(scope: Scope) -> dict[str, Any]:
    """The row that answers for a scope; a segment within a team, or of an owner, has none of its own."""
    if scope.owner:
        return {"kind": Kind.OWNER, "group_id": scope.owner.pk}
    if scope.team:
        return {"kind": Kind.TEAM, "group_id": scope.team.pk}
    if scope.segment:
        return {"kind": Kind.SEGMENT, "group_id": scope.segment.pk}
    return {"kind": Kind.BOOK, "group_id": 0}


def _calls() -> list[Snapshot]:
    return list(Snapshot.objects.select_related("made_by")[:CALLS_SHOWN])


def _failed() -> Backtest | None:
    """The last one, where it failed."""
    last = Backtest.objects.order_by("-pk").first()
    return last if last and last.state == Backtest.State.FAILED else None


def _content(found: BacktestScope, horizon: str, currency: str) -> dict[str, Any]:
    content = found.content
    at = content["horizons"].get(horizon)
    return {
        "verdict": verdict(content),
        "totals": _totals(at["all"]["joined"], horizon) if at else [],
        "figures": [
            error_chart(content["horizons"]),
            calibration_chart(content, horizon),
            periods_chart(content, horizon, currency),
        ],
        "forecasters": [{"name": FORECASTER_NAMES[name], **at["worded"][name]} for name in FORECASTERS] if at else [],
        "worded_count": int(at["worded"]["rep"]["judged"]) if at else 0,
    }


def _totals(joined: dict[str, Any], horizon: str) -> list[Total]:
    def told(share: float | None) -> str:
        return NOTHING if share is None else percent(share)

    def score(value: float | None) -> str:
        return NOTHING if value is None else f"{value:.3f}"

    side = "" if not joined["bias"] else "too much" if joined["bias"] > 0 else "too little"
    count = f"{joined['judged']:,.0f} open then"
    banded = f"of {joined['banded']:.0f}; 80 % is right" if joined["banded"] else "too few open for a band"
    return [
        Total(
            "Off by",
            told(joined["wape"]),
            f"chance {told(joined['floor'])}",
            "WAPE over periods, beside what chance alone leaves",
            "",
        ),
        Total("Bias", told(joined["bias"]), side, "Sum of forecast less what came, over what came", ""),
        Total("Brier score", score(joined["brier"]), count, "Mean of (probability - outcome)²; 0 is perfect", ""),
        Total("Log loss", score(joined["log_loss"]), count, "Mean of -ln of the probability of what came", ""),
        Total("P10 to P90 held", told(joined["coverage"]), banded, "Lines with 20 open renewals at least", ""),
        Total(
            "Compared",
            f"{joined['due']:,.0f}",
            f"of {joined['periods']:.0f} periods",
            f"Renewals due in periods that are over and settled, {horizon} days before the end",
            "",
        ),
    ]


def _groups(seen: Any, horizon: str, request: HttpRequest) -> tuple[Page[BacktestScope], list[GroupRow]]:
    rows = seen.exclude(kind=Kind.BOOK).order_by("-kind", "group_id")
    page = Paginator(rows, GROUPS_PER_PAGE).get_page(request.GET.get("page"))
    names = group_names(page.object_list)
    found = [
        GroupRow(Kind(one.kind).label, names[one.kind, one.group_id], at["all"]["joined"], at["worded"]["rep"])
        for one in page.object_list
        if (at := one.content["horizons"].get(horizon))
    ]
    return page, found


@require_GET
def accuracy_call(request: HttpRequest, pk: int) -> HttpResponse:
    """A call, line by line: what it expected of each renewal, and what came."""
    user, snapshot = signed_in(request), get_object_or_404(Snapshot, pk=pk)
    scope = get_scope(user, request.GET, page="forecasting:accuracy")
    period = period_of(scope.grain, snapshot.as_of_on, snapshot.fiscal_start)
    standing = standing_of_call(snapshot, scope, period)
    outcomes = read_outcomes(standing)
    number = page_number(request.GET.get("page", "1"))
    rows, has_more, rest = compare_rows(user, standing, outcomes, page=number)
    context = {
        "snapshot": snapshot,
        "scope": scope,
        "call": compare_calls([snapshot], scope)[0],
        "currency": snapshot.reporting_currency,
        "rows": rows,
        "rest": rest,
        "page": number,
        "has_more": has_more,
        "today": get_company().today(),
    }
    return render(request, "forecasting/accuracy/call.html", context)


@require_POST
@backtest_allowed
def request_new(request: HttpRequest) -> HttpResponse:
    request_backtest(reason=Backtest.Reason.DEMAND, user=signed_in(request))
    if request.headers.get("HX-Request"):
        return _status(request)
    messages.info(request, "A backtest is on its way; the last one stays until it is done.")
    return redirect("forecasting:accuracy")


@require_GET
def accuracy_status(request: HttpRequest) -> HttpResponse:
    """The status line, which asks for itself again while a backtest is on its way."""
    return _status(request)


def _status(request: HttpRequest) -> HttpResponse:
    shown = request.GET.get("shown", request.POST.get("shown", ""))
    done = Backtest.objects.newest_done()
    context = {
        "status": Backtest.objects.active().order_by("state").first(),
        "failed": _failed(),
        "shown": shown,
        "newest": done,
        "is_new": bool(done and shown.isdecimal() and shown != str(done.pk)),
    }
    return render(request, "forecasting/accuracy/_status.html", context)

"""Explain this number: its formula, its terms, its rows, and what they were judged and converted by."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from dashboards.explain.rows import Explained, explain
from dashboards.figures import FIGURES, Figure
from dashboards.frame import Frame, parts_of, read_frame
from dashboards.scorecards.credit import DECISION, Credit, read_credit
from dashboards.tiles import Kind, text_of
from forecasting.periods import Period
from renewals.models import Renewal, RiskWeightVersion, TimingPolicyVersion

ROWS_PER_PAGE = 50


@dataclass(frozen=True)
class ShownTerm:
    """A sum of the formula: its sign or place in it, and its value."""

    place: str
    name: str
    text: str


@dataclass(frozen=True)
class ShownRow:
    """`renewal` is None where the reader does not see it at present."""

    renewal: Renewal | None
    texts: list[str]


@require_GET
def explain_figure(request: HttpRequest, key: str) -> HttpResponse:
    figure = FIGURES.get(key)
    if figure is None:
        raise Http404(f"There is no figure {key!r}.")
    frame = read_frame(request, "dashboards:retention")
    context: dict[str, Any] = {"figure": figure, "frame": frame, "scope": frame.scope, "today": frame.company.today()}
    if frame.has_figures:
        period = _period(frame)
        report = frame.report
        credit = _credit(request, frame, period)
        found = explain(
            figure, frame.scope, period, attribution=frame.attribution, report=report, past=frame.past, credit=credit
        )
        number = _page(request.GET.get("page", "1"))
        context |= {
            "period": period,
            "parts": [pill for pill in parts_of(frame) if pill.value],
            "period_label": frame.label(period),
            "table_url": frame.scope.rows_url(due_from=period.starts_on, due_to=period.ends_on),
            "is_credited": credit is not None,
            "value": text_of(found.value, figure.kind),
            "terms": _terms(figure, frame, found),
            "heads": _heads(figure, frame),
            "sums": [_amount(column, found.sums[column]) for column in found.amounts],
            "rows": _rows(frame, found, number),
            "row_count": found.ids.size,
            "page": number,
            "has_more": number * ROWS_PER_PAGE < found.ids.size,
            "policies": _policies(period),
            "weights": RiskWeightVersion.objects.filter(segment=None).first(),
            "rates": [(code, rate) for code, rate in report.rates.items() if code != frame.currency],
        }
    return render(request, "dashboards/explain.html", context)


def _period(frame: Frame) -> Period:
    for period in frame.periods:
        if period.starts_on.isoformat() == frame.period_text:
            return period
    raise Http404(f"There is no {frame.grain} that begins on {frame.period_text!r} among those shown.")


def _credit(request: HttpRequest, frame: Frame, period: Period) -> Credit | None:
    """How scorecards count: `credit=decision` gives a decided renewal to who owned it then."""
    text = request.GET.get("credit", "")
    if text not in ("", DECISION):
        raise Http404(f"There is no credit {text!r}.")
    return read_credit(frame, period) if text and frame.past is None else None


def _terms(figure: Figure, frame: Frame, found: Explained) -> list[ShownTerm]:
    places = [("", figure.top), ("less", figure.minus), ("over", figure.bottom)]
    shown = []
    for place, terms in places:
        for at, term in enumerate(terms):
            column = term.column(frame.attribution, frame.grain)
            word = place if at == 0 else "and"
            shown.append(ShownTerm(word, term.name, _amount(column, found.sums[column])))
    return shown


def _heads(figure: Figure, frame: Frame) -> list[str]:
    names = {term.column(frame.attribution, frame.grain): term.name for term in figure.terms}
    return list(names.values())


def _amount(column: str, number: int) -> str:
    if column.endswith("_cents"):
        return text_of(Decimal(number) / 100, Kind.MONEY)
    return text_of(number, Kind.COUNT)


def _rows(frame: Frame, found: Explained, number: int) -> list[ShownRow]:
    first = (number - 1) * ROWS_PER_PAGE
    ids = found.ids[first : first + ROWS_PER_PAGE].tolist()
    seen = Renewal.objects.visible_to(frame.user).select_related("account", "contract", "owner", "score").in_bulk(ids)
    return [
        ShownRow(
            seen.get(pk),
            [_amount(column, int(values[first + at])) for column, values in found.amounts.items()],
        )
        for at, pk in enumerate(ids)
    ]


def _policies(period: Period) -> list[TimingPolicyVersion]:
    """What may judge a renewal of the period: of each policy the version in force, and those that begin in it."""
    versions = TimingPolicyVersion.objects.filter(effective_from__lte=period.ends_on).select_related(
        "policy__account", "policy__segment", "policy__industry"
    )
    found: list[TimingPolicyVersion] = []
    settled: set[int] = set()
    for version in versions.order_by("policy_id", "-effective_from"):
        if version.policy_id not in settled:
            found.append(version)
            if version.effective_from <= period.starts_on:
                settled.add(version.policy_id)
    return found


def _page(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 7 and int(text)):
        raise Http404(f"There is no page {text!r}.")
    return int(text)

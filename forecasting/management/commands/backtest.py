"""Replay past quarters with rolling origins, and print what the forecasts of them were worth."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from forecasting.accuracy.backtest import MOST_ORIGINS, ORIGINS, POPULATIONS
from forecasting.accuracy.names import FORECASTER_NAMES, group_names
from forecasting.accuracy.replay import HORIZONS
from forecasting.accuracy.services import claim_backtest, execute_backtest, request_backtest
from forecasting.accuracy.verdict import verdict
from forecasting.models import Backtest, BacktestScope

HEADS = ("", "", "WAPE", "bias", "chance", "Brier", "log loss", "said", "came", "P10-P90", "n")
FORMAT = "{:24.24} {:16} {:>7} {:>7} {:>7} {:>7} {:>8} {:>6} {:>6} {:>9} {:>7}"


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--origins", type=int, default=ORIGINS, metavar="N",
            help="how many past quarters, each looked at 90, 60, 30 and 0 days before its end (default: %(default)s)",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="print everything as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        began, origin_count = time.monotonic(), options["origins"]
        if not 1 <= origin_count <= MOST_ORIGINS:
            raise CommandError(f"--origins {origin_count}: between 1 and {MOST_ORIGINS} quarters can be replayed.")
        with transaction.atomic():  # so that no worker can start it before this process does
            request_backtest(reason=Backtest.Reason.DEMAND, user=None, origin_count=origin_count)
            claimed = claim_backtest()
        if claimed is None:
            raise CommandError("Another backtest is running; the page Accuracy shows how far it is.")
        execute_backtest(claimed)
        claimed.refresh_from_db()
        if claimed.state != Backtest.State.DONE:
            raise CommandError(f"The backtest failed: {claimed.message or 'another process took it up.'}")
        scopes = list(claimed.scopes.order_by("kind", "group_id"))
        if options["json"]:
            self.stdout.write(json.dumps(_plain(claimed, scopes, time.monotonic() - began)))
            return
        for line in _lines(claimed, scopes):
            self.stdout.write(line.rstrip())


def _plain(backtest: Backtest, scopes: Sequence[BacktestScope], seconds: float) -> dict[str, Any]:
    return {
        "backtest": backtest.pk,
        "as_of": backtest.as_of_on.isoformat() if backtest.as_of_on else None,
        "currency": backtest.reporting_currency,
        "origins": backtest.origin_count,
        "periods": backtest.periods,
        "scopes": [{"kind": one.kind, "id": one.group_id, **one.content} for one in scopes],
        "seconds": round(seconds, 2),
    }


def _lines(backtest: Backtest, scopes: Sequence[BacktestScope]) -> Iterator[str]:
    book = next((one for one in scopes if one.kind == BacktestScope.Kind.BOOK), None)
    if book is None:
        yield "Too little history: no past quarter is over, settled, and had 30 decided renewals before it."
        return
    first, last = (backtest.periods[at]["label"] for at in (0, -1))
    count = len(backtest.periods)
    yield f"{count} quarter{'' if count == 1 else 's'}, {first} to {last}, each 90, 60, 30 and 0 days before its end."
    yield verdict(book.content)
    for population, title in (
        ("all", "All renewals"),
        ("worded", "Open renewals for which the rep had given a confidence"),
    ):
        yield f"\n{title}"
        yield FORMAT.format(*HEADS)
        for horizon in map(str, HORIZONS):
            found = book.content["horizons"][horizon][population]
            for forecaster in POPULATIONS[population]:
                yield _row(f"{horizon} days", FORECASTER_NAMES[forecaster], found[forecaster])
    yield "\nCalibration at 90 days, joined, by tenths"
    yield f"{'renewals':>9} {'said':>7} {'came':>7}"
    for tenth in book.content["tenths"].get("90", {}).get("joined", []):
        yield f"{tenth['count']:9,.0f} {_percent(tenth['forecast']):>7} {_percent(tenth['came']):>7}"
    names = group_names(scopes)
    yield "\nAt 90 days, by team, rep and segment"
    yield FORMAT.format(*HEADS)
    for one in scopes:
        if one.kind != BacktestScope.Kind.BOOK and "90" in one.content["horizons"]:
            at = one.content["horizons"]["90"]
            yield _row(names[one.kind, one.group_id], "joined", at["all"]["joined"])
            yield _row("", "rep's word", at["worded"]["rep"])


def _row(name: str, forecaster: str, measured: Mapping[str, Any]) -> str:
    return FORMAT.format(
        name,
        forecaster,
        *(_percent(measured[name]) for name in ("wape", "bias", "floor")),
        *("-" if measured[name] is None else f"{measured[name]:.4f}" for name in ("brier", "log_loss")),
        *(_percent(measured[name]) for name in ("said", "came")),
        f"{_percent(measured['coverage'])} of {measured['banded']:.0f}" if measured["banded"] else "-",
        f"{measured['judged']:,.0f}",
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}%"

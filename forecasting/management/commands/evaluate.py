"""Judges the likelihood on a labelled file: fits it on older renewals, forecasts newer ones, and
prints how good that was and which model was chosen why.

The file (.csv or .csv.gz) has one row per renewal: id, cohort, amount, y (1 = renewed) and f_* (what was known of it).
"""

from __future__ import annotations

import csv
import json
import os
from argparse import ArgumentTypeError
from collections import Counter
from pathlib import Path
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from forecasting.evaluation.files import LabelledFile, LabelledFileRejected, listed, read_labelled
from forecasting.evaluation.measure import BOOKS, Forecast, forecast_split, measure
from forecasting.evaluation.splits import HISTORY_DRAWS, Split, splits_by_chance, splits_by_time, with_history


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        how = parser.add_mutually_exclusive_group(required=True)
        how.add_argument("--test", type=_names, metavar="COHORT,...", help="cohorts to forecast, each from older ones")
        how.add_argument("--random", type=_seeds, metavar="SEED,...", help="70/30 by chance, once for each seed")
        parser.add_argument("--gap", type=_count, default=0, metavar="N", help="cohorts left out before a test cohort")
        parser.add_argument("--segment", type=_names, default=(), metavar="COLUMN,...", help="the widest first")
        parser.add_argument("--history", type=_count, metavar="N", help="learn on N rows only, drawn by chance")
        parser.add_argument("--draws", type=_some, metavar="N", help="how often --history draws (10; 1 with --random)")
        parser.add_argument("--books", type=_some, default=BOOKS, metavar="N", help=f"books drawn of a size ({BOOKS})")
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--out", type=Path, metavar="PREDICTIONS.csv", help="writes cohort,amount,p,y")

    def handle(self, *args: Any, **options: Any) -> None:
        _check(options)
        try:
            file = read_labelled(options["file"], options["segment"])
            forecasts = [forecast_split(file, split) for split in _splits(file, options)]
        except LabelledFileRejected as error:
            raise CommandError(str(error)) from error
        told = measure(file, forecasts, options["books"])
        if options["out"]:
            try:
                _write(options["out"], forecasts, file.scale)
            except OSError as error:
                raise CommandError(f"{options['out']} cannot be written: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps(told, allow_nan=False))
        else:
            self._print(told)

    def _print(self, told: dict[str, Any]) -> None:
        low, high = told["auc_interval"]
        self.stdout.write(
            f"{told['file']}: {told['row_count']:,} renewals forecast, {told['renewed_rate']:.1%} renewed\n"
            f"  AUC {_shown(told['auc'], '.4f')} ({_shown(low, '.3f')} to {_shown(high, '.3f')})  "
            f"Brier {told['brier']:.5f} (base rate {told['base_brier']:.5f})  skill {_shown(told['skill'], '+.4f')}  "
            f"log loss {told['log_loss']:.5f}  ECE {told['ece']:.4f}\n"
            f"  error of the total {_shown(told['total_error'], '.2%')} (chance alone: "
            f"{_shown(told['total_error_floor'], '.2%')})"
        )
        for name, books in told["books"].items():
            if books["count"]:
                self.stdout.write(
                    f"  {books['count']} books {name}: P10 to P90 held {books['coverage']:.0%}, "
                    f"{books['width_ratio']:.2f} times the independent width; median error "
                    f"{_shown(books['median_error'], '.2%')} (chance alone: {_shown(books['median_floor'], '.2%')})"
                )
        cohorts = told["cohorts"]
        self.stdout.write(f"  {len(cohorts)} cohorts in this order: {listed(cohorts)}")
        for note in told["notes"]:
            self.stdout.write(f"  Note: {note}")
        for split in told["splits"]:
            self.stdout.write(
                f"  {split['name']}: learned on {split['trained_count']:,}, {split['way']}, calibration "
                f"{split['calibration']}, level {split['level_shift']:+.3f}, shock {split['shock']:.3f} "
                f"({split['segment_shock']:.3f} by segment); Brier "
                f"{split['brier']:.5f}, error {_shown(split['total_error'], '+.2%')}; {split['seconds']:.1f} s\n"
                f"    {split['reason']}"
            )


def _splits(file: LabelledFile, options: dict[str, Any]) -> list[Split]:
    is_random = options["random"] is not None
    found = (
        splits_by_chance(file, options["random"])
        if is_random
        else splits_by_time(file, options["test"], options["gap"])
    )
    if options["history"] is not None:
        draws = options["draws"] or (1 if is_random else HISTORY_DRAWS)
        found = with_history(found, options["history"], draws)
    return list(found)


def _check(options: dict[str, Any]) -> None:
    """What can be told before anything is read, for a fit takes a while."""
    if options["draws"] and options["history"] is None:
        raise CommandError("--draws says how often --history draws: name both")
    for name in ("test", "random", "segment"):
        for value, count in Counter(options[name] or ()).items():
            if count > 1:
                raise CommandError(f"--{name} names {value} {count} times")
    out: Path | None = options["out"]
    if out is None:
        return
    if out.is_dir():
        raise CommandError(f"{out} cannot be written: it is a folder")
    if not out.parent.is_dir():
        raise CommandError(f"{out} cannot be written: {out.parent} is no folder")
    if out.exists() and options["file"].exists() and out.samefile(options["file"]):
        raise CommandError(f"{out} cannot be written: it is the file that is read")


def _write(path: Path, forecasts: list[Forecast], scale: float) -> None:
    """All of it or nothing: under another name first. What is no plain file, such as a pipe, is written to."""
    if path.exists() and not path.is_file():
        with path.open("w", newline="", encoding="utf-8") as file:
            _write_rows(file, forecasts, scale)
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("x", newline="", encoding="utf-8") as file:
            _write_rows(file, forecasts, scale)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _write_rows(file: IO[str], forecasts: list[Forecast], scale: float) -> None:
    writer = csv.writer(file)
    writer.writerow(["cohort", "amount", "p", "y"])
    for forecast in forecasts:
        amounts = (forecast.amounts / scale).tolist()
        came = forecast.is_renewed.astype(int).tolist()
        for amount, p, y in zip(amounts, forecast.p.tolist(), came, strict=True):
            writer.writerow([forecast.split.name, amount, p, y])


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise ArgumentTypeError(f"{text!r} names nothing")
    return names


def _seeds(text: str) -> tuple[int, ...]:
    return tuple(_count(name) for name in _names(text))


def _some(text: str) -> int:
    if not _count(text):
        raise ArgumentTypeError("0 is not a whole number of 1 or more")
    return int(text)


def _count(text: str) -> int:
    if not text.strip().isdecimal():
        raise ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)

"""`make evaluate`: the likelihood on every labelled set, beside what others reached on it and the bars to hold.

The sets are not part of Perennial: they lie in `../shared/data/labelled` beside the checkout, or under the folder that
PERENNIAL_REAL_DATA names. The report goes to bench/evaluate.json too; the exit code is 1 where a bar does not hold.
"""

import argparse
import io
import json
import os
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

REPORT = Path(__file__).parent / "evaluate.json"
HISTORIES = (50, 100, 200, 400)
# Of a small history: for a split by time, for one by chance. Only its skill is judged, so one book each will do.
DRAWS = (("--draws=4", "--books=1"), ("--draws=2", "--books=1"))
CALLS = (5, 10, 14, 15, 20, 30)  # closed calls of a rep
HEADS = (
    f"{'set':18}{'AUC':>7}{'Brier':>9}{'base':>9}{'bl.base':>9}{'bl.best':>8}{'skill':>9}{'ECE':>7}{'total':>8}"
    f"{'chance':>8}{'of 50':>7}{'of 200':>6}{'width':>7}{'shock':>7}{'s':>7}  chosen"
)
SEEDS = "--random=0,1,2,3,4"


@dataclass(frozen=True)
class Set:
    """A labelled set, its split, and the baselines measured on it: Brier scores of the base rate and of the best."""

    name: str
    split: tuple[str, ...]
    segment: str
    base_brier: float
    best_brier: float
    is_real: bool = False
    has_signal: bool = True


SETS = (
    Set("service_contracts", ("--test=2013-06", "--gap=1"), "f_channel", 0.126, 0.1257, is_real=True),
    Set("life", ("--test=2006,2007,2008",), "f_place", 0.0517, 0.0515, is_real=True),
    Set("telecom_panel", ("--test=2025-09,2025-12,2026-03",), "f_segment", 0.0764, 0.0357),
    Set("saas_null", ("--test=2024-03-31,2024-06-30,2024-09-30",), "f_tier", 0.0314, 0.0314, has_signal=False),
    Set("telco", (SEEDS,), "f_Contract", 0.1950, 0.1364),
    Set("saas_sample", (SEEDS,), "f_company_size", 0.2489, 0.1098),
)


@dataclass(frozen=True)
class Bar:
    """One measure of one set: `value` must lie between `lowest` and `highest`."""

    name: str
    value: float | None
    lowest: float
    highest: float

    @property
    def holds(self) -> bool:
        return self.value is not None and self.lowest <= self.value <= self.highest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", metavar="SET[,SET]")
    parser.add_argument("--without-small", action="store_true", help="leave out the small histories")
    options = parser.parse_args()
    django.setup()
    from forecasting.management.commands.try_real import real_data

    folder = real_data() / "labelled"
    if not folder.is_dir():
        sys.stderr.write(f"{folder} is not there. Say where the files are in PERENNIAL_REAL_DATA.\n")
        return 2
    chosen = [one for one in SETS if not options.only or one.name in options.only.split(",")]
    report: dict[str, Any] = {}
    every_bar: list[Bar] = []
    print(HEADS)
    for one in chosen:
        told = evaluate(folder, one)
        print_row(one, told)
        counts = () if options.without_small else HISTORIES
        small = {count: evaluate(folder, one, f"--history={count}", *DRAWS[one.split[0] == SEEDS]) for count in counts}
        bars = bars_of(one, told, small)
        for bar in bars:
            if not bar.holds:
                print(f"    MISSED {bar.name}: {bar.value:.5f} is not within {bar.lowest} to {bar.highest}")
        every_bar += bars
        report[one.name] = {"told": told, "small": small, "bars": [vars(bar) | {"holds": bar.holds} for bar in bars]}
    if not options.without_small:
        print_small(report)
    whole = pooled_bars(report)
    whole += rep_bars()
    for bar in whole:
        print(f"{bar.name}: {bar.value:.3f} ({'holds' if bar.holds else 'MISSED'}: {bar.lowest} to {bar.highest})")
    report["pooled"] = [vars(bar) | {"holds": bar.holds} for bar in whole]
    REPORT.write_text(json.dumps(report, indent=1) + "\n")
    missed = [bar for bar in [*every_bar, *whole] if not bar.holds]
    print(f"{len(every_bar) + len(whole)} bars, {len(missed)} missed. Written to {REPORT.name}.")
    return 1 if missed else 0


def evaluate(folder: Path, one: Set, *options: str) -> dict[str, Any]:
    answer = io.StringIO()
    path = str(folder / f"{one.name}.csv.gz")
    call_command("evaluate", path, *one.split, f"--segment={one.segment}", *options, "--json", stdout=answer)
    return dict(json.loads(answer.getvalue()))


def bars_of(one: Set, told: dict[str, Any], small: dict[int, dict[str, Any]]) -> list[Bar]:
    """The bars of one set. The Brier score may be 0.001 above the best baseline; 0.0005 above the base rate where
    there is no signal."""
    best = one.best_brier + 0.001 if one.has_signal else told["base_brier"] + 0.0005
    bars = [
        Bar("Brier score", told["brier"], 0.0, best),
        Bar("skill", told["skill"], -0.02, 1.0),
        Bar("ECE", told["ece"], 0.0, 0.02 if one.is_real else 0.03),
    ]
    for name in ("of 50", "of 200"):
        books = told["books"][name]
        bars.append(Bar(f"coverage, books {name}", books["coverage"], 0.72, 0.88))
        bars.append(Bar(f"width, books {name}", books["width_ratio"], 0.0, 1.5))
    books = told["books"]["of 200"]
    bars.append(Bar("error of the total over chance", books["median_error"] / books["median_floor"], 0.0, 1.2))
    if not one.has_signal:
        found = sum(split["is_signal"] for split in told["splits"])
        bars.append(Bar("splits in which a signal was found", float(found), 0.0, 0.0))
    slowest = max(
        split["seconds"] * min(5_000 / (split["trained_count"] + split["test_count"]), 1) for split in told["splits"]
    )
    bars.append(Bar("seconds for 5,000 renewals", slowest, 0.0, 10.0))
    for count, measured in small.items():
        bars.append(Bar(f"skill from {count}", measured["skill"], -0.02 if count >= 200 else -0.05, 1.0))
    return bars


def pooled_bars(report: dict[str, Any]) -> list[Bar]:
    """Books of one segment in one cohort, of all sets together: one set has few cohorts, which share their shocks.

    Whole segments, and books of 200 rows at most from them: both are held to the same bars.
    """
    return _segment_bars(report, "of one segment") + _segment_bars(report, "of one whole segment")


def _segment_bars(report: dict[str, Any], name: str) -> list[Bar]:
    books = [entry["told"]["books"][name] for entry in report.values()]
    books = [each for each in books if each["count"]]
    count = sum(each["count"] for each in books)
    coverage = sum(each["coverage"] * each["count"] for each in books) / count
    width = sum(each["width_ratio"] * each["count"] for each in books) / count
    return [
        Bar(f"coverage, {count} books {name} in one cohort", coverage, 0.72, 0.88),
        Bar(f"width, {count} books {name} in one cohort", width, 0.0, 1.5),
    ]


def rep_bars() -> list[Bar]:
    """What correcting the reps' bias took off their Brier score, by closed calls, on simulated calls."""
    from forecasting.evaluation.rep_calls import score_calls

    bars = []
    print("\nBrier score of reps' words, simulated, by closed calls of each:")
    for calls in CALLS:
        scores = score_calls(calls)
        print(f"{calls:6}  word {scores.word:.4f}  corrected {scores.corrected:.4f}  joined {scores.joined:.4f}")
        if calls < 15 or calls >= 30:
            bars.append(
                Bar(f"gain by correcting reps of {calls} calls", scores.gain, -0.0005 if calls < 15 else 0.04, 1.0)
            )
    return bars


def print_row(one: Set, told: dict[str, Any]) -> None:
    books = [told["books"][name] for name in ("of 50", "of 200")]
    ways = Counter(split["way"] for split in told["splits"])
    shock = sum(split["shock"] for split in told["splits"]) / len(told["splits"])
    print(
        f"{one.name:18}{told['auc']:7.3f}{told['brier']:9.5f}{told['base_brier']:9.5f}{one.base_brier:9.4f}"
        f"{one.best_brier:8.4f}{told['skill']:+9.4f}{told['ece']:7.4f}{told['total_error']:8.2%}"
        f"{told['total_error_floor']:8.2%}{books[0]['coverage']:7.0%}{books[1]['coverage']:6.0%}"
        f"{books[1]['width_ratio']:7.2f}{shock:7.3f}{sum(split['seconds'] for split in told['splits']):7.1f}"
        f"  {', '.join(f'{way} {count}' for way, count in ways.items())}",
        flush=True,
    )


def print_small(report: dict[str, Any]) -> None:
    print("\nSkill against the base rate from few decided renewals (bars: -0.05 below 200, -0.02 from 200):")
    print(f"{'set':18}" + "".join(f"{count:>9}" for count in HISTORIES))
    for name, entry in report.items():
        print(f"{name:18}" + "".join(f"{entry['small'][count]['skill']:+9.4f}" for count in HISTORIES))


if __name__ == "__main__":
    sys.exit(main())

"""`python -m bench.known_truth`: the likelihood on generated sets whose truth is known, beside that truth.

Each of the last quarters is forecast from those before it, by `manage.py evaluate`'s own way. Printed are the AUC and
the Brier score beside those of the true chances, ECE, how often P10 to P90 held whole quarters and the segments in
them, the mean error of a quarter's total, and in how many of them a signal was found.
"""

import argparse
import os
from collections import Counter

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from forecasting.engine.arrays import Floats
from forecasting.engine.fitted import metrics
from forecasting.evaluation.known_truth import SHAPES, known_set
from forecasting.evaluation.measure import Forecast, forecast_split, random_books, segment_books, whole_books
from forecasting.evaluation.splits import splits_by_time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--tests", type=int, default=10)
    parser.add_argument("--by-quarter", type=int, default=250)
    options = parser.parse_args()
    print(
        f"{'shape':20}{'AUC':>7}{'truth':>7}{'Brier':>9}{'truth':>9}{'ECE':>8}{'P10-P90':>9}{'segm.':>7}{'of 50':>7}"
        f"{'error':>8}{'+-':>7}{'shock':>7}  signal, chosen"
    )
    for name in SHAPES:
        if options.only in name:
            judge(name, options.seeds, options.tests, options.by_quarter)


def judge(name: str, seeds: int, tests: int, by_quarter: int) -> None:
    forecasts, truths = list[Forecast](), list[Floats]()
    for seed in range(seeds):
        known = known_set(name, seed=seed, by_quarter=by_quarter)
        for split in splits_by_time(known.file, known.file.cohorts[-tests:], 0):
            forecasts.append(forecast_split(known.file, split))
            truths.append(known.truth[split.test])
    p, truth = np.concatenate([one.p for one in forecasts]), np.concatenate(truths)
    came = np.concatenate([one.is_renewed for one in forecasts])
    errors = np.array([metrics.total_error(one.p, one.amounts.astype(float), one.is_renewed) for one in forecasts])
    whole = whole_books(forecasts)
    parts, small = segment_books(forecasts, 1), random_books(forecasts, 50, 200)
    found = sum(one.model.is_signal for one in forecasts)
    ways = Counter(one.model.way for one in forecasts)
    print(
        f"{name:20}{metrics.auc(p, came).value:7.3f}{metrics.auc(truth, came).value:7.3f}{metrics.brier(p, came):9.5f}"
        f"{metrics.brier(truth, came):9.5f}{metrics.calibration_error(p, came):8.4f}{whole.coverage:9.0%}"
        f"{parts.coverage:7.0%}{small.coverage:7.0%}{errors.mean():+8.2%}{errors.std() / np.sqrt(errors.size):7.2%}"
        f"{np.mean([one.model.shock_of(99) for one in forecasts]):7.3f}  {found} of {len(forecasts)}, {dict(ways)}",
        flush=True,
    )


if __name__ == "__main__":
    main()

"""A fit of the likelihood on decided renewals, and what the fitted one adds to the scoring of open ones."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
from django.db import connection

from bench.figures import Figure

FIT_BAR_SECONDS = 600  # on the 200,000 newest decided ones, which is what a book of a million is cut to
MEMORY_BAR_MB = 1_500
SCORED = 100_000
TRIES = 3


def fit_command() -> tuple[dict[str, Any], float, float]:
    """(what it says, its processor seconds, the peak memory in MB) of the command as a whole process."""
    command = [sys.executable, "manage.py", "fit_likelihood", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, "the fit failed"
    return json.loads(told), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def scoring_seconds() -> tuple[float, float]:
    """Processor seconds to score SCORED open renewals: (by the fitted likelihood, by the rates alone)."""
    from forecasting.frames import Accounts, day_number, judge, load_likelihood, load_rules, read_book, score_book
    from forecasting.models import LikelihoodModel, Run

    run = Run.objects.latest_published()
    version = LikelihoodModel.objects.light().newest_fitted()
    assert run is not None, "no run was published"
    assert version is not None, "no likelihood was fitted"
    rates_alone = replace(load_rules(run), inputs=load_likelihood(None)[0], likelihood=None)
    inputs, model, survivors = load_likelihood(version.pk)
    found = []
    with connection.cursor() as cursor:
        for rules in (replace(rates_alone, inputs=inputs, likelihood=model, survivors=survivors), rates_alone):
            book = read_book(cursor, rules, Accounts.one_in(10))
            judged = judge(book, rules, day_number(run.as_of_on))
            open_count = max(int(np.count_nonzero(judged.timing < 3)), 1)
            tries = []
            for _ in range(TRIES):
                started = time.process_time()
                score_book(book, rules, judged)
                tries.append(time.process_time() - started)
            found.append(min(tries) / open_count * SCORED)
    return found[0], found[1]


def measure() -> list[Figure]:
    """The fit; before the recompute, which then scores by it."""
    started = time.perf_counter()
    told, processor, memory = fit_command()
    wall = time.perf_counter() - started
    what = f"fit of the likelihood on {told['decided']:,} decided renewals"
    return [
        Figure(f"{what}: {told['way']}", wall, "s", bar=FIT_BAR_SECONDS),
        Figure(f"{what}: processor", processor, "s"),
        Figure(f"{what}: peak memory", memory, "MB", bar=MEMORY_BAR_MB),
    ]


def measure_scoring() -> list[Figure]:
    fitted, rates = scoring_seconds()
    return [
        Figure(f"scoring {SCORED:,} open renewals by the fitted likelihood: processor", fitted, "s"),
        Figure(f"scoring {SCORED:,} open renewals by the rates alone: processor", rates, "s"),
    ]

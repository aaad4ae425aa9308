"""`python -m bench.order_timing`: the timing class of orders forecast from settled history alone, on real files.

Each order of the newer half is forecast 30 days before its due day, from what was due and ordered until then: the class
with the greatest chance of `engine.order_timing`. The files are not part of Perennial: they lie in `../shared/data`
beside the checkout, or under the folder that PERENNIAL_REAL_DATA names. The exit code is 1 where a bar does not hold.
"""

import csv
import datetime as dt
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import django
import numpy as np

from forecasting.engine.order_timing import PastOrders, fit_order_timing, order_chances

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
LEAD_DAYS = 30
LATE_DAYS = 400
CLASSES = ("early", "on time", "late")


@dataclass(frozen=True)
class Orders:
    """n orders: account, due and order as day numbers; on time is within `days` of the due day."""

    name: str
    days: int
    bar: float
    account: np.ndarray
    due: np.ndarray
    ordered: np.ndarray

    @property
    def classes(self) -> np.ndarray:
        delay = self.ordered - self.due
        return np.where(delay < -self.days, 0, np.where(delay <= self.days, 1, 2))


def read_receivables(folder: Path) -> Orders:
    with (folder / "receivables" / "receivables.csv").open(newline="") as file:
        rows = [(row["customerID"], day(row["DueDate"]), day(row["SettledDate"])) for row in csv.DictReader(file)]
    return orders("receivables", 5, 0.60, rows)


def read_licences(folder: Path) -> Orders:
    with (folder / "licence_payments" / "licences.csv").open(newline="") as file:
        rows = [
            (row["ACCOUNT NUMBER"], day(row["LICENSE TERM START DATE"]) - 1, day(row["PAYMENT DATE"]))
            for row in csv.DictReader(file)
            if row["APPLICATION TYPE"] == "RENEW" and row["PAYMENT DATE"] and row["LICENSE TERM START DATE"]
        ]
    return orders("licences", 7, 0.50, rows)


def day(text: str) -> int:
    return dt.datetime.strptime(text, "%m/%d/%Y").toordinal()  # noqa: DTZ007


def orders(name: str, days: int, bar: float, rows: list[tuple[str, int, int]]) -> Orders:
    accounts, due, ordered = zip(*rows, strict=True)
    return Orders(name, days, bar, np.unique(accounts, return_inverse=True)[1], np.array(due), np.array(ordered))


def forecast(data: Orders, row: int) -> int:
    """The likeliest class of one order."""
    today = data.due[row] - LEAD_DAYS
    known = np.flatnonzero(data.ordered < today)
    # Settled: what is due later may still be ordered, and its early orders alone would count.
    settled = known[data.due[known] < today]
    delay = data.ordered - data.due
    none = np.zeros(settled.size, dtype=np.int64)
    timing = fit_order_timing(segment_ids=none, delay=np.minimum(delay[settled], LATE_DAYS))
    past = PastOrders.of(data.account[settled], delay[settled], data.due[settled], int(data.account.max()) + 1)
    found = order_chances(
        timing,
        past,
        account=data.account[row : row + 1],
        segment_ids=np.zeros(1, dtype=np.int64),
        age=np.array([-LEAD_DAYS]),
        early_days=data.days,
        grace_days=data.days,
        late_days=LATE_DAYS,
    )
    return int(np.argmax([found.early[0], found.on_time[0], found.late[0]]))


def last_time(data: Orders, row: int) -> int:
    """As the account's newest order was; the most frequent class where it has none."""
    known = np.flatnonzero(data.ordered < data.due[row] - LEAD_DAYS)
    own = known[data.account[known] == data.account[row]]
    if own.size:
        return int(data.classes[own[np.argmax(data.due[own])]])
    return int(np.argmax(np.bincount(data.classes[known], minlength=3)))


def macro_f1(came: np.ndarray, said: np.ndarray) -> float:
    hits = [2 * np.sum((came == one) & (said == one)) for one in range(3)]
    every = [np.sum(came == one) + np.sum(said == one) for one in range(3)]
    return float(np.mean([hit / max(count, 1) for hit, count in zip(hits, every, strict=True)]))


def main() -> int:
    django.setup()
    from forecasting.management.commands.try_real import real_data

    folder = real_data()
    if not folder.is_dir():
        sys.stderr.write(f"{folder} is not there. Say where the files are in PERENNIAL_REAL_DATA.\n")
        return 2
    missed = 0
    print(f"{'set':14}{'orders':>8}{'accounts':>10}{'macro F1':>10}{'last time':>11}{'bar':>7}  held")
    for data in (read_receivables(folder), read_licences(folder)):
        rows = np.argsort(data.due, kind="stable")[data.due.size // 2 :]
        came = data.classes[rows]
        own = macro_f1(came, np.array([forecast(data, row) for row in rows]))
        as_before = macro_f1(came, np.array([last_time(data, row) for row in rows]))
        held = own >= data.bar
        missed += not held
        print(
            f"{data.name:14}{rows.size:8,}{np.unique(data.account).size:10,}{own:10.3f}{as_before:11.3f}"
            f"{data.bar:7.2f}  {'yes' if held else 'NO'}"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

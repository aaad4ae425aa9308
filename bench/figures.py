"""What a benchmark prints: each figure beside its floor, measured in the same run on the same machine."""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

LATEST = Path(__file__).parent / "latest.json"


@dataclass(frozen=True)
class Figure:
    """`value` in `unit`; `ratio` = value / floor where the figure stands `against` one; `bar` is the most it may be."""

    name: str
    value: float
    unit: str
    against: str = ""
    ratio: float | None = None
    bar: float | None = None

    @property
    def held(self) -> bool | None:
        if self.bar is None:
            return None
        return (self.value if self.ratio is None else self.ratio) <= self.bar

    def line(self) -> str:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}x"
        bar = "" if self.bar is None else (f"{self.bar:g}x" if self.ratio is not None else f"{self.bar:g}")
        held = {None: "", True: "yes", False: "NO"}[self.held]
        value = f"{self.value:,.2f} {self.unit}"
        return f"{self.name:<64}{value:>14}  {ratio:>6}  {bar:>6}  {held:<4}  {self.against}"


def against(name: str, value: float, floor: float, *, unit: str, what: str, bar: float) -> Figure:
    return Figure(name, value, unit, f"{what}: {floor:,.2f} {unit}", value / floor, bar)


def seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def median_ms(action: Callable[[], object], *, times: int = 15, warm_up: int = 3) -> float:
    for _ in range(warm_up):
        action()
    return statistics.median(seconds(action) for _ in range(times)) * 1000


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, round(share * (len(values) - 1)))]


def report(figures: list[Figure]) -> None:
    """Print the table and write it to bench/latest.json."""
    print(f"\n{'figure':<64}{'value':>14}  {'ratio':>6}  {'bar':>6}  held  against")
    for figure in figures:
        print(figure.line())
    LATEST.write_text(json.dumps([{**asdict(figure), "held": figure.held} for figure in figures], indent=1) + "\n")

"""The exact distribution of N open renewals, against one vectorised pass of NumPy over the same arrays."""

import resource

import numpy as np

from bench.figures import Figure, against, seconds


def measure(count: int) -> list[Figure]:
    from forecasting.engine.distribution import distribute
    from forecasting.engine.fitted.shock import forecast_period

    chance = np.random.default_rng(1)
    p, cents = chance.beta(6, 2, count), chance.lognormal(13, 1.2, count).astype(np.int64) + 1
    what = "mean and variance of the sum, one pass"

    def one_pass() -> float:
        money = cents.astype(np.float64)
        return float(p @ money) + float((p * (1 - p)) @ money**2)

    floor = sorted(seconds(one_pass) for _ in range(5))[2]
    alone = sorted(seconds(lambda: distribute(p, cents)) for _ in range(3))[1]
    shared = sorted(seconds(lambda: forecast_period(p, cents, 0.175)) for _ in range(3))[1]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        against(f"distribution of {count:,}, independent", alone, floor, unit="s", what=what, bar=40),
        against(f"distribution of {count:,}, with a shared shock", shared, floor, unit="s", what=what, bar=150),
        Figure(f"distribution of {count:,}: peak memory of the process", memory, "MB"),
    ]

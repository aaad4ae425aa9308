"""How many renewals the hours of a team are enough for. Source: docs/domain.md sections 4.4 and 6."""


def productive_hours(weeks: float, hours_per_week: float, utilisation_rate: float, available_rate: float) -> float:
    """Hours of one rep that go into renewals: weeks x hours x utilisation x what is left after overhead.

    The rates are fractions. Raises ValueError naming the one that is not between 0 and 1, or a negative time.
    """
    for name, rate in (("utilisation_rate", utilisation_rate), ("available_rate", available_rate)):
        if not 0 <= rate <= 1:
            raise ValueError(f"{name} is {rate}: it must be between 0 and 1")
    for name, time in (("weeks", weeks), ("hours_per_week", hours_per_week)):
        if not time >= 0:
            raise ValueError(f"{name} is {time}: it must be 0 or more")
    return weeks * hours_per_week * utilisation_rate * available_rate


def renewals_within(hours: float, hours_per_renewal: float) -> float:
    """Renewals that fit into `hours`. Raises ValueError when a renewal takes no time."""
    if not hours_per_renewal > 0:
        raise ValueError(f"hours_per_renewal is {hours_per_renewal}: it must be above 0")
    return hours / hours_per_renewal

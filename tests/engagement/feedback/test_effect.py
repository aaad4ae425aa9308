import pytest

from engagement.feedback.effect import Effect


def test_the_change_is_measured_against_all_other_tickets() -> None:
    effect = Effect(before=60, since=15, others_before=1000, others_since=500, days_since=90)
    assert (effect.monthly_before, effect.monthly_since) == (10.0, 5.0)
    # Halved beside the others, which halved too: (15.5 / 60.5) / (500.5 / 1000.5).
    assert effect.ratio == pytest.approx(0.512141, abs=1e-6)
    assert effect.interval == pytest.approx((0.290152, 0.903969), abs=1e-6)
    assert (effect.verdict, effect.text) == ("fewer", "Fewer than chance would explain.")


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ((60, 0, 1000, 200, 29), "early"),
        ((60, 0, 1000, 200, 30), "fewer"),
        ((9, 0, 1000, 1000, 180), "few"),
        ((9, 1, 1000, 1000, 180), "fewer"),
        ((60, 55, 1000, 1000, 180), "same"),
        ((60, 110, 1000, 1000, 180), "more"),
        # The theme has as many as before, in a house where all else doubled.
        ((60, 60, 1000, 2000, 180), "fewer"),
        ((60, 60, 0, 0, 180), "same"),
    ],
)
def test_verdicts(counts: tuple[int, int, int, int, int], verdict: str) -> None:
    before, since, others_before, others_since, days = counts
    effect = Effect(before=before, since=since, others_before=others_before, others_since=others_since, days_since=days)
    assert effect.verdict == verdict


def test_on_the_day_itself_nothing_is_since() -> None:
    effect = Effect(before=12, since=0, others_before=0, others_since=0, days_since=0)
    assert (effect.monthly_since, effect.text) == (0.0, "30 days have to pass before it can be told.")

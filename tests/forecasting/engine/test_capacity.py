import pytest

from forecasting.engine.capacity import productive_hours, renewals_within


def test_published_quarter_of_one_rep():
    hours = productive_hours(13, 40, 0.75, 0.85)
    assert hours == pytest.approx(331.5)
    assert round(renewals_within(hours, 16), 1) == 20.7


@pytest.mark.parametrize(
    ("values", "message"),
    [((13, 40, 75, 0.85), "utilisation_rate is 75"), ((13, -1, 0.75, 0.85), "hours_per_week is -1")],
)
def test_productive_hours_names_the_bad_value(values, message):
    with pytest.raises(ValueError, match=message):
        productive_hours(*values)


def test_a_renewal_takes_time():
    with pytest.raises(ValueError, match="hours_per_renewal is 0: it must be above 0"):
        renewals_within(10, 0)

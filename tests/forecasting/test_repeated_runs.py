"""Two runs over the same book say the same, to the last bit."""

from django.db import connection

from forecasting.models import ForecastLine, Run
from tests.cast import Cast
from tests.dashboards.books import draw_book
from tests.forecasting.forecast_book import recompute

LEARNED = ("likelihood_table", "rep_records", "amount_model", "order_timing", "shock", "payment_terms")


def learned(run: Run) -> dict[str, object]:
    return {name: getattr(run, name) for name in LEARNED}


def turn_around() -> None:
    """Lay the rows the other way round in the table, and touch nothing of what they say."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("CREATE INDEX turned ON renewals_renewal ((-id))")
        cursor.execute("CLUSTER renewals_renewal USING turned")
        cursor.execute("DROP INDEX turned")


def test_learned_is_the_same_whatever_order_the_rows_come_in(cast: Cast) -> None:
    draw_book(cast, 5, count=400)
    first = recompute()
    hashes = set(ForecastLine.objects.values_list("pk", "open_hash"))
    turn_around()
    again = recompute()
    assert learned(again) == learned(first)
    assert again.changed_count == 0
    assert set(ForecastLine.objects.values_list("pk", "open_hash")) == hashes

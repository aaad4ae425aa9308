"""What is expected is one number, whoever adds it up: the forecast lines, the table, its parts, its groups, as at."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pytest
from django.db.models import Q
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasting import services
from forecasting.as_at.book import lines_of, score_at
from forecasting.as_at.standing import own_values, standing_of
from forecasting.engine.booking import weighted
from forecasting.frames.converted import converted_cents
from forecasting.models import ForecastLine
from renewals.models import Renewal, RenewalQuerySet, RenewalScore, TimingClass
from renewals.table.groups import GROUPS
from renewals.totals.groups import read_subtotals
from renewals.totals.parts import read_parts
from renewals.totals.strip import KEPT_CLASSES, Totals, read_totals
from tests.cast import Cast, make_rate, make_renewal
from tests.forecasting.forecast_book import AS_OF, recompute
from tests.forecasting.test_lines import make_book


def rows_of(line: ForecastLine) -> RenewalQuerySet:
    months = 3 if line.grain == "quarter" else 1
    end = (line.starts_on + dt.timedelta(days=31 * months + 3)).replace(day=1)
    rows = Renewal.objects.filter(due_on__gte=line.starts_on, due_on__lt=end)
    wanted = {"owner": line.owner_id, "owner__team": line.team_id, "account__segment": line.segment_id}
    return rows.filter(**{name: value for name, value in wanted.items() if value is not None})


def totals_of(rows: RenewalQuerySet) -> Totals:
    return read_totals(rows, as_of=AS_OF, reporting_currency="EUR")


def assert_lines_are_totals() -> None:
    lines = list(ForecastLine.objects.all())
    for line in lines:
        totals, rows = totals_of(rows_of(line)), rows_of(line)
        assert line.expected_amount == totals.expected_amount, line
        assert (line.won_amount, line.due_amount) == (totals.won_amount, totals.atr_amount), line
        parts = read_parts(rows, as_of=AS_OF, reporting_currency="EUR")
        assert parts.expected_amount == totals.expected_amount, line
        types = {each.label: each.expected_amount for each in parts.types}
        assert types["Upsell"] == line.upsell_amount + line.expected_upsell_amount, line
        assert types["Cross-sell"] == line.cross_sell_amount + line.expected_cross_sell_amount, line
        assert types["Renewal"] == line.renewal_amount + line.expected_renewal_amount, line
        assert min(line.expected_renewal_amount, line.expected_upsell_amount, line.expected_churn_amount) >= 0, line
    assert sum(line.expected_amount > line.won_amount for line in lines) > 20


@pytest.fixture
def one_currency(cast: Cast) -> None:
    make_book(cast)
    Renewal.objects.update(currency="EUR")
    recompute()


def test_every_line_equals_the_total_of_its_rows(cast: Cast) -> None:
    make_book(cast)
    recompute()
    assert_lines_are_totals()


def test_an_edit_leaves_both_the_same(cast: Cast) -> None:
    make_book(cast)
    recompute()
    edited = list(Renewal.objects.filter(outcome="open", is_excluded=False).order_by("pk")[:7])
    for row in edited:
        Renewal.objects.filter(pk=row.pk).update(forecast_amount=row.baseline_amount * 3 / 2, confidence=55)
    services.score_renewals(renewal_ids=[row.pk for row in edited], as_of=AS_OF)
    means = ("mean_cents", "mean_upsell_cents", "mean_cross_sell_cents", "probability")
    scores = list(RenewalScore.objects.order_by("pk").values_list(*means))
    assert services.refresh_stale_months() > 0
    assert_lines_are_totals()
    recompute()
    assert scores == list(RenewalScore.objects.order_by("pk").values_list(*means))


def test_only_open_ones_bring_anything(cast: Cast) -> None:
    make_book(cast)
    recompute()
    is_open = Q(timing_class__lte=TimingClass.OVERDUE)
    assert not RenewalScore.objects.exclude(is_open).exclude(mean_cents=0).exists()
    assert RenewalScore.objects.filter(is_open, mean_cents__gt=0).count() > 20


def test_book_as_at_this_moment_expects_the_same(cast: Cast) -> None:
    make_book(cast)
    recompute()
    book = score_at(timezone.now(), as_of=AS_OF)
    lines = lines_of(book, with_scopes=True)
    stored = ForecastLine.objects.order_by("pk")
    assert lines["expected_amount"].sum() == sum(line.expected_amount for line in stored) * 100
    standing = standing_of(book)
    worth = dict(zip(standing.rows["renewal"].tolist(), own_values(standing.rows).tolist(), strict=True))
    shown = Renewal.objects.filter(outcome="open").select_related("score")
    assert {row.pk: worth[row.pk] for row in shown} == {row.pk: expected_of(row) * 100 for row in shown}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    owners=st.sets(st.sampled_from(["rep", "team_mate", "outsider"])),
    is_small=st.sampled_from([None, True, False]),
    first=st.integers(-500, 400),
    length=st.integers(0, 900),
    group=st.sampled_from(["owner", "stage", "due_month", "segment", "timing"]),
)
def test_any_filter_adds_up_over_its_groups_and_its_rows(
    cast: Cast, one_currency: None, owners: set[str], is_small: bool | None, first: int, length: int, group: str
) -> None:
    start = AS_OF + dt.timedelta(days=first)
    rows = Renewal.objects.filter(due_on__range=(start, start + dt.timedelta(days=length)))
    if owners:
        rows = rows.filter(owner__in=[getattr(cast, name) for name in owners])
    if is_small is not None:
        rows = rows.filter(account__segment__name="Small") if is_small else rows.exclude(account__segment__name="Small")
    total = totals_of(rows).expected_amount
    subtotals = read_subtotals(rows, GROUPS[group](1), as_of=AS_OF, reporting_currency="EUR")
    assert sum(each.amounts["Expected"] for each in subtotals.values()) == total
    scored = rows.filter(is_excluded=False).select_related("score")
    own = [row.final_amount if row.score.timing_class in KEPT_CLASSES else expected_of(row) for row in scored]
    assert sum(amount or 0 for amount in own) == total


def expected_of(row: Renewal) -> Decimal:
    return Decimal(int(weighted(np.array(row.score.probability), np.array(row.score.mean_cents)))) / 100


@pytest.mark.parametrize(
    ("cents", "rate", "divided_by", "converted"),
    [
        (10**13, "98765.4321098765", 1, 987_654_321_098_765_000),  # far beyond 64 bits on the way
        (123, "123456789.0123456789", 1, 15_185_185_049),
        (-5, "0.5", 1, -2),  # half to even
        (5, "0.5", 1, 2),
        (7, "0.5", 1, 4),
        (1_000_007, "0.0061234", 12, 510),
        (10**15, "1", 1, 10**15),
    ],
)
def test_conversion_is_exact_for_any_rate(cents: int, rate: str, divided_by: int, converted: int) -> None:
    rates = {"XXX": Decimal(rate), "EUR": Decimal(1)}
    sums = np.array([[cents, 1_200], [0, 24]])
    found = converted_cents(sums, np.array([0, 1]), rates, divided_by=divided_by)
    assert found.tolist() == [[converted, 1_200 // divided_by], [0, 24 // divided_by]]
    assert found.dtype == np.int64


def test_lines_take_rates_of_many_digits(cast: Cast) -> None:
    make_rate("VND", "98765.4321098765")
    make_renewal(owner=cast.rep, currency="VND", baseline_amount=Decimal("1234567.89"))
    make_renewal(owner=cast.rep)
    recompute()
    line = ForecastLine.objects.get(grain="month", team=None, owner=None, segment=None)
    assert line.due_amount == Decimal("121932631124.83") + 12_000
    assert line.expected_amount == totals_of(Renewal.objects.all()).expected_amount

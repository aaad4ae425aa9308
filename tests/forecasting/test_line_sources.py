"""Lines of a quarter are computed again when anything that they are made from has changed, and only then."""

import datetime as dt
import random
from collections.abc import Callable
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import numpy as np
import pytest
from django.db import connection
from numpy.typing import NDArray

from accounts.models import Company, Segment, Team, User
from forecasting import services
from forecasting.engine.fitted.shock import Shock
from forecasting.engine.timing import TimingClass
from forecasting.frames import LINE_ROW, Reporting
from forecasting.line_sources import RowSums, source_hash
from forecasting.lines import ARITHMETIC, compute_lines, rows_by_quarter
from forecasting.models import ForecastLine, LineSource
from forecasting.services.store_lines import UNKNOWN_SOURCE
from renewals.models import Renewal, Stage
from tests.cast import Cast, make_account, make_rate, make_renewal
from tests.forecasting.forecast_book import AS_OF, recompute

REPORT = Reporting(as_of=AS_OF, rates={"EUR": Decimal(1), "USD": Decimal("0.9")}, fiscal_start=2, team_of_owner={7: 1})
SHOCK = Shock(0.2, 8)


def make_book(cast: Cast) -> None:
    """Decided and open renewals over two years, of two owners in two currencies."""
    draw = random.Random(3)
    make_rate("USD", "0.9")
    accounts = [make_account(owner=owner) for owner in (cast.rep, cast.outsider)]
    for number in range(60):
        due_on = AS_OF + dt.timedelta(days=12 * number - 400)
        fields: dict[str, Any] = {"outcome": "open"}
        if due_on < AS_OF:
            fields = {"outcome": "renewed", "final_amount": draw.randint(900, 9_999), "ordered_on": due_on}
        account = draw.choice(accounts)
        make_renewal(
            owner=account.owner,
            account=account,
            due_on=due_on,
            baseline_amount=draw.randint(900, 9_999),
            currency=draw.choice(["EUR", "USD"]),
            **fields,
        )


def stored() -> list[dict[str, Any]]:
    lines = ForecastLine.objects.order_by("grain", "starts_on", "team", "owner", "segment")
    return [{name: value for name, value in line.items() if name != "id"} for line in lines.values()]


def versions() -> dict[tuple[Any, ...], str]:
    """Who wrote each line, and where it lies."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT grain, starts_on, team_id, owner_id, segment_id, (ctid, xmin)::text FROM forecasting_forecastline"
        )
        return {row[:-1]: row[-1] for row in cursor.fetchall()}


def from_nothing(as_of: dt.date) -> list[dict[str, Any]]:
    ForecastLine.objects.all().delete()
    recompute(as_of)
    return stored()


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def damage_first_line() -> None:
    execute(
        "UPDATE forecasting_forecastline SET due_amount = due_amount + 1 WHERE id ="
        " (SELECT min(id) FROM forecasting_forecastline)"
    )


def test_lines_of_what_is_as_it_was_are_not_looked_at(cast: Cast) -> None:
    make_book(cast)
    recompute()
    assert LineSource.objects.count() == 8
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("ALTER TABLE forecasting_forecastline DISABLE TRIGGER USER")
    damage_first_line()  # so that nobody can know
    execute("ALTER TABLE forecasting_forecastline ENABLE TRIGGER USER")
    before = stored()
    recompute()
    assert stored() == before


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE forecasting_forecastline SET due_amount = due_amount + 1",
        "UPDATE forecasting_forecastline SET p10_amount = 1, p90_amount = p90_amount + 7",
        "UPDATE forecasting_forecastline SET starts_on = starts_on + 3650",
        "DELETE FROM forecasting_forecastline WHERE owner_id IS NOT NULL",
        "INSERT INTO forecasting_forecastline SELECT * FROM jsonb_populate_record(NULL::forecasting_forecastline,"
        ' (SELECT to_jsonb(l) || \'{"id": 999999, "segment_id": null, "starts_on": "2027-11-01"}\''
        " FROM forecasting_forecastline l LIMIT 1))",
        "TRUNCATE forecasting_forecastline",
    ],
    ids=["update", "band", "moved", "delete", "insert", "truncate"],
)
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_lines_that_somebody_wrote_otherwise_are_put_right(cast: Cast, sql: str, role: str) -> None:
    make_book(cast)
    recompute()
    right = stored()
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute(f"SET LOCAL session_replication_role = {role}")
    execute(sql)
    execute("SET LOCAL session_replication_role = origin")
    assert stored() != right
    recompute()
    assert stored() == right


def change_rate(cast: Cast) -> None:
    make_rate("USD", "0.8", AS_OF)


def change_team(cast: Cast) -> None:
    User.objects.filter(pk=cast.outsider.pk).update(team=Team.objects.create(name="Another"))


def leave_team(cast: Cast) -> None:
    User.objects.filter(pk=cast.rep.pk).update(team=None)


def change_fiscal_year(cast: Cast) -> None:
    Company.objects.update(fiscal_year_start_month=3)


def change_decided_amount(cast: Cast) -> None:
    Renewal.objects.filter(pk=Renewal.objects.filter(outcome="renewed").latest("due_on").pk).update(final_amount=1)


def change_due_day(cast: Cast) -> None:
    Renewal.objects.filter(pk=Renewal.objects.filter(outcome="open").latest("due_on").pk).update(
        due_on=AS_OF + dt.timedelta(days=20)
    )


def change_segment(cast: Cast) -> None:
    account = Renewal.objects.filter(outcome="renewed").latest("due_on").account
    account.segment = Segment.objects.create(name="Another")
    account.save(update_fields=["segment"])


def exclude(cast: Cast) -> None:
    Renewal.objects.filter(pk=Renewal.objects.latest("due_on").pk).update(is_excluded=True, excluded_reason="A test")


def remove_last(cast: Cast) -> None:
    Renewal.objects.filter(due_on__gt=AS_OF + dt.timedelta(days=200)).delete()


def change_stage(cast: Cast) -> None:
    Renewal.objects.filter(outcome="open").update(stage=Stage.objects.get(name="Verbal yes"))


@pytest.mark.parametrize(
    "change",
    [
        change_rate,
        change_team,
        leave_team,
        change_fiscal_year,
        change_decided_amount,
        change_due_day,
        change_segment,
        exclude,
        remove_last,
        change_stage,
    ],
)
def test_lines_after_a_change_are_those_made_from_nothing(cast: Cast, change: Callable[[Cast], None]) -> None:
    make_book(cast)
    recompute()
    before = stored()
    change(cast)
    recompute()
    after = stored()
    assert after != before
    assert after == from_nothing(AS_OF)


def test_next_day_leaves_quarters_without_anything_open_alone(cast: Cast) -> None:
    make_book(cast)
    recompute()
    before, tomorrow = versions(), AS_OF + dt.timedelta(days=1)
    sources = dict(LineSource.objects.values_list("starts_on", "source_hash"))
    recompute(tomorrow)
    decided = dict(LineSource.objects.filter(starts_on__lt=dt.date(2026, 7, 1)).values_list("starts_on", "source_hash"))
    assert decided
    assert decided.items() <= sources.items()
    assert not decided.items() >= sources.items()
    after = versions()
    old = [key for key in before if key[1] < dt.date(2026, 7, 1)]
    assert old
    assert all(before[key] == after[key] for key in old)
    assert stored() == from_nothing(tomorrow)


def test_edit_takes_the_source_of_its_quarters_away(cast: Cast) -> None:
    make_book(cast)
    recompute()
    sources = set(LineSource.objects.values_list("starts_on", flat=True))
    renewal = Renewal.objects.filter(outcome="open").latest("due_on")
    Renewal.objects.filter(pk=renewal.pk).update(forecast_amount=123)
    services.score_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
    assert services.refresh_stale_months() == 1
    assert set(LineSource.objects.values_list("starts_on", flat=True)) == sources
    (gone,) = LineSource.objects.filter(source_hash=UNKNOWN_SOURCE).values_list("starts_on", flat=True)
    assert gone <= renewal.due_on
    assert (renewal.due_on - gone).days < 93
    recompute()
    assert set(LineSource.objects.values_list("starts_on", flat=True)) == sources
    assert stored() == from_nothing(AS_OF)


def test_edit_puts_the_bands_of_its_quarter_right_that_somebody_wrote_otherwise(cast: Cast) -> None:
    make_book(cast)
    recompute()
    right = stored()
    renewal = Renewal.objects.filter(outcome="open").latest("due_on")
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("UPDATE forecasting_forecastline SET p10_amount = 1")
    services.score_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
    services.refresh_stale_months()
    (ours,) = LineSource.objects.values_list("starts_on", flat=True)
    assert [line for line in stored() if line["starts_on"] >= ours] == [
        line for line in right if line["starts_on"] >= ours
    ]
    recompute()
    assert stored() == right


def drawn_rows(count: int) -> NDArray[Any]:
    draw = np.random.default_rng(5)
    rows = np.zeros(count, dtype=LINE_ROW)
    rows["month"] = draw.integers(677, 689, count)
    for name, high in (("owner", 9), ("segment", 3), ("currency", 2), ("timing", 9), ("category", 3)):
        rows[name] = draw.integers(0, high, count)
    rows["ordered"] = draw.integers(20_000, 21_000, count)
    for name in ("baseline", "amount", "mean_cents"):
        rows[name] = draw.integers(10_000, 9_000_000, count)
    rows["cross_sell"], rows["mean_upsell_cents"], rows["mean_cross_sell_cents"] = draw.integers(0, 5_000, (3, count))
    rows["probability"] = draw.random(count)
    for name in ("early", "on_time", "by_due", "by_30"):
        rows[name] = draw.integers(0, 30_000, count)
    return rows


def test_sums_of_rows_are_those_of_their_parts_in_any_order() -> None:
    rows = drawn_rows(500)
    whole = RowSums.of(rows)
    parts = np.array_split(rows[np.random.default_rng(1).permutation(rows.size)], 7)
    found = RowSums(0, 0, 0)
    for part in parts:
        found = found.plus(RowSums.of(part))
    assert found == whole
    assert whole.row_count == 500
    assert whole.open_count == np.count_nonzero(rows["timing"] <= 2)


@pytest.mark.parametrize("name", LINE_ROW.names)
def test_every_field_of_a_row_counts(name: str) -> None:
    rows = drawn_rows(50)
    before = RowSums.of(rows).hash
    rows[name][17] += 1
    assert RowSums.of(rows).hash != before


def test_two_rows_that_trade_a_figure_are_another_source() -> None:
    rows = drawn_rows(50)
    before = RowSums.of(rows).hash
    rows["baseline"][[3, 4]] = rows["baseline"][[4, 3]]
    assert RowSums.of(rows).hash != before


def test_day_and_shock_count_where_something_is_open() -> None:
    another_day = Reporting(AS_OF + dt.timedelta(days=1), REPORT.rates, REPORT.fiscal_start, REPORT.team_of_owner)
    swapped = Reporting(AS_OF, dict(reversed(REPORT.rates.items())), REPORT.fiscal_start, REPORT.team_of_owner)
    open_rows, decided = RowSums(9, 2, 5), RowSums(9, 0, 5)
    for report, shock in ((another_day, SHOCK), (REPORT, Shock(0.3, 8))):
        assert source_hash(open_rows, report, shock) != source_hash(open_rows, REPORT, SHOCK)
        assert source_hash(decided, report, shock) == source_hash(decided, REPORT, SHOCK)
    assert source_hash(decided, swapped, SHOCK) != source_hash(decided, REPORT, SHOCK)


def test_rows_by_quarter_are_all_rows() -> None:
    rows = drawn_rows(300)
    parts = rows_by_quarter(rows, 2)
    assert sum(part.size for part in parts.values()) == rows.size
    for quarter, part in parts.items():
        assert set(part["month"].tolist()) <= {quarter, quarter + 1, quarter + 2}
    assert {quarter % 3 for quarter in parts} == {1}
    assert rows_by_quarter(rows[:0], 2) == {}


def open_rows(month: int, segments: list[int]) -> NDArray[Any]:
    """All of them the same but for their segment; what one brings may vary."""
    rows = np.zeros(len(segments), dtype=LINE_ROW)
    rows["month"], rows["owner"], rows["segment"] = month, 7, segments
    rows["baseline"] = rows["amount"] = rows["mean_cents"] = 1_000_000
    rows["probability"], rows["spread"], rows["highest"] = 0.7, 50_000, 1_300_000
    return rows


@pytest.mark.parametrize(
    ("field", "value"),
    [("segment", 2), ("highest", 1_001_000), ("spread", 400_000), ("mean_cents", 900_000), ("probability", 0.6)],
)
def test_quantiles_are_taken_over_only_where_all_that_they_are_made_from_is_the_same(field: str, value: float) -> None:
    shock = Shock(0.2, 8, segment_size=0.3)
    rows = open_rows(684, [1, 1, 1, 2, 2, 2])
    before = compute_lines(rows, REPORT, shock=shock)
    rows[field] = value
    found = compute_lines(rows, REPORT, shock=shock, stored=before)
    afresh = compute_lines(rows, REPORT, shock=shock)
    assert (found["p90_amount"][:1] != before["p90_amount"][:1]).all()
    assert all((found[name] == afresh[name]).all() for name in afresh)


def test_month_and_quarter_of_the_same_open_rows_keep_quantiles_of_their_own() -> None:
    """November's rows are all that is open of a quarter that ends in January, further away than the next horizon."""
    shock = Shock(0.2, 8, by_horizon=(0.05, 0.1, 0.2, 0.3))
    rows = open_rows(682, [1, 1, 1, 1])
    before = compute_lines(rows, REPORT, shock=shock)
    bands = dict(zip(before["grain"].tolist(), (before["p90_amount"] - before["p10_amount"]).tolist(), strict=True))
    assert bands[0] < bands[1]
    decided = np.append(rows, rows[:1])
    decided["timing"][-1] = TimingClass.ON_TIME
    found = compute_lines(decided, REPORT, shock=shock, stored=before)
    afresh = compute_lines(decided, REPORT, shock=shock)
    assert all((found[name] == afresh[name]).all() for name in afresh)


def test_arithmetic_of_lines_has_its_number() -> None:
    """Lines that are stored are taken for right as long as this number is theirs.

    Where this fails because a figure of a line is another one now, on purpose: ARITHMETIC takes the next number, so
    that all lines are computed again after an upgrade, and the digest here is the one that is found.
    """
    lines = compute_lines(drawn_rows(2_000), REPORT, shock=SHOCK)
    digest = blake2b(digest_size=8)
    # The quantiles and their chance are floats until the last step; the libraries beneath them may change.
    for name in sorted(set(lines) - {"p10_amount", "p50_amount", "p90_amount", "chance_amount"}):
        digest.update(name.encode() + lines[name].astype(np.int64).tobytes())
    assert (ARITHMETIC, digest.hexdigest()) == (6, "f2dd7b2de3663896")

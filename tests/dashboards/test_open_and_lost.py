"""What is open and what was lost against the raw rows: over generated books, and after edits of every kind."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable, Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import numpy as np
import pytest
from django.db import connection, transaction

from accounts.exchange import read_rates
from accounts.models import Account, AccountHealth, AccountSignal, HealthBand, Segment, User
from dashboards.models import Level, OpenCell, OpenDay, OpenRenewal, RollUp, StaleCell
from dashboards.models.risk import DAY_SUMS, OPEN_SUMS
from dashboards.rollups import services
from dashboards.rollups.lost import KEYS, read_cells
from dashboards.rollups.services import bring_up_to_date, refresh_for_reader
from forecasting.engine.arrays import NO_ID
from forecasting.engine.payments import default_rates
from forecasting.frames import current_rules
from forecasting.periods import first_day
from forecasting.services import score_renewals
from renewals.models import ChurnReason, Contract, Renewal, Stage
from tests.cast import Cast
from tests.dashboards.books import draw_book
from tests.dashboards.oracle import GONE, LABELS, first_of, read_facts
from tests.dashboards.test_rollups import edit_by_sql
from tests.forecasting.forecast_book import AS_OF

OVER, UNDER, AGREED = 1, 2, 0


def cents(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_EVEN))


def default_rate_of(row: Renewal) -> float:
    """The newest of each signal of payment; what follows from them is tested elsewhere."""
    names = ("late_payment_days", "failed_payment_count", "chargeback_count")
    newest: dict[str, float] = dict.fromkeys(names, float("nan"))
    for signal in AccountSignal.objects.filter(account=row.account).order_by("measured_on"):
        newest |= {name: float(getattr(signal, name)) for name in names if getattr(signal, name) is not None}
    late, failed, chargebacks = (np.array([newest[name]]) for name in names)
    terms = current_rules().outlook.payments
    return float(
        default_rates(late_days=late, failed_count=failed, chargeback_count=chargebacks, terms=terms).astype(
            np.float32
        )[0]
    )


def raw_open() -> dict[int, dict[str, Any]]:
    """By renewal: what is stored of an open one, from the raw rows."""
    rates = read_rates(as_of=AS_OF)
    seen = Renewal.objects.filter(outcome="open", is_excluded=False, currency__in=rates, score__isnull=False)
    found = {}
    for row in seen.select_related("account", "score", "stage"):
        if LABELS[row.score.timing_class] == "lapsed":
            continue
        health = AccountHealth.objects.filter(account=row.account).first()
        terms = [
            row.score.mean_cents, row.score.mean_upsell_cents, row.score.mean_cross_sell_cents
        ]  # fmt: skip
        mean, upsell, cross_sell = (cents(term * rates[row.currency]) for term in terms)
        band, score = (health.band, health.score) if health else (None, None)
        probability = row.score.probability
        is_over = band == HealthBand.POOR and (row.stage.forecast_category == "commit" or probability >= 0.7)
        is_under = band == HealthBand.HEALTHY and probability < 0.5
        baseline = cents(row.baseline_amount * 100 * rates[row.currency])
        found[row.pk] = {
            "account_id": row.account_id,
            "owner_id": row.owner_id,
            "segment_id": row.account.segment_id,
            "due_on": row.due_on,
            "decision_on": row.decision_on,
            "risk_score": row.score.risk_score,
            "probability": probability,
            "health_score": score,
            "health_band": band,
            "side": OVER if is_over else UNDER if is_under else AGREED,
            "baseline_cents": baseline,
            "doubt_cents": round((1 - probability) * mean),
            "stake_cents": round((1 - probability) * baseline),
            "expected_cents": round(probability * mean),
            "collected_cents": round((1 - default_rate_of(row)) * round(probability * mean)),
            "grown_cents": round(probability * (upsell + cross_sell)),
        }
    return found


def scopes_of(owner_id: int | None) -> list[tuple[int, int | None, int | None]]:
    team_id = User.objects.get(pk=owner_id).team_id if owner_id else None
    return [(Level.BOOK, None, None), (Level.TEAM, team_id, None), (Level.OWNER, None, owner_id)]


def band_of(score: float | None) -> str:
    return "unscored" if score is None else "high" if score >= 40 else "medium" if score >= 25 else "low"


def sums_of(rows: Iterable[dict[str, Any]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    accounts = {}
    for row in rows:
        names = ["open", band_of(row["risk_score"])]
        names += ["poor"] if row["health_band"] == HealthBand.POOR else []
        names += {OVER: ["over"], UNDER: ["under"], AGREED: []}[row["side"]]
        for name in names:
            sums[f"{name}_count"] += 1
            sums[f"{name}_cents"] += row["baseline_cents"]
        accounts[row["account_id"]] = row["health_band"]
    words = {HealthBand.POOR: "poor", HealthBand.WATCH: "watch", HealthBand.HEALTHY: "healthy", None: "unknown"}
    for band in accounts.values():
        sums[f"{words[band]}_accounts"] += 1
    return {name: sums[name] for name in OPEN_SUMS}


def assert_open_is_true() -> None:
    raw = raw_open()
    names = ("account_id", "owner_id", "segment_id", *list(next(iter(raw.values()), {}))[3:])
    assert {row.renewal_id: {name: getattr(row, name) for name in names} for row in OpenRenewal.objects.all()} == raw
    expected: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in raw.values():
        for scope in scopes_of(row["owner_id"]):
            expected.setdefault((*scope, row["segment_id"]), []).append(row)
    stored = {
        (cell.level, cell.team_id, cell.owner_id, cell.segment_id): {name: getattr(cell, name) for name in OPEN_SUMS}
        for cell in OpenCell.objects.all()
    }
    assert stored == {key: sums_of(rows) for key, rows in expected.items()}
    by_day: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in raw.values():
        by_day.setdefault((row["due_on"], row["segment_id"]), []).append(row)
    days = {(day.due_on, day.segment_id): [getattr(day, name) for name in DAY_SUMS] for day in OpenDay.objects.all()}
    assert days == {key: [sums_of(rows)[name] for name in DAY_SUMS] for key, rows in by_day.items()}


def assert_lost_is_true() -> None:
    raw = {row.pk: row for row in Renewal.objects.select_related("contract")}
    expected: Counter[tuple[Any, ...]] = Counter()
    examples: dict[tuple[Any, ...], int] = {}
    for fact in sorted(read_facts(AS_OF), key=lambda fact: fact.pk):
        lost = fact.baseline if fact.timing in GONE else 0
        if fact.is_won:
            lost = max(fact.baseline - (fact.renewed - min(fact.cross_sell, fact.renewed)), 0)
        if lost:
            row = raw[fact.pk]
            key = (first_of(fact.due_on), fact.owner, fact.segment, row.churn_reason_id, row.contract.product)
            expected[*key, fact.is_won] += lost
            examples.setdefault((*key, fact.is_won), fact.pk)
    with connection.cursor() as cursor:
        cells = read_cells(cursor, dt.date.min, dt.date.max)
    rows = [
        dict(zip(cells, row, strict=True)) for row in zip(*(values.tolist() for values in cells.values()), strict=True)
    ]
    stored = {
        (first_day(cell["month"]), *(None if cell[name] == NO_ID else cell[name] for name in KEYS[1:4]),
         raw[cell["example_id"]].contract.product, cell["is_downsell"]): (cell["cents"], cell["example_id"])
        for cell in rows
    }  # fmt: skip
    assert len(rows) == len(stored)
    assert stored == {key: (amount, examples[key]) for key, amount in expected.items()}


def set_health(rng: random.Random, pk: int) -> None:
    """As the refresh writes it: with the triggers of keys off."""
    band = rng.choice([*HealthBand, None])
    score = None if band is None else float(rng.randint(0, 100))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "INSERT INTO accounts_accounthealth (account_id, score, band, completeness, contributions, changed_on)"
            " SELECT account_id, %s, %s, 1, '{}', %s FROM renewals_renewal WHERE id = %s"
            " ON CONFLICT (account_id) DO UPDATE SET score = excluded.score, band = excluded.band",
            [score, band, AS_OF, pk],
        )
        cursor.execute("SET LOCAL session_replication_role = origin")


def set_score(rng: random.Random, pk: int) -> None:
    """What an override of the likelihood does, among others: the row stays, its score is another."""
    Renewal.objects.filter(pk=pk).update(confidence=rng.choice([None, 5, 50, 95]))
    score_renewals(renewal_ids=[pk], as_of=AS_OF)


def set_reason(rng: random.Random, pk: int) -> None:
    reason = rng.choice([None, *ChurnReason.objects.all()])
    Renewal.objects.filter(pk=pk, outcome="lost").update(churn_reason=reason)


def set_payments(rng: random.Random, pk: int) -> None:
    account = Account.objects.get(renewals=pk)
    AccountSignal.objects.update_or_create(
        account=account,
        measured_on=AS_OF - dt.timedelta(days=rng.randint(0, 20)),
        defaults={"late_payment_days": rng.choice([None, 0, 30]), "failed_payment_count": rng.choice([None, 0, 3])},
    )


def edits_of_other_tables() -> list[Callable[[random.Random, int], object]]:
    return [
        set_health,
        set_score,
        set_reason,
        lambda rng, pk: Renewal.objects.filter(pk=pk).update(stage=rng.choice([*Stage.objects.all()])),
        lambda rng, pk: Renewal.objects.filter(pk=pk).update(notice_days=rng.randint(0, 120)),
        lambda rng, pk: Contract.objects.filter(renewals=pk).update(product=rng.choice(["", "Core", "core", "Other"])),
        lambda rng, pk: Account.objects.filter(renewals=pk).update(segment=rng.choice([None, *Segment.objects.all()])),
        set_payments,
        lambda _, pk: AccountHealth.objects.filter(account__renewals=pk).delete(),
    ]


@pytest.mark.parametrize("seed", range(3))
def test_what_is_added_up_stays_the_raw_rows_after_random_edits(cast: Cast, seed: int) -> None:
    ids = [renewal.pk for renewal in draw_book(cast, 400 + seed, count=50)]
    assert_open_is_true()
    assert_lost_is_true()
    rng = random.Random(500 + seed)
    for _ in range(6):
        for _ in range(rng.randint(1, 6)):
            if rng.random() < 0.4:
                edit_by_sql(rng, cast, ids)
            else:
                rng.choice(edits_of_other_tables())(rng, rng.choice(ids))
        assert bring_up_to_date()
        assert not StaleCell.objects.exists()
        assert_open_is_true()
        assert_lost_is_true()


def test_a_stage_that_counts_otherwise_has_everything_added_up_again(cast: Cast) -> None:
    made = draw_book(cast, 410)
    AccountHealth.objects.update(band=HealthBand.POOR)
    stage = Stage.objects.exclude(forecast_category="commit").first()
    assert stage is not None
    Renewal.objects.filter(pk__in=[row.pk for row in made]).update(stage=stage)
    assert bring_up_to_date()
    Stage.objects.filter(pk=stage.pk).update(forecast_category="commit")
    assert not refresh_for_reader()
    assert bring_up_to_date()
    assert_open_is_true()


def test_an_edit_of_a_score_leaves_the_sums_by_month_as_they_are(cast: Cast) -> None:
    """Pages made of those alone stay kept."""
    made = draw_book(cast, 411)
    before = RollUp.objects.get().rolled_up_at
    row = next(row for row in made if row.outcome == "open")
    score_renewals(renewal_ids=[row.pk], as_of=AS_OF)
    assert [*StaleCell.objects.values_list("month_on", "account_id")] == [(None, row.account_id)]
    assert refresh_for_reader()
    assert RollUp.objects.get().rolled_up_at == before


def test_no_page_waits_for_many_accounts(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_book(cast, 412)
    monkeypatch.setattr(services, "ACCOUNTS_AT_ONCE", 2)
    monkeypatch.setattr(services, "ACCOUNTS_APART", 3)
    accounts = [*Account.objects.filter(renewals__isnull=False).distinct()]
    StaleCell.objects.bulk_create(StaleCell(account_id=account.pk) for account in accounts)
    assert not refresh_for_reader()
    assert bring_up_to_date()
    assert refresh_for_reader()
    assert_open_is_true()


def test_the_rows_of_a_deleted_account_are_taken_off(cast: Cast) -> None:
    made = draw_book(cast, 413)
    row = next(row for row in made if row.outcome == "open" and row.due_on > AS_OF + dt.timedelta(days=1))
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM renewals_renewalscore WHERE renewal_id = %s", [row.pk])
        cursor.execute("DELETE FROM renewals_renewalquality WHERE renewal_id = %s", [row.pk])
        cursor.execute("DELETE FROM renewals_renewal WHERE id = %s", [row.pk])
    assert bring_up_to_date()
    assert_open_is_true()

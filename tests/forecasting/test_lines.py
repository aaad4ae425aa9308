"""Forecast lines against a plain oracle, row by row in Python, and by hand where that is short."""

import datetime as dt
import random
from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, connection
from django.db.models import F

from accounts.models import Company, Segment
from forecasting import services
from forecasting.engine.amounts import PRIOR_RATIOS, PRIOR_WEIGHTS
from forecasting.engine.distribution import distribute, quantiles_by_group
from forecasting.engine.order_timing import KNOTS
from forecasting.frames import current_rules, read_line_rows, read_reporting
from forecasting.frames.outlook import Outlook
from forecasting.lines import LISTED_ROWS, MOST_FREQUENCIES, NEGLIGIBLE, compute_lines
from forecasting.models import ForecastLine, Run, StaleMonth
from forecasting.services.store_lines import read_lines, replace_lines
from renewals.models import Renewal, Stage, TimingClass
from tests.cast import Cast, make_account, make_rate, make_renewal
from tests.forecasting.forecast_book import AS_OF, recompute

AMOUNTS = [field.name for field in ForecastLine._meta.concrete_fields if field.name.endswith("_amount")]
TOLERANCES = (30, 0, 60)
WON = {TimingClass.EARLY: "early", TimingClass.ON_TIME: "on_time", TimingClass.LATE: "late"}


def make_book(cast: Cast, count: int = 90) -> None:
    """Renewals of three owners in two segments and three currencies, in every class, some of them exceptions."""
    chance = random.Random(7)
    Company.objects.update(fiscal_year_start_month=2)
    make_rate("USD", "0.905")
    make_rate("JPY", "0.0061234")
    small = Segment.objects.create(name="Small")
    stages = list(Stage.objects.all())
    accounts = [
        make_account(owner=owner, **({"segment": segment} if segment else {}))
        for owner in (cast.rep, cast.team_mate, cast.outsider)
        for segment in (None, small)
    ]
    for _ in range(count):
        account = chance.choice(accounts)
        due_on = AS_OF + dt.timedelta(days=chance.randint(-500, 400))
        baseline = Decimal(chance.randint(0, 3_000_000)) / 100
        fields: dict[str, Any] = {"confidence": chance.choice([None, 30, 90])}
        if due_on < AS_OF and chance.random() < 0.85:
            if chance.random() < 0.3:
                fields |= {"outcome": "lost", "final_amount": 0, "declined_on": due_on}
            else:
                final = baseline * chance.choice([Decimal("0.8"), 1, Decimal("1.25")]) + Decimal("0.01")
                ordered_on = due_on + dt.timedelta(days=chance.choice([-60, -3, 40, 90]))
                fields |= {"outcome": "renewed", "final_amount": round(final, 2), "ordered_on": ordered_on}
        elif chance.random() < 0.6:
            fields["forecast_amount"] = round(baseline * chance.choice([Decimal("0.5"), Decimal("1.1")]), 2)
        if chance.random() < 0.2:
            fields["cross_sell_amount"] = Decimal("100.01")
        if chance.random() < 0.1:
            fields |= {"is_excluded": True, "excluded_reason": "Merged into another contract"}
        make_renewal(
            owner=account.owner,
            account=account,
            due_on=due_on,
            baseline_amount=baseline,
            currency=chance.choice(["EUR", "USD", "JPY"]),
            stage=chance.choice(stages),
            **fields,
        )


def split(baseline: Decimal, renewed: Decimal, cross_sell: Decimal) -> dict[str, Decimal]:
    cross_sell = min(cross_sell, renewed)
    same = renewed - cross_sell
    renewal = min(same, baseline)
    rest = baseline - renewal
    return {
        "renewal_amount": renewal,
        "upsell_amount": same - renewal,
        "cross_sell_amount": cross_sell,
        "downsell_amount": rest if renewed > 0 else Decimal(0),
        "churn_amount": Decimal(0) if renewed > 0 else rest,
    }


COLLECTED = Decimal(1) - Decimal(float(np.float32(0.02)))  # nothing is known of how these accounts pay


def outcomes_of(renewal: Renewal, outlook: Outlook) -> list[tuple[Decimal, Decimal]]:
    """(amount, its weight) of each outcome of an open renewal, the plain way; no contract here has a cap."""
    model, segment = outlook.amounts, renewal.account.segment_id
    place = [*model.segment_ids.tolist(), segment].index(segment)
    usual = renewal.baseline_amount * sum(
        Decimal(weight) * Decimal(ratio) for weight, ratio in zip(model.weights[place, 0], model.ratios[0], strict=True)
    )
    kind, reference = 0, renewal.baseline_amount
    if renewal.forecast_amount is not None:
        trust = Decimal(model.forecast_weight)
        kind, reference = 1, trust * renewal.forecast_amount + (1 - trust) * usual
    pairs = zip(model.ratios[kind], model.weights[place, kind], strict=True)
    return [(reference * Decimal(ratio), Decimal(weight)) for ratio, weight in pairs]


def order_shares_of(renewal: Renewal, outlook: Outlook) -> dict[str, Decimal]:
    """When an open renewal will be ordered, the plain way; the default policy: early before -30, late to 60 days."""
    segment = renewal.account.segment_id
    past = [
        ((other.ordered_on - other.due_on).days, other.due_on)
        for other in renewal.account.renewals.filter(score__timing_class__in=WON)
        if other.ordered_on is not None
    ]
    past.sort(key=lambda order: (order[1], order[0]))
    delays = [delay for delay, _ in past] + [delay for delay, _ in past[-1:]] * 5  # few orders
    place = [*outlook.order_timing.segment_ids.tolist(), segment].index(segment)

    def share(day: int) -> float:
        mix = float(np.interp(day, KNOTS, outlook.order_timing.shares[place]))
        return (sum(delay <= day for delay in delays) + 5 * mix) / (len(delays) + 5)

    age = (AS_OF - renewal.due_on).days
    early, grace, late = TOLERANCES
    gone = share(age - 1)

    def by(day: int) -> float:
        if day < age:
            return 0.0
        return 1.0 if day >= late else (share(day) - gone) / (share(late) - gone)

    shares = {"early": by(-early - 1), "on_time": by(grace) - by(-early - 1), "late": 1 - by(grace)}
    shares |= {"by_due": by(0), "by_30": by(30), "by_60": by(60), "by_90": by(90)}
    return {name: Decimal(value) for name, value in shares.items()}


def oracle_of(renewal: Renewal, period_end: dt.date, outlook: Outlook) -> dict[str, Decimal]:
    """What one renewal brings to a line, in its own currency; domain sections 4.2 and 4.3, the plain way."""
    timing, probability = TimingClass(renewal.score.timing_class), Decimal(repr(renewal.score.probability))
    baseline = renewal.baseline_amount
    found: dict[str, Decimal] = defaultdict(Decimal)
    found |= {"due_count": Decimal(1), "due_amount": baseline}
    if timing <= TimingClass.OVERDUE:
        forecast = baseline if renewal.forecast_amount is None else renewal.forecast_amount
        found |= {"open_count": Decimal(1), "open_amount": baseline}
        if timing == TimingClass.OVERDUE:
            found |= {"overdue_count": Decimal(1), "overdue_amount": baseline}
        if renewal.stage.forecast_category != "omitted":
            found[f"{renewal.stage.forecast_category}_amount"] = forecast
        means: dict[str, Decimal] = defaultdict(Decimal)
        for amount, weight in outcomes_of(renewal, outlook):
            for name, part in split(baseline, amount, renewal.cross_sell_amount).items():
                means[name] += weight * part
        means = {name: in_cents(mean) for name, mean in means.items()}
        kept, upsell, across = (means[f"{name}_amount"] for name in ("renewal", "upsell", "cross_sell"))
        brought, grown = weigh(probability, kept + upsell + across), weigh(probability, upsell + across)
        found |= {"expected_amount": brought, "expected_renewal_amount": brought - grown}
        found["expected_cross_sell_amount"] = weigh(probability, across)
        found["expected_upsell_amount"] = grown - found["expected_cross_sell_amount"]
        found["expected_downsell_amount"] = weigh(probability, baseline - kept) if brought else Decimal(0)
        found["expected_churn_amount"] = baseline - (brought - grown) - found["expected_downsell_amount"]
        found["collected_amount"] = weigh(COLLECTED, brought)
        for name, share in order_shares_of(renewal, outlook).items():
            found[f"expected_{name}_amount"] = share * found["expected_renewal_amount"]
        return found
    final = renewal.final_amount or Decimal(0)
    kept = min(final, baseline)
    if timing in WON:
        found |= {"won_count": Decimal(1), "won_amount": final, "won_baseline_amount": kept, "expected_amount": final}
        found["collected_amount"] = weigh(COLLECTED, final)
        found |= {f"{WON[timing]}_count": Decimal(1), f"{WON[timing]}_amount": kept}
        if renewal.ordered_on is not None and renewal.ordered_on <= period_end:
            found["in_period_amount"] = kept
        return {**found, **split(baseline, final, renewal.cross_sell_amount)}
    found |= {"lost_count": Decimal(1), "lost_amount": baseline, "churn_amount": baseline}
    if timing == TimingClass.WIN_BACK:
        found |= {"win_back_count": Decimal(1), "win_back_amount": kept}
    return found


def in_cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_EVEN)


def weigh(probability: Decimal, amount: Decimal) -> Decimal:
    """What a row is expected to bring: whole cents."""
    return in_cents(probability * amount)


def oracle_lines() -> dict[tuple[Any, ...], dict[str, Decimal]]:
    """Every line, but for its quantiles, by (grain, start, team, owner, segment); each currency rounded by itself."""
    rates = {"EUR": Decimal(1), "USD": Decimal("0.905"), "JPY": Decimal("0.0061234")}
    sums: dict[tuple[Any, ...], dict[tuple[str, str], Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    outlook = Outlook.of_run(Run.objects.latest_published())
    for renewal in Renewal.objects.filter(is_excluded=False).select_related("score", "stage", "owner", "account"):
        month = renewal.due_on.replace(day=1)
        quarter = (month - dt.timedelta(days=31 * ((month.month - 2) % 3) - 15)).replace(day=1)
        if (month.month - 2) % 3 == 0:
            quarter = month
        assert renewal.owner is not None
        team, owner, segment = renewal.owner.team_id, renewal.owner_id, renewal.account.segment_id
        for grain, start, months in (("month", month, 1), ("quarter", quarter, 3)):
            end = (start + dt.timedelta(days=31 * months + 3)).replace(day=1) - dt.timedelta(days=1)
            for scope in (
                (None, None, None),
                (None, None, segment),
                (team, None, None),
                (team, None, segment),
                (None, owner, None),
            ):
                for name, amount in oracle_of(renewal, end, outlook).items():
                    sums[(grain, start, *scope)][name, renewal.currency] += amount
    lines: dict[tuple[Any, ...], dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for key, of_currency in sums.items():
        for (name, currency), amount in of_currency.items():
            lines[key][name] += in_cents(amount * rates[currency]) if "amount" in name else amount
    return lines


def stored_lines() -> dict[tuple[Any, ...], ForecastLine]:
    return {
        (line.grain, line.starts_on, line.team_id, line.owner_id, line.segment_id): line
        for line in ForecastLine.objects.all()
    }


def test_lines_equal_a_plain_sum_of_the_rows(cast: Cast) -> None:
    make_book(cast)
    recompute()
    expected, found = oracle_lines(), stored_lines()
    assert set(found) == set(expected)
    counts = [name for name in (field.name for field in ForecastLine._meta.concrete_fields) if name.endswith("_count")]
    for key, line in found.items():
        for name in [*counts, *AMOUNTS]:
            if name.startswith("p") or name == "chance_amount":
                continue
            value = expected[key].get(name, Decimal(0))
            if name.startswith("expected_") or name == "collected_amount":
                # Binary fractions on the way, and chances to a 60,000th: a row may be rounded to the other cent.
                room = max(Decimal("0.0301"), line.expected_renewal_amount / 60_000)
                assert getattr(line, name) == pytest.approx(value, abs=room), (key, name)
            else:
                assert getattr(line, name) == value.quantize(Decimal("0.01"), ROUND_HALF_EVEN), (key, name)


def test_decided_amounts_add_up_to_the_cent(cast: Cast) -> None:
    make_book(cast)
    recompute()
    Company.objects.update(reporting_currency="EUR")
    for line in ForecastLine.objects.filter(grain="quarter"):
        decided = line.due_amount - line.open_amount
        made = decided + line.upsell_amount + line.cross_sell_amount - line.downsell_amount - line.churn_amount
        # Each figure is rounded once from its own exact sum, so the seven of them may differ by their halves of a cent.
        assert abs(made - line.won_amount) <= Decimal("0.03"), line


def test_decided_amounts_add_up_exactly_in_one_currency(cast: Cast) -> None:
    make_book(cast)
    Renewal.objects.update(currency="EUR")
    recompute()
    for line in ForecastLine.objects.annotate(
        made=F("due_amount")
        - F("open_amount")
        + F("upsell_amount")
        + F("cross_sell_amount")
        - F("downsell_amount")
        - F("churn_amount")
    ):
        assert line.made == line.won_amount  # type: ignore[attr-defined]


def test_band_is_the_distribution_of_the_open_rows_made_wider(cast: Cast) -> None:
    """Without history amounts, shock and rate are the stated ones; worked from the formula of `widen`."""
    for number, confidence in enumerate((20, 55, 90)):
        make_renewal(owner=cast.rep, baseline_amount=Decimal(1000 * (number + 1)), confidence=confidence)
    recompute()
    rows = Renewal.objects.select_related("score").order_by("pk")
    p, cents = (
        np.array([row.score.probability for row in rows]),
        np.array([int(row.baseline_amount * 100) for row in rows]),
    )
    exact = distribute(p, cents)
    spread = float(PRIOR_WEIGHTS @ PRIOR_RATIOS**2 - 1)  # of a ratio of 1 on average
    wins = p * (1 - p) * cents
    # Nothing is decided either, so the rate of all is unknown by 0.8.
    shared = (0.175**2 + 0.8**2) * wins.sum() ** 2
    growth = np.sqrt(1 + (shared + (p * spread * cents**2).sum()) / (wins @ cents))
    line = ForecastLine.objects.get(grain="month", team=None, owner=None, segment=None)
    bands = [line.p10_amount, line.p50_amount, line.p90_amount]
    for band, known in zip(bands, (exact.p10, exact.p50, exact.p90), strict=True):
        wide = np.clip(exact.mean + (known - exact.mean) * growth, 0, cents.sum() * PRIOR_RATIOS.max())
        assert float(band) * 100 == pytest.approx(wide, abs=1)
    chance = np.sqrt((wins * cents + p * spread * cents**2.0).sum())
    assert float(line.chance_amount) * 100 == pytest.approx(chance, rel=1e-4)


@pytest.mark.parametrize("rows", [12, 18, 40, 130, 600])
def test_limits_for_many_lines_move_a_band_by_little(rows: int) -> None:
    random_source = np.random.default_rng(rows)
    groups = 25
    codes = np.repeat(np.arange(groups), rows)
    probability = random_source.beta(6, 2, codes.size)
    amounts = random_source.lognormal(13, 1.2, codes.size).astype(np.int64) + 1
    exact = quantiles_by_group(codes, probability, amounts, groups)
    quick = quantiles_by_group(
        codes,
        probability,
        amounts,
        groups,
        listed_rows=LISTED_ROWS,
        most_frequencies=MOST_FREQUENCIES,
        negligible=NEGLIGIBLE,
    )
    width = exact.p90 - exact.p10
    moved = np.array([np.abs(getattr(quick, level) - getattr(exact, level)) / width for level in ("p10", "p50", "p90")])
    assert moved.mean() < 0.01
    assert moved.max() < 0.06


def test_renewals_without_a_rate_are_named(cast: Cast) -> None:
    make_renewal(owner=cast.rep)
    make_renewal(owner=cast.rep, currency="CHF")
    make_renewal(owner=cast.rep, currency="CHF")
    make_renewal(owner=cast.rep, currency="SEK")
    run = recompute()
    assert run.message == "Renewals in a currency without a rate are in no forecast: 2 in CHF, 1 in SEK."
    assert ForecastLine.objects.get(grain="month", team=None, owner=None, segment=None).due_count == 1


def test_live_lines_of_a_scope_equal_stored_ones(cast: Cast) -> None:
    make_book(cast)
    recompute()
    report, rules = read_reporting(as_of=AS_OF), current_rules()
    with connection.cursor() as cursor:
        rows, _ = read_line_rows(cursor, rules, report, "r.owner_id = %s", [cast.rep.pk])
    lines = compute_lines(rows, report, shock=rules.outlook.shock, with_scopes=False)
    stored = ForecastLine.objects.filter(owner=cast.rep).order_by("grain", "starts_on")
    order = np.lexsort((lines["month"], lines["grain"]))
    for name in AMOUNTS:
        assert [int(getattr(line, name) * 100) for line in stored] == lines[name][order].tolist(), name


def test_edit_is_in_the_lines_after_the_next_refresh(cast: Cast) -> None:
    make_book(cast)
    recompute()
    renewal = Renewal.objects.filter(outcome="open", is_excluded=False, due_on__gt=AS_OF).first()
    assert renewal is not None
    # Still open, so that the next run learns nothing new.
    Renewal.objects.filter(pk=renewal.pk).update(
        forecast_amount=Decimal(77_777), due_on=renewal.due_on + dt.timedelta(days=70), owner=cast.outsider
    )
    services.score_renewals(renewal_ids=[renewal.pk], as_of=AS_OF)
    assert services.refresh_stale_months() > 0
    refreshed = list(ForecastLine.objects.order_by("grain", "starts_on", "team", "owner", "segment").values(*AMOUNTS))
    assert not StaleMonth.objects.exists()
    ForecastLine.objects.all().delete()
    recompute()
    assert refreshed == list(
        ForecastLine.objects.order_by("grain", "starts_on", "team", "owner", "segment").values(*AMOUNTS)
    )


def test_unchanged_lines_are_left_alone(cast: Cast) -> None:
    make_book(cast)
    recompute()
    before = list(ForecastLine.objects.order_by("pk").values())
    recompute()
    assert list(ForecastLine.objects.order_by("pk").values()) == before


def test_lines_outside_the_stored_years_are_not_made(cast: Cast) -> None:
    make_renewal(owner=cast.rep, due_on=dt.date(2023, 9, 30))
    make_renewal(owner=cast.rep, due_on=dt.date(2023, 10, 1))
    make_renewal(owner=cast.rep, due_on=dt.date(2028, 12, 31))
    make_renewal(owner=cast.rep, due_on=dt.date(2029, 1, 1))
    recompute()
    starts = ForecastLine.objects.filter(grain="month", team=None, owner=None, segment=None).values_list("starts_on")
    assert sorted(starts) == [(dt.date(2023, 10, 1),), (dt.date(2028, 12, 1),)]


@pytest.mark.parametrize("name", ["owner_id", "team_id", "segment_id"])
def test_line_of_one_who_is_gone_is_refused(cast: Cast, name: str) -> None:
    make_book(cast)
    recompute()
    with connection.cursor() as cursor:
        stored = read_lines(cursor)
        gone = {**stored, name: np.where(stored[name] == stored[name].max(), 999_999, stored[name])}
        assert replace_lines(cursor, gone, stored=stored) > 0
        with pytest.raises(IntegrityError, match=name):
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

"""Money before and now, and whether plans work: against reference values worked out by hand."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import Segment, User
from engagement.models import PeerStanding, Plan, PlanKind
from engagement.plans.effect import read_effect
from engagement.plans.matching import Cell, compare
from engagement.plans.reading import Asked, count_overdue, find_plans, load_rows
from engagement.plans.verdict import read_comparison, verdict
from renewals.models import RenewalScore
from tests.cast import Cast, make_account
from tests.engagement.plans.plan_book import decide, make_playbook, make_scored, run_rules, today

RATES = {"EUR": Decimal(1), "USD": Decimal("0.5")}


def test_before_is_frozen_and_now_moves(cast: Cast) -> None:
    make_playbook(cast)
    better, lost, won, dollars, francs = (
        make_scored(cast.rep, currency=currency) for currency in ("EUR", "EUR", "EUR", "USD", "CHF")
    )
    run_rules()
    RenewalScore.objects.filter(pk=better.pk).update(probability=0.9)
    decide(lost, "lost")
    decide(won, "renewed")
    rows = {row.plan.renewal_id: row for row in load_rows(Plan.objects.all(), as_of=today())}
    # 12,000 x 80 % x 98 % before; 12,000 x 90 % x 98 %, nothing and 12,000 x 98 % now.
    assert {row.before_amount for row in rows.values()} == {Decimal(9408)}
    assert [rows[row.pk].now_amount for row in (better, lost, won, dollars)] == [
        Decimal(10584), Decimal(0), Decimal(11760), Decimal(9408),
    ]  # fmt: skip
    effect = read_effect(Plan.objects.all(), RATES)
    assert (effect.plan_count, effect.before_amount, effect.now_amount, effect.without_rate) == (
        5, Decimal("32928.00"), Decimal("27048.00"), ["CHF"],
    )  # fmt: skip
    assert effect.change_amount == Decimal(-5880)
    assert francs.currency == "CHF"


def test_filters_of_the_list(cast: Cast) -> None:
    make_playbook(cast)
    near, far = make_scored(cast.rep, days=20), make_scored(cast.rep, days=90)
    mates, theirs = make_scored(cast.team_mate, days=50), make_scored(cast.outsider, days=60)
    run_rules()

    def listed(user: User, days: int = 0, **asked: str) -> list[int]:
        return [plan.renewal_id for plan in find_plans(user, Asked(**asked), as_of=today() + dt.timedelta(days=days))]

    assert listed(cast.admin) == [near.pk, mates.pk, theirs.pk, far.pk]
    assert listed(cast.rep) == [near.pk, mates.pk, far.pk]
    assert listed(cast.rep, whose="mine") == [near.pk, far.pk]
    assert listed(cast.manager, whose="mine") == [near.pk, mates.pk, far.pk]  # each has a step of hers
    assert listed(cast.auditor, whose="team") == listed(cast.auditor)
    assert listed(cast.rep, kind="protect") == []
    assert listed(cast.outsider, state="overdue") == []
    assert listed(cast.outsider, days=3, state="overdue") == [theirs.pk]
    assert count_overdue(find_plans(cast.rep, Asked(), as_of=today()), as_of=today() + dt.timedelta(days=3)) == 4
    Plan.objects.filter(renewal=far).update(closed_at=dt.datetime.now(dt.UTC), outcome="dropped")
    assert (listed(cast.rep, state="closed"), len(listed(cast.rep, state="all"))) == ([far.pk], 3)


def test_difference_within_cells_by_hand() -> None:
    cells = [
        Cell("Large", "high", 3, with_count=30, with_renewed=24, without_count=20, without_renewed=12),
        Cell("Small", "low", 3, with_count=10, with_renewed=9, without_count=50, without_renewed=48),
        Cell("Small", "high", 3, with_count=4, with_renewed=1, without_count=0, without_renewed=0),
    ]
    found = compare(cells)
    assert (found.with_count, found.without_count, found.unmatched_count) == (40, 70, 4)
    # 33 / 40 with; 3/4 x 12/20 + 1/4 x 48/50 without.
    assert (found.with_rate, found.without_rate) == (0.825, pytest.approx(0.69))
    # Variances by (x + 1) / (n + 2): 25/32, 13/22, 10/12, 49/52.
    variance = (9 / 16) * (25 / 32 * 7 / 32 / 32 + 13 / 22 * 9 / 22 / 22)
    variance += (1 / 16) * (10 / 12 * 2 / 12 / 12 + 49 / 52 * 3 / 52 / 52)
    assert found.difference == pytest.approx(0.135)
    assert found.lowest == pytest.approx(0.135 - 1.959964 * variance**0.5)
    assert found.highest == pytest.approx(0.135 + 1.959964 * variance**0.5)
    assert not found.is_clear
    assert verdict(found)[0] == (
        "Renewed 13.5 points more often (95 % interval −6.1 to +33.1 points; 40 with a plan, 70 like them without):"
        " no more than chance could do."
    )


def test_too_few_tell_nothing() -> None:
    found = compare([Cell("Large", "high", 3, 19, 19, 100, 10)])
    assert (found.with_rate, found.difference, found.is_told) == (None, None, False)
    assert verdict(found)[0] == (
        "Too few to tell: 19 with a plan, 100 like them without. It takes 20 decided renewals on either side."
    )
    assert verdict(compare([])) == ["No renewal with such a plan is decided yet, so there is nothing to compare."]


def test_clear_difference_is_told_with_what_may_explain_it() -> None:
    found = compare([Cell("Large", "high", 3, 100, 90, 100, 50), Cell("Small", "", 0, 2, 2, 0, 0)])
    first, second, third = verdict(found)
    assert first.endswith("more than chance alone would do.")
    assert second == "2 more with a plan had nobody like them without one, and count nothing here."
    assert third.startswith("Plans are not dealt out by chance")


def test_compared_are_the_decided_of_the_same_cell(cast: Cast) -> None:
    segment = Segment.objects.create(name="Large")

    def row(risk: float) -> int:
        return make_scored(cast.rep, account=make_account(owner=cast.rep, segment=segment), risk=risk).pk

    make_playbook(cast, risk_from=40)
    kept, gone, still = (row(50) for _ in "abc")
    like, unlike = (row(risk) for risk in (39, 10))
    plans = run_rules()
    assert sorted(plan.renewal_id for plan in plans) == [kept, gone, still]
    # Seen by the pass in its band; one of them was in the band of the plans when it was seen.
    PeerStanding.objects.filter(renewal=like).update(band="high")
    for plan in plans[:2]:
        decide(plan.renewal, "renewed" if plan.renewal_id == kept else "lost")
    for standing in PeerStanding.objects.filter(renewal__in=[like, unlike]):
        decide(standing.renewal, "renewed")
    found = read_comparison(cast.rep, PlanKind.RENEWAL)
    assert found.cells == [Cell("Large", "high", 3, 2, 1, 1, 1)]
    assert read_comparison(cast.outsider, PlanKind.RENEWAL).cells == []
    assert read_comparison(cast.admin, PlanKind.PROTECT).cells == []


def test_whose_plans_are_offered_is_what_the_reader_can_have(cast: Cast) -> None:
    for role, offered in (("rep", ["mine", "team"]), ("viewer", ["team"]), ("auditor", []), ("admin", ["mine"])):
        response = cast.client_of(role).get(reverse("plans:list"))
        assert (role, list(response.context["whose"])) == (role, offered)

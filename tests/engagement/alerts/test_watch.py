"""Each cause is found once, told to those who may know of it, and again only when it came back or grew worse."""

import datetime as dt
import zoneinfo
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AccountSignal, Company, Ticket, get_company
from accounts.templatetags.money import SPACE
from accounts.touches.people import add_contact, edit_contact
from engagement.alerts.recipients import next_digest
from engagement.alerts.services import mute_rule, save_rule
from engagement.alerts.watch import look_for_causes
from engagement.alerts.words import RELATED, detail_of, subject_of
from engagement.models import Alert, AlertRule, GroundedRule, Notification, RiskMark, Subscription
from forecasting.models import ForecastLine, FreshScore, Target
from renewals.models import Renewal, RenewalScore
from renewals.scoring import scoring
from renewals.services import update_renewal
from tests.cast import Cast, make_account, make_rate, make_renewal
from tests.forecasting.forecast_book import recompute

Kind = AlertRule.Kind


def today() -> dt.date:
    return get_company().today()


def in_days(days: int) -> dt.date:
    return today() + dt.timedelta(days=days)


@pytest.fixture
def grounded(cast: Cast) -> Cast:
    """Every rule has looked once, at an empty book."""
    assert look_for_causes() == 0
    assert GroundedRule.objects.count() == AlertRule.objects.count() == 7
    return cast


def open_alerts(kind: str) -> list[tuple[int | None, str]]:
    company = get_company()
    alerts = Alert.objects.open().filter(rule__kind=kind).select_related(*RELATED).order_by("pk")
    return [(alert.renewal_id, detail_of(alert, company)) for alert in alerts]


def told(channel: str = "app") -> set[str]:
    return set(Notification.objects.filter(channel=channel).values_list("user__name", flat=True))


def scored(renewal: Renewal, **values: Any) -> Renewal:
    """The renewal with a score that says this, as an edit would have left it."""
    scoring().score_renewals([renewal.pk], as_of=today())
    RenewalScore.objects.filter(pk=renewal.pk).update(**values)
    return renewal


def test_decision_that_comes_near_is_told_once_and_again_a_week_nearer(grounded: Cast) -> None:
    renewal = make_renewal(owner=grounded.rep, due_on=in_days(45), notice_days=30)
    assert look_for_causes() == 0
    assert look_for_causes(now=timezone.now() + dt.timedelta(days=1)) == 1
    assert open_alerts(Kind.DECISION_NEAR) == [(renewal.pk, f"The customer decides by {in_days(15):%d %b %Y}")]
    assert told() == {"Rhea Rep", "Mona Manager"}
    for days in (1, 2, 7):
        assert look_for_causes(now=timezone.now() + dt.timedelta(days=days)) == 0
    assert look_for_causes(now=timezone.now() + dt.timedelta(days=8)) == 1
    assert list(Alert.objects.order_by("pk").values_list("is_worse", "level")) == [(True, 0), (False, 7)]
    Renewal.objects.filter(pk=renewal.pk).update(outcome="renewed", ordered_on=today(), final_amount=1)
    assert look_for_causes() == 0
    assert open_alerts(Kind.DECISION_NEAR) == []


def test_what_was_so_when_a_rule_began_is_recorded_and_told_to_nobody(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, due_on=in_days(3))
    assert look_for_causes() == 0
    assert Alert.objects.get().is_quiet
    assert not Notification.objects.exists()
    Renewal.objects.filter(pk=renewal.pk).update(due_on=in_days(300))
    assert look_for_causes() == 0
    Renewal.objects.filter(pk=renewal.pk).update(due_on=in_days(3))
    assert look_for_causes() == 1  # it went away and came back
    assert told() == {"Rhea Rep", "Mona Manager"}


def test_changed_rule_begins_anew_and_one_switched_off_ends_its_alerts(grounded: Cast) -> None:
    rule = AlertRule.objects.get(kind=Kind.DECISION_NEAR)
    near, far = (make_renewal(owner=grounded.rep, due_on=in_days(days)) for days in (10, 40))
    assert look_for_causes() == 1
    rule.parameters = {"days": 50}
    save_rule(by=grounded.admin, rule=rule)
    assert look_for_causes() == 0
    assert list(Alert.objects.order_by("pk").values_list("renewal", "is_quiet")) == [(near.pk, False), (far.pk, True)]
    rule.is_active = False
    save_rule(by=grounded.admin, rule=rule)
    look_for_causes()
    assert not Alert.objects.open().exists()
    events = rule.events.order_by("pgh_id")  # type: ignore[attr-defined]
    assert [event.parameters for event in events] == [{"days": 14, "step": 7}, {"days": 50}]


def test_overdue_is_told_past_grace_and_again_after_two_weeks(grounded: Cast) -> None:
    renewal = scored(make_renewal(owner=grounded.rep, due_on=in_days(-1)), timing_class=2)
    make_renewal(owner=grounded.rep, due_on=in_days(-1))  # not judged overdue
    AlertRule.objects.exclude(kind=Kind.OVERDUE).update(is_active=False)
    assert look_for_causes() == 1
    assert open_alerts(Kind.OVERDUE) == [(renewal.pk, f"Due since {in_days(-1):%d %b %Y}, 1 day past due")]
    assert look_for_causes(now=timezone.now() + dt.timedelta(days=13)) == 0
    assert look_for_causes(now=timezone.now() + dt.timedelta(days=14)) == 1
    scored(renewal, timing_class=3)  # lapsed: no longer overdue
    assert look_for_causes() == 0
    assert open_alerts(Kind.OVERDUE) == []


def test_risk_that_jumps_is_told_against_its_lowest_and_again_when_it_grows(grounded: Cast) -> None:
    renewal = scored(make_renewal(owner=grounded.rep, due_on=in_days(200)), risk_score=30.0)
    assert look_for_causes() == 0
    for risk, count in ((22.0, 0), (33.9, 0), (34.0, 1), (39.0, 0), (44.0, 1), (30.0, 0)):
        scored(renewal, risk_score=risk)
        assert look_for_causes() == count
        assert not FreshScore.objects.exists()
    assert open_alerts(Kind.RISK_JUMP) == []
    details = [detail_of(alert, get_company()) for alert in Alert.objects.select_related(*RELATED).order_by("pk")]
    since = f"{today():%d %b %Y}"
    assert details == [f"Risk 34, up from 22 on {since}", f"Risk 44, up from 22 on {since}"]
    mark = RiskMark.objects.get()
    assert (mark.reference_risk, mark.risk, mark.jump, mark.peak_jump, mark.peak_risk) == (22, 30, 8, 22, 44)


def test_risk_that_crept_up_slower_than_the_window_is_no_jump(grounded: Cast) -> None:
    renewal = scored(make_renewal(owner=grounded.rep, due_on=in_days(200)), risk_score=30.0)
    look_for_causes()
    scored(renewal, risk_score=41.0)
    assert look_for_causes(now=timezone.now() + dt.timedelta(days=31)) == 0
    mark = RiskMark.objects.get()
    assert (mark.reference_risk, mark.jump, mark.peak_jump) == (41, 0, 0)
    assert mark.reference_on == in_days(31)


def test_run_shows_every_jump_and_clears_what_is_no_longer_open(grounded: Cast) -> None:
    renewal, other = (make_renewal(owner=grounded.rep, due_on=in_days(200)) for _ in range(2))
    recompute(today())
    look_for_causes()
    assert RiskMark.objects.count() == 2
    RiskMark.objects.filter(pk=renewal.pk).update(reference_risk=0, risk=0)
    RenewalScore.objects.filter(pk=renewal.pk).update(risk_score=60.0)
    Renewal.objects.filter(pk=other.pk).update(outcome="lost", final_amount=0)
    assert look_for_causes() == 0  # an edit that nobody scored
    run = recompute(today())
    RenewalScore.objects.filter(pk=renewal.pk).update(risk_score=60.0)
    assert run.pk
    assert look_for_causes() == 1
    assert [pk for pk, _ in open_alerts(Kind.RISK_JUMP)] == [renewal.pk]
    assert RiskMark.objects.count() == 1


def test_severe_ticket_is_told_to_each_owner_whose_renewal_is_due_soon(grounded: Cast) -> None:
    account = make_account(owner=grounded.rep, name="Halden")
    first = make_renewal(owner=grounded.rep, account=account, due_on=in_days(60))
    make_renewal(owner=grounded.rep, account=account, due_on=in_days(90))
    theirs = make_renewal(owner=grounded.outsider, account=account, due_on=in_days(100))
    ticket = Ticket.objects.create(
        account=account, external_id="T-1", severity="high", opened_on=today(), subject="Cannot sign in"
    )
    Ticket.objects.create(account=account, external_id="T-2", severity="normal", opened_on=today())
    assert look_for_causes() == 2
    opened, due = f"{today():%d %b %Y}", f"{in_days(60):%d %b %Y}"
    assert open_alerts(Kind.SEVERE_TICKET)[0] == (
        first.pk,
        f"High ticket T-1: Cannot sign in, open since {opened}; due {due}",
    )
    pairs = set(Notification.objects.values_list("alert__renewal", "user__name"))
    assert pairs == {
        (first.pk, "Rhea Rep"),
        (first.pk, "Mona Manager"),
        (theirs.pk, "Otto Outsider"),
        (theirs.pk, "Olga Manager"),
    }
    Ticket.objects.filter(pk=ticket.pk).update(severity="urgent")
    assert look_for_causes() == 2
    Ticket.objects.filter(pk=ticket.pk).update(resolved_on=today())
    assert look_for_causes() == 0
    assert not Alert.objects.open().exists()


def test_champion_who_left_is_told_by_people_and_by_import_and_ends_with_a_new_one(grounded: Cast) -> None:
    renewal = make_renewal(owner=grounded.rep, due_on=in_days(200))
    account_id = renewal.account_id
    values = {"name": "Carla Champion", "is_champion": True}
    contact = add_contact(account_id=account_id, user=grounded.rep, values=values, today=today())
    assert look_for_causes() == 0
    edit_contact(contact=contact, user=grounded.rep, values={"left_on": today()}, today=today())
    assert look_for_causes() == 1
    (found,) = open_alerts(Kind.CHAMPION_LEFT)
    known, due = f"{today():%d %b %Y}", f"{in_days(200):%d %b %Y}"
    assert found == (renewal.pk, f"Carla Champion, the champion, has left, known since {known}; due {due}")
    add_contact(account_id=account_id, user=grounded.rep, values={"name": "New", "is_champion": True}, today=today())
    assert look_for_causes() == 0
    assert open_alerts(Kind.CHAMPION_LEFT) == []
    other = make_renewal(owner=grounded.rep, due_on=in_days(100))
    AccountSignal.objects.create(account=other.account, measured_on=in_days(-3), has_champion_left=True)
    assert look_for_causes() == 1
    AccountSignal.objects.create(account=other.account, measured_on=in_days(-2), has_champion_left=True)
    assert look_for_causes() == 0


def edit(renewal: Renewal, value: int, cast: Cast) -> None:
    seen = str(Renewal.objects.get(pk=renewal.pk).confidence)
    update_renewal(renewal_id=renewal.pk, field="confidence", value=value, seen=seen, user=cast.rep, as_of=today())


def test_confidence_that_a_rep_cuts_is_told_by_name_however_many_steps_it_took(grounded: Cast) -> None:
    renewal = make_renewal(owner=grounded.rep, due_on=in_days(200), confidence=80)
    edit(renewal, 70, grounded)
    assert look_for_causes() == 0
    edit(renewal, 60, grounded)
    assert look_for_causes() == 1
    assert open_alerts(Kind.CONFIDENCE_CUT) == [(renewal.pk, "Confidence cut from 80 % to 60 % by Rhea Rep")]
    edit(renewal, 50, grounded)
    assert look_for_causes() == 0
    edit(renewal, 45, grounded)
    assert look_for_causes() == 1
    edit(renewal, 75, grounded)
    assert look_for_causes() == 0
    assert open_alerts(Kind.CONFIDENCE_CUT) == []
    assert told() == {"Rhea Rep", "Mona Manager"}


def test_cut_is_no_news_after_its_days(grounded: Cast) -> None:
    renewal = make_renewal(owner=grounded.rep, due_on=in_days(200), confidence=80)
    edit(renewal, 20, grounded)
    assert look_for_causes() == 1
    assert look_for_causes(now=timezone.now() + dt.timedelta(days=8)) == 0
    assert open_alerts(Kind.CONFIDENCE_CUT) == []


def test_forecast_below_its_target_is_told_to_who_is_held_to_it(grounded: Cast) -> None:
    start = today().replace(day=1)
    rep = Target.objects.create(grain="month", starts_on=start, owner=grounded.rep, amount=1000)
    team = Target.objects.create(grain="month", starts_on=start, team=grounded.manager.team, amount=1000)
    whole = Target.objects.create(grain="month", starts_on=start, amount=1000)
    lines = {"grain": "month", "starts_on": start, "p50_amount": 0, "p90_amount": 0}
    own = ForecastLine.objects.create(**lines, owner=grounded.rep, expected_amount=960)
    ForecastLine.objects.create(**lines, team=grounded.manager.team, expected_amount=940)
    ForecastLine.objects.create(**lines, expected_amount=700)
    Subscription.objects.create(user=grounded.admin, rule=AlertRule.objects.get(kind=Kind.BELOW_TARGET), scope="seen")
    assert look_for_causes() == 2
    company = get_company()
    found = Alert.objects.select_related(*RELATED).order_by("target")
    month = f"{start:%b %Y}"
    assert [(alert.target, subject_of(alert, company), detail_of(alert, company)) for alert in found] == [
        (
            team,
            f"EMEA, {month}",
            f"Expected €{SPACE}940, 6 % below the target of €{SPACE}1.0{SPACE}K",
        ),
        (
            whole,
            f"The company, {month}",
            f"Expected €{SPACE}700, 30 % below the target of €{SPACE}1.0{SPACE}K",
        ),
    ]
    pairs = set(Notification.objects.values_list("alert__target", "user__name"))
    assert pairs == {(team.pk, "Mona Manager"), (team.pk, "Ada Admin"), (whole.pk, "Ada Admin")}
    ForecastLine.objects.filter(pk=own.pk).update(expected_amount=100)
    assert look_for_causes() == 1
    assert Notification.objects.filter(alert__target=rep, user=grounded.rep).exists()


def test_scope_of_a_rule_is_its_segment_and_value(grounded: Cast) -> None:
    make_rate("USD", "0.5")
    rule = AlertRule.objects.get(kind=Kind.DECISION_NEAR)
    rule.segment, rule.least_amount = make_account(owner=grounded.rep).segment, Decimal(10_000)
    save_rule(by=grounded.admin, rule=rule)
    look_for_causes()
    near = {"owner": grounded.rep, "due_on": in_days(5)}
    large = make_renewal(**near)
    make_renewal(**near, baseline_amount=Decimal(9_999))
    make_renewal(**near, currency="USD")  # 6,000 EUR
    unrated = make_renewal(**near, currency="CHF", baseline_amount=Decimal(1))
    make_renewal(**near, account=make_account(owner=grounded.rep, segment=None))
    make_renewal(**near, is_excluded=True, excluded_reason="A test")
    assert look_for_causes() == 2
    assert [pk for pk, _ in open_alerts(Kind.DECISION_NEAR)] == [large.pk, unrated.pk]


def test_told_are_exactly_those_who_see_the_row(grounded: Cast) -> None:
    """The statement that tells people, against visible_to: for each kind of owner, with everybody asking for all."""
    rule = AlertRule.objects.get(kind=Kind.DECISION_NEAR)
    people = (
        grounded.admin, grounded.auditor, grounded.manager, grounded.rep, grounded.team_mate, grounded.viewer,
        grounded.outsider, grounded.other_manager,
    )  # fmt: skip
    Subscription.objects.bulk_create(Subscription(user=one, rule=rule, scope="seen") for one in people)
    teamless = type(grounded.rep).objects.create_user("alone@example.com", "x" * 12, name="Alone", role="rep")
    for owner in (grounded.rep, grounded.outsider, teamless, None):
        make_renewal(owner=owner, due_on=in_days(5))
    assert look_for_causes() == 4
    pairs = set(Notification.objects.values_list("alert", "user"))
    expected = {(alert.pk, one.pk) for one in (*people, teamless) for alert in Alert.objects.visible_to(one)}
    assert pairs == expected
    for one in (*people, teamless):
        seen = set(Renewal.objects.visible_to(one).values_list("pk", flat=True))
        assert set(Alert.objects.visible_to(one).values_list("renewal", flat=True)) == seen


def test_who_muted_the_account_or_is_gone_is_not_told(grounded: Cast) -> None:
    renewal = make_renewal(owner=grounded.rep, due_on=in_days(5))
    look_for_causes()
    alert = Alert.objects.get()
    assert mute_rule(user=grounded.rep, alert=alert)
    assert Notification.objects.get(user=grounded.rep).read_at is not None
    type(grounded.rep).objects.filter(pk=grounded.manager.pk).update(is_active=False)
    Notification.objects.all().delete()
    make_renewal(owner=grounded.rep, account=renewal.account, due_on=in_days(6))
    make_renewal(owner=grounded.rep, due_on=in_days(6))
    assert look_for_causes() == 2
    assert Notification.objects.count() == 1


@pytest.mark.parametrize(
    ("now", "zone", "at", "weekday", "expected"),
    [
        ("2026-11-22T06:59", "Europe/Berlin", dt.time(8), None, "2026-11-22T07:00"),
        ("2026-11-22T07:00", "Europe/Berlin", dt.time(8), None, "2026-11-23T07:00"),
        ("2026-03-28T12:00", "Europe/Berlin", dt.time(8), None, "2026-03-29T06:00"),  # summer time began
        ("2026-11-22T12:00", "America/New_York", dt.time(8), 0, "2026-11-23T13:00"),
        ("2026-11-23T13:00", "America/New_York", dt.time(8), 0, "2026-11-30T13:00"),
    ],
)
def test_digest_comes_at_its_hour_where_the_company_is(
    now: str, zone: str, at: dt.time, weekday: int | None, expected: str
) -> None:
    moment = dt.datetime.fromisoformat(f"{now}+00:00")
    found = next_digest(moment, zoneinfo.ZoneInfo(zone), at, weekday=weekday)
    assert found.isoformat() == f"{expected}:00+00:00"


def test_business_day_is_the_company_s(grounded: Cast) -> None:
    Company.objects.update(time_zone="Pacific/Kiritimati")
    midnight_utc = dt.datetime(2026, 11, 22, 11, tzinfo=dt.UTC)  # the 23rd there
    make_renewal(owner=grounded.rep, due_on=dt.date(2026, 12, 7))
    assert look_for_causes(now=midnight_utc - dt.timedelta(hours=2)) == 0
    assert look_for_causes(now=midnight_utc) == 1

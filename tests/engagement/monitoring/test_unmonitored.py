"""Who is on the list of the unmonitored, by which days, in which order, and who sees it."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Segment, User, get_company
from accounts.touches.services import log_touch
from engagement.models import Flag, MonitoringRule
from engagement.monitoring.services import save_rules
from engagement.monitoring.unmonitored import (
    Terms,
    by_account,
    load_unmonitored,
    read_sums,
    read_terms,
    unmonitored_renewals,
)
from renewals.models import Renewal
from renewals.scoring import scoring
from tests.cast import Cast, make_account, make_renewal

TODAY = dt.date(2026, 11, 20)
RATES = {"EUR": Decimal(1), "USD": Decimal("0.5")}


def ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days=days)


def due_in(
    days: int, owner: User, *, touched_on: dt.date | None = None, is_flagged: bool = False, **fields: object
) -> str:
    """A renewal due in so many days, perhaps of a flagged account; the name of its account."""
    segment = fields.pop("segment", None)
    account = make_account(owner=owner, last_touch_on=touched_on, segment=segment)
    row = make_renewal(owner=owner, account=account, due_on=TODAY + dt.timedelta(days=days), **fields)
    scoring().score_renewals([row.pk], as_of=TODAY)
    if is_flagged:
        Flag.objects.create(account=account, flagged_by=owner, reason="Silent")
    return account.name


def listed(user: User, **asked: object) -> list[str]:
    terms = read_terms()
    records = by_account(unmonitored_renewals(user, terms, as_of=TODAY, **asked), RATES)  # type: ignore[arg-type]
    return [row.account.name for row in load_unmonitored(records, terms, as_of=TODAY)]


def test_bounds_of_the_days(cast: Cast) -> None:
    wanted = [
        due_in(90, cast.rep, touched_on=ago(31)),
        due_in(-5, cast.rep),  # overdue, never touched
        due_in(300, cast.rep, touched_on=ago(31), is_flagged=True),
    ]
    due_in(91, cast.rep, touched_on=ago(31))
    due_in(90, cast.rep, touched_on=ago(30))
    due_in(300, cast.rep, touched_on=ago(31))
    Flag.objects.update_or_create(
        account=Account.objects.get(name=due_in(300, cast.rep, touched_on=ago(31))),
        defaults={"flagged_by": cast.rep, "reason": "Over", "cleared_at": dt.datetime(2026, 11, 1, tzinfo=dt.UTC)},
    )
    due_in(30, cast.rep, is_excluded=True, excluded_reason="Merged")
    due_in(30, cast.rep, outcome="lost", final_amount=Decimal(0))
    assert sorted(listed(cast.rep)) == sorted(wanted)
    assert listed(cast.rep, reason="flag") == wanted[2:]
    assert sorted(listed(cast.rep, reason="due")) == sorted(wanted[:2])


def test_most_at_stake_comes_first_in_the_reporting_currency(cast: Cast) -> None:
    dollars = due_in(10, cast.rep, baseline_amount=Decimal(30_000), currency="USD")
    euros = due_in(10, cast.rep, baseline_amount=Decimal(20_000))
    unrated = due_in(10, cast.rep, baseline_amount=Decimal(90_000), currency="CHF")
    assert listed(cast.rep) == [euros, dollars, unrated]
    sums = read_sums(unmonitored_renewals(cast.rep, read_terms(), as_of=TODAY), RATES)
    assert (sums.account_count, sums.stake_amount, sums.without_rate) == (3, Decimal("35000.00"), ["CHF"])


def test_several_renewals_of_an_account_are_one_line(cast: Cast) -> None:
    account = make_account(owner=cast.rep)
    for days in (40, 20):
        make_renewal(owner=cast.rep, account=account, due_on=TODAY + dt.timedelta(days=days))
    make_renewal(owner=cast.outsider, account=account, due_on=TODAY + dt.timedelta(days=5))
    terms = read_terms()
    (row,) = load_unmonitored(by_account(unmonitored_renewals(cast.rep, terms, as_of=TODAY), RATES), terms, as_of=TODAY)
    assert (row.renewal_count, row.stake_amount, row.next_due_on, row.silent_days) == (
        2, Decimal("24000.00"), dt.date(2026, 12, 10), None,
    )  # fmt: skip


def test_segments_have_their_own_days(cast: Cast) -> None:
    small, large = Segment.objects.create(name="Small"), Segment.objects.create(name="Large")
    in_small = due_in(50, cast.rep, touched_on=ago(31), segment=small)
    in_large = due_in(150, cast.rep, touched_on=ago(15), segment=large)
    in_none = due_in(80, cast.rep, touched_on=ago(31))
    assert sorted(listed(cast.rep)) == sorted([in_small, in_none])
    save_rules(by=cast.admin, terms={None: Terms(60, 30), small.pk: Terms(30, 30), large.pk: Terms(180, 14)})
    assert listed(cast.rep) == [in_large]
    save_rules(by=cast.admin, terms={None: Terms(90, 30), small.pk: None})
    assert sorted(listed(cast.rep)) == sorted([in_small, in_large, in_none])
    assert (MonitoringRule.objects.count(), Account.objects.count()) == (2, 3)
    with pytest.raises(PermissionDenied):
        save_rules(by=cast.manager, terms={None: Terms(1, 1)})


def test_list_is_of_what_its_reader_sees_and_mine_is_mine(cast: Cast) -> None:
    mine, mates, theirs = (due_in(10, user) for user in (cast.rep, cast.team_mate, cast.outsider))
    assert {name: sorted(listed(getattr(cast, name))) for name in ("rep", "outsider", "admin")} == {
        "rep": sorted([mine, mates]),
        "outsider": [theirs],
        "admin": sorted([mine, mates, theirs]),
    }
    assert listed(cast.rep, is_mine=True) == [mine]


def test_a_touch_takes_the_account_off_the_list(cast: Cast) -> None:
    today = get_company().today()
    row = make_renewal(owner=cast.rep, due_on=today + dt.timedelta(days=9), account=make_account(
        owner=cast.rep, name="<i>Halden</i>"))  # fmt: skip
    client = cast.client_of("rep")
    assert "&lt;i&gt;Halden&lt;/i&gt;" in client.get("/unmonitored/").content.decode()
    now = dt.datetime.now(dt.UTC)
    log_touch(account_id=row.account_id, user=cast.rep, kind="call", happened_at=now, now=now)
    assert "Everybody is looked after" in client.get("/unmonitored/").content.decode()


def test_list_costs_the_same_with_more_rows(cast: Cast) -> None:
    client = cast.client_of("rep")

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/unmonitored/").status_code == 200
        return len(queries)

    today = get_company().today()
    make_renewal(owner=cast.rep, due_on=today)
    count()
    few = count()
    for _ in range(5):
        make_renewal(owner=cast.rep, due_on=today)
    assert (count(), Renewal.objects.count()) == (few, 6)


@pytest.mark.parametrize("query", ["page=0", "page=99999999999999", "page=x", "why=nothing", "page=²", "whose=theirs"])
def test_address_that_makes_no_sense_is_answered(cast: Cast, query: str) -> None:
    assert cast.client_of("rep").get(f"/unmonitored/?{query}").status_code == 200


def test_segment_needs_both_days_or_neither(cast: Cast) -> None:
    segment = Segment.objects.create(name="Small")
    days = {"due-others": "90", "silent-others": "30", f"due-{segment.pk}": "60"}
    answer = cast.client_of("admin").post("/unmonitored/rules/", days)
    assert (answer.status_code, "Small needs both, or neither." in answer.content.decode()) == (422, True)
    assert not MonitoringRule.objects.exists()
    answer = cast.client_of("admin").post("/unmonitored/rules/", {**days, f"silent-{segment.pk}": "10"})
    assert (answer.status_code, read_terms()) == (302, {None: Terms(90, 30), segment.pk: Terms(60, 10)})

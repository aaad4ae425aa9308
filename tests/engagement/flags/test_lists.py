"""Flags by hand, lists of flags and watched accounts, marks in the table, and what the passes look at."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts.models import Account, get_company
from accounts.paging import Pages
from engagement.flags.listing import Sums, find_flagged, load_rows, read_cleared, read_sums, watches_of
from engagement.flags.marks import account_marks
from engagement.flags.passes import judge_accounts
from engagement.flags.services import (
    FlagRefused,
    clear_flag,
    flag_account,
    save_rule,
    unwatch_account,
    watch_account,
)
from engagement.models import Flag, FlagRule, Watch
from engagement.tasks.services import NewTask, create_task
from forecasting.models import Run
from renewals.models import Renewal, RenewalScore
from renewals.scoring import scoring
from renewals.services import update_renewal
from tests.cast import Cast, make_account, make_renewal

NOW = timezone.now()


def scored(cast: Cast, *, probability: float = 0.5, risk: float = 10, **fields: Any) -> Renewal:
    today = get_company().today()
    row = make_renewal(owner=cast.rep, due_on=today + dt.timedelta(days=30), **fields)
    scoring().score_renewals([row.pk], as_of=today)
    RenewalScore.objects.filter(pk=row.pk).update(probability=probability, risk_score=risk)
    return row


def test_flag_by_hand_and_what_cleared_it(cast: Cast) -> None:
    account = scored(cast).account
    with pytest.raises(FlagRefused, match="Say why the account needs attention"):
        flag_account(account_id=account.pk, user=cast.rep, reason=" \x00 ")
    flag = flag_account(account_id=account.pk, user=cast.rep, reason="New board\r\nnext week")
    with pytest.raises(FlagRefused, match="Rhea Rep has flagged it already: New board"):
        flag_account(account_id=account.pk, user=cast.manager, reason="Again")
    for user in (cast.viewer, cast.team_mate, cast.outsider):
        with pytest.raises(PermissionDenied):
            clear_flag(flag_id=flag.pk, user=user, reason="No", now=NOW)
    flag.refresh_from_db()
    assert (flag.cleared_at, flag.stake_amount) == (None, Decimal("6000.00"))
    clear_flag(flag_id=flag.pk, user=cast.manager, reason="Met them", now=NOW)
    (cleared,) = read_cleared(cast.rep, Pages(1))
    assert (cleared.shown.what, cleared.shown.why, cleared.how, cleared.by) == (
        "By hand", "New board\nnext week", "Met them", "Mona Manager",
    )  # fmt: skip
    assert read_cleared(cast.outsider, Pages(1)) == []


def test_list_is_by_stake_with_what_comes_next(cast: Cast) -> None:
    small, large = scored(cast, baseline_amount=Decimal(1000)), scored(cast, baseline_amount=Decimal(9000))
    for row in (small, large):
        flag_account(account_id=row.account_id, user=cast.rep, reason="Silent")
    task = create_task(user=cast.rep, task=NewTask(large.account_id, "Call", get_company().today()))
    found = find_flagged(cast.rep, Pages(1))
    assert found == [large.account_id, small.account_id]
    rows = load_rows(found, cast.rep, {"EUR": Decimal(1)})
    assert [(row.stake_amount, row.task, row.may_write, row.next_decision_on) for row in rows] == [
        (Decimal("4500.00"), task, True, large.due_on),
        (Decimal("500.00"), None, True, small.due_on),
    ]
    by_hand = [("hand", "By hand", 2)]
    assert read_sums(cast.rep) == Sums(2, Decimal("5000.00"), by_hand)
    seen = [(len(find_flagged(user, Pages(1))), read_sums(user)) for user in (cast.outsider, cast.viewer, cast.auditor)]
    assert [(count, one.account_count, one.rules) for count, one in seen] == [
        (0, 0, []), (2, 2, by_hand), (2, 2, by_hand),
    ]  # fmt: skip
    assert (find_flagged(cast.team_mate, Pages(1), is_mine=True), read_sums(cast.team_mate, is_mine=True)) == (
        [],
        Sums(0, Decimal(0), by_hand),
    )
    assert read_sums(cast.rep, is_mine=True, what="hand").account_count == 2
    assert find_flagged(cast.rep, Pages(1), is_mine=True, what="hand") == found
    assert (read_sums(cast.rep, what="7").account_count, find_flagged(cast.rep, Pages(1), what="7")) == (0, [])
    assert find_flagged(cast.rep, Pages(2)) == []


def test_an_account_with_several_flags_is_listed_once_where_the_most_is_at_stake(cast: Cast) -> None:
    rule = FlagRule.objects.create(name="Ours", conditions={"risk": 60})
    accounts = [scored(cast, baseline_amount=Decimal(1000)).account_id for _ in range(3)]
    for stake, account_id in zip((30, 10, 20), accounts, strict=True):
        Flag.objects.create(account_id=account_id, rule=rule, stake_amount=stake)
    Flag.objects.create(account_id=accounts[1], reason="Silent", flagged_by=cast.rep, stake_amount=25)
    assert find_flagged(cast.rep, Pages(1)) == [accounts[0], accounts[1], accounts[2]]
    assert find_flagged(cast.rep, Pages(1), what=str(rule.pk)) == [accounts[0], accounts[2], accounts[1]]
    assert read_sums(cast.rep).stake_amount == 75


def test_watchlists_of_a_person_and_a_team(cast: Cast) -> None:
    account, team = make_account(owner=cast.rep), cast.rep.team
    for _ in range(2):  # twice is once
        watch_account(account_id=account.pk, user=cast.viewer)
        watch_account(account_id=account.pk, user=cast.team_mate, team=team, reason="Weekly")
    assert (Watch.objects.count(), watches_of(cast.viewer, None).count(), watches_of(cast.rep, team).count()) == (
        2,
        1,
        1,
    )
    for user, asked in ((cast.viewer, team), (cast.outsider, None), (cast.outsider, team)):
        with pytest.raises(PermissionDenied):
            watch_account(account_id=account.pk, user=user, team=asked)
    Account.objects.filter(pk=account.pk).update(owner=cast.outsider)
    assert watches_of(cast.viewer, None).count() == 0  # out of sight, out of the list
    unwatch_account(account_id=account.pk, user=cast.viewer)
    assert list(Watch.objects.values_list("team", flat=True)) == [team.pk if team else None]


def test_marks_of_flagged_accounts(cast: Cast) -> None:
    flagged, other = make_account(owner=cast.rep), make_account(owner=cast.rep)
    flag_account(account_id=flagged.pk, user=cast.rep, reason="<i>Silent</i>")
    marks = account_marks([flagged.pk, other.pk])
    assert list(marks) == [flagged.pk]
    assert "Flagged: &lt;i&gt;Silent&lt;/i&gt;" in marks[flagged.pk]
    row = make_renewal(owner=cast.rep, account=flagged)
    assert marks[flagged.pk] in cast.client_of("rep").get(f"/renewals/?account={row.account_id}").content.decode()


def test_pass_judges_the_book_after_a_run_and_what_is_written_after_it(cast: Cast) -> None:
    FlagRule.objects.all().delete()
    save_rule(by=cast.admin, rule=FlagRule(name="Doubtful", conditions={"confidence": 20}), now=NOW)
    row, other = scored(cast), scored(cast)
    assert judge_accounts(now=NOW) is None  # nothing is published yet
    today = get_company().today()
    Run.objects.create(
        reason=Run.Reason.DEMAND,
        state=Run.State.PUBLISHED, as_of_on=today, published_at=NOW,
    )  # fmt: skip
    passed = judge_accounts(now=NOW)
    assert passed is not None
    assert (passed.account_count, passed.flagged.flagged_count) == (None, 0)
    update_renewal(renewal_id=row.pk, field="confidence", value=10, seen="", user=cast.rep, as_of=today)
    passed = judge_accounts(now=NOW + dt.timedelta(seconds=10))
    assert passed is not None
    assert (passed.account_count is None, passed.flagged.flagged_count) == (False, 1)
    assert list(Flag.objects.values_list("account", flat=True)) == [row.account_id]
    assert other.account_id != row.account_id


def test_answers_of_the_flags(cast: Cast) -> None:
    client, htmx = cast.client_of("rep"), {"HX-Request": "true"}
    account = scored(cast).account
    assert client.post(f"/flags/of/{account.pk}/add/", {"reason": "Silent"}, headers=htmx).status_code == 204
    flag = Flag.objects.get()
    assert b"Silent" in client.get("/flags/").content
    refused = client.post(f"/flags/{flag.pk}/clear/", {"reason": ""}, headers=htmx)
    assert (refused.status_code, json.loads(refused.headers["HX-Trigger"])["toast"]["text"]) == (
        422, "Say why it can be cleared.",
    )  # fmt: skip
    answer = client.post(f"/flags/{flag.pk}/clear/", {"reason": "Met"}, headers=htmx)
    toast = json.loads(answer.headers["HX-Trigger"])["toast"]
    assert toast == {"text": f"{account}: “By hand” is cleared.", "undoUrl": f"/flags/{flag.pk}/reopen/"}
    assert client.post(toast["undoUrl"], headers=htmx).status_code == 204
    assert client.post(toast["undoUrl"], headers=htmx).status_code == 409
    assert Flag.objects.open().count() == 1

"""What a touch does to the account's last touch, and who may write one."""

import datetime as dt

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import Account, AccountSignal, Contact, Touch
from accounts.touches.people import ContactRefused, add_contact, delete_contact, edit_contact
from accounts.touches.reading import next_touch
from accounts.touches.services import (
    TouchGone,
    TouchRefused,
    delete_touch,
    edit_touch,
    log_touch,
    restore_touch,
)
from renewals.models import OpenAccount
from renewals.scoring import scoring
from tests.cast import Cast, make_account, make_renewal

NOW = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 20)


def day(number: int, month: int = 11) -> dt.date:
    return dt.date(2026, month, number)


def at(number: int, month: int = 11) -> dt.datetime:
    return dt.datetime(2026, month, number, 10, 0, tzinfo=dt.UTC)


def log(account: Account, user: object, happened_at: dt.datetime, **fields: object) -> Touch:
    values = {"kind": "call", "now": NOW, **fields}
    return log_touch(account_id=account.pk, user=user, happened_at=happened_at, **values)  # type: ignore[arg-type]


def last(account: Account) -> dt.date | None:
    return Account.objects.get(pk=account.pk).last_touch_on


def test_touch_moves_the_last_touch_forward_and_never_back(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep)
    account = renewal.account
    log(account, cast.rep, at(10))
    log(account, cast.rep, at(3))
    assert last(account) == day(10)
    assert OpenAccount.objects.get(account=account).last_touch_on == day(10)
    account.events.model.objects.get(pgh_obj_id=account.pk)  # one change of the account, kept in history


def test_touch_counts_on_the_companys_day(cast: Cast) -> None:
    from accounts.models import Company

    Company.objects.update(time_zone="Asia/Tokyo")
    account = make_account(owner=cast.rep)
    log(account, cast.rep, dt.datetime(2026, 11, 10, 20, 0, tzinfo=dt.UTC))
    assert last(account) == day(11)


def test_touch_scores_the_open_renewals_anew(cast: Cast) -> None:
    account = make_account(owner=cast.rep, last_touch_on=day(1, 6))
    renewal = make_renewal(owner=cast.rep, account=account)
    scoring().score_renewals([renewal.pk], as_of=TODAY)
    renewal.refresh_from_db()
    before = renewal.score.risk_score
    log(account, cast.rep, NOW)
    renewal.score.refresh_from_db()
    assert before is not None
    assert renewal.score.risk_score < before


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)])
def test_deleted_touches_leave_what_was_known_without_them(cast: Cast, order: tuple[int, ...]) -> None:
    account = make_account(owner=cast.rep, last_touch_on=day(2))
    touches = [log(account, cast.rep, at(number)) for number in (10, 10, 15)]
    left = [10, 10, 15]
    for place in order:
        delete_touch(touch_id=touches[place].pk, user=cast.rep, now=NOW)
        left[place] = 2
        assert last(account) == day(max(left))


def test_later_day_from_elsewhere_stays(cast: Cast) -> None:
    account = make_account(owner=cast.rep)
    first = log(account, cast.rep, at(5))
    Account.objects.update(last_touch_on=day(12))
    second = log(account, cast.rep, at(15))
    delete_touch(touch_id=first.pk, user=cast.rep, now=NOW)
    assert last(account) == day(15)
    delete_touch(touch_id=second.pk, user=cast.rep, now=NOW)
    assert last(account) == day(12)


def test_edited_day_moves_the_last_touch_both_ways(cast: Cast) -> None:
    account = make_account(owner=cast.rep, last_touch_on=day(2))
    touch = log(account, cast.rep, at(18))
    edit_touch(touch_id=touch.pk, user=cast.rep, values={"happened_at": at(8)}, now=NOW)
    assert last(account) == day(8)
    edit_touch(touch_id=touch.pk, user=cast.rep, values={"happened_at": at(9), "note": " agreed \r\n"}, now=NOW)
    touch.refresh_from_db()
    assert (last(account), touch.note) == (day(9), "agreed")


def test_deleted_touch_comes_back_as_it_was(cast: Cast) -> None:
    account = make_account(owner=cast.rep)
    contact = Contact.objects.create(account=account, name="Ana")
    touch = log(account, cast.rep, at(10), contact=contact, note="Renewal discussed", next_touch_on=day(30))
    delete_touch(touch_id=touch.pk, user=cast.rep, now=NOW)
    assert last(account) is None
    restore_touch(touch_id=touch.pk, user=cast.rep, now=NOW)
    back = Touch.objects.get()
    assert (back.pk, back.note, back.contact, back.author, back.next_touch_on) == (
        touch.pk, "Renewal discussed", contact, cast.rep, day(30),
    )  # fmt: skip
    assert last(account) == day(10)
    with pytest.raises(TouchGone):
        restore_touch(touch_id=touch.pk, user=cast.rep, now=NOW)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"happened_at": NOW + dt.timedelta(minutes=1)}, "happened_at"),
        ({"happened_at": dt.datetime(1, 1, 2, tzinfo=dt.UTC)}, "happened_at"),
        ({"happened_at": at(10), "next_touch_on": day(10)}, "next_touch_on"),
        ({"happened_at": at(10), "kind": "fax"}, "kind"),
        ({"happened_at": at(10), "note": "x" * 4001}, "note"),
    ],
)
def test_impossible_touch_is_refused_and_nothing_is_kept(cast: Cast, values: dict[str, object], field: str) -> None:
    account = make_account(owner=cast.rep)
    with pytest.raises(TouchRefused) as refused:
        log(account, cast.rep, **values)  # type: ignore[arg-type]
    assert (refused.value.field, Touch.objects.count(), last(account)) == (field, 0, None)


def test_contact_of_another_account_is_refused(cast: Cast) -> None:
    other = Contact.objects.create(account=make_account(), name="Eve")
    with pytest.raises(TouchRefused, match="not with this customer"):
        log(make_account(owner=cast.rep), cast.rep, at(10), contact=other)


def test_who_logs_and_who_changes(cast: Cast) -> None:
    account = make_account(owner=cast.rep)
    for name in ("viewer", "auditor", "team_mate", "outsider", "other_manager"):
        with pytest.raises(PermissionDenied):
            log(account, getattr(cast, name), at(10))
    touch = log(account, cast.rep, at(10))
    Account.objects.update(owner=cast.team_mate)
    edit_touch(touch_id=touch.pk, user=cast.rep, values={"note": "mine"}, now=NOW)  # its author still may
    for name in ("viewer", "outsider"):
        with pytest.raises(PermissionDenied):
            delete_touch(touch_id=touch.pk, user=getattr(cast, name), now=NOW)
    Account.objects.update(owner=cast.outsider)
    with pytest.raises(PermissionDenied):  # an author who no longer sees the account
        edit_touch(touch_id=touch.pk, user=cast.rep, values={"note": "theirs"}, now=NOW)
    delete_touch(touch_id=touch.pk, user=cast.other_manager, now=NOW)
    assert not Touch.objects.exists()


def test_owner_of_a_renewal_logs_on_its_account(cast: Cast) -> None:
    renewal = make_renewal(owner=cast.rep, account=make_account(owner=cast.outsider))
    assert log(renewal.account, cast.rep, at(10)).author == cast.rep


def test_next_touch_is_the_earliest_day_agreed_on_that_nothing_followed(cast: Cast) -> None:
    account = make_account(owner=cast.rep)
    log(account, cast.rep, at(3), next_touch_on=day(9))
    log(account, cast.rep, at(10), next_touch_on=day(18))
    log(account, cast.rep, at(11), next_touch_on=day(30))
    account.refresh_from_db()
    assert next_touch(account) == day(18)


def contact(account: Account, user: object, **values: object) -> Contact:
    given = {"name": "Ana", **values}
    return add_contact(account_id=account.pk, user=user, values=given, today=TODAY)  # type: ignore[arg-type]


def signals(account: Account) -> list[tuple[dt.date, bool | None]]:
    return list(AccountSignal.objects.filter(account=account).values_list("measured_on", "has_champion_left"))


def test_last_champion_who_leaves_is_a_signal(cast: Cast) -> None:
    account = make_account(owner=cast.rep)
    ana = contact(account, cast.rep, is_champion=True)
    bea = contact(account, cast.rep, name="Bea", is_champion=True)
    edit_contact(contact=ana, user=cast.rep, values={"left_on": day(19)}, today=TODAY)
    assert signals(account) == []
    edit_contact(contact=bea, user=cast.rep, values={"left_on": TODAY}, today=TODAY)
    assert signals(account) == [(TODAY, True)]
    edit_contact(contact=bea, user=cast.rep, values={"left_on": None}, today=TODAY)
    assert signals(account) == [(TODAY, False)]
    delete_contact(contact=bea, user=cast.rep, today=TODAY + dt.timedelta(days=1))
    assert signals(account) == [(TODAY, False), (TODAY + dt.timedelta(days=1), True)]


def test_contact_needs_a_name_and_leaves_on_no_day_to_come(cast: Cast) -> None:
    account = make_account(owner=cast.rep)
    for values in ({"name": " "}, {"left_on": TODAY + dt.timedelta(days=1)}):
        with pytest.raises(ContactRefused):
            contact(account, cast.rep, **values)
    with pytest.raises(PermissionDenied):
        contact(account, cast.viewer)
    assert not Contact.objects.exists()


def test_history_tells_of_touches_and_people_to_who_sees_the_account(cast: Cast) -> None:
    account = make_account(owner=cast.rep, name="Halden Biotech")
    touch = log(account, cast.rep, at(10), note="First words")
    edit_touch(touch_id=touch.pk, user=cast.rep, values={"note": "Better words"}, now=NOW)
    contact(account, cast.rep, name="Ana Ortega")
    pages = {name: cast.client_of(name).get("/history/").content.decode() for name in ("rep", "admin", "outsider")}
    for words in ("Call with Halden Biotech", "First words", "Better words", "Ana Ortega"):
        assert [name for name, page in pages.items() if words in page] == ["rep", "admin"]

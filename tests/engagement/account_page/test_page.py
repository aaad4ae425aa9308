"""The account page: who is told what, in which order, page by page, and at what cost."""

import datetime as dt
import zoneinfo
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account, AccountSignal, Contact, Invoice, Ticket, Touch, User
from accounts.touches.services import log_touch
from engagement.account_page.family import FamilyLoop, read_family, set_family
from engagement.account_page.measures import changes_of_signals, read_lines
from engagement.account_page.sources import SOURCES
from engagement.account_page.timeline import PAGE_ITEMS, Item, Place, Story, read_page
from renewals.drawer.notes import write_note
from renewals.models import Contract, Renewal
from tests.cast import Cast, make_account, make_renewal

UTC = zoneinfo.ZoneInfo("UTC")
HOSTILE = "<script>alert(1)</script>"


def told(account: Account, user: User, only: str = "") -> list[Item]:
    """The whole story, page after page."""
    story, place, items = Story(account, user, UTC), None, list[Item]()
    while True:
        page = read_page(story, SOURCES, now=timezone.now(), start=place, only=only)
        items += page.items
        if page.next_place is None:
            return items
        place = Place.parse(str(page.next_place))


def touch(account: Account, user: User, happened_at: dt.datetime, note: str = "") -> Touch:
    return log_touch(
        account_id=account.pk, user=user, kind="call", happened_at=happened_at, note=note, now=timezone.now()
    )


def at(day: int, month: int = 5, hour: int = 9) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, tzinfo=dt.UTC)


def make_past(cast: Cast, account: Account) -> Renewal:
    """Lost on 3 May 2026, on a contract from 4 May 2025."""
    return make_renewal(
        owner=cast.rep, account=account, due_on=dt.date(2026, 5, 3), outcome="lost", final_amount=Decimal(0)
    )


def test_story_tells_of_every_room_newest_first(cast: Cast) -> None:
    account = make_account(owner=cast.rep, name="Halden Biotech")
    make_past(cast, account)
    touch(account, cast.rep, at(2), "Price is high")
    AccountSignal.objects.create(account=account, measured_on=dt.date(2026, 5, 1), csat_score=4.0)
    AccountSignal.objects.create(account=account, measured_on=dt.date(2026, 5, 2), csat_score=4.0)
    AccountSignal.objects.create(account=account, measured_on=dt.date(2026, 5, 4), csat_score=2.5)
    row = make_renewal(owner=cast.rep, account=account, due_on=dt.date(2027, 4, 30))
    write_note(renewal=row, author=cast.rep, text="Ask again")
    Renewal.objects.filter(pk=row.pk).update(confidence=70)
    items = told(account, cast.rep)
    # Of the same moment nearly: the confidence, the note, and the touch's mark on the account.
    assert sorted(item.source for item in items[:3]) == ["account", "note", "renewal"]
    first, second = Contract.objects.order_by("pk").values_list("number", flat=True)
    assert [(item.source, item.title) for item in items[3:]] == [
        ("signal", "Signals moved"),
        ("decision", f"Lost: {first}"),
        ("touch", "Call"),
        ("contract", f"Contract {second} begins"),
        ("signal", "Signals moved"),
        ("contract", f"Contract {first} begins"),
    ]
    assert [(part.label, part.old, part.new) for part in items[3].details] == [("CSAT, 1 to 5", "4", "2.5")]
    assert [item.at for item in items] == sorted((item.at for item in items), reverse=True)


def test_story_tells_of_tickets_and_of_invoices_that_went_wrong(cast: Cast) -> None:
    account, day = make_account(owner=cast.rep), dt.date(2026, 5, 1)
    Ticket.objects.create(account=account, external_id="T-1", severity="urgent", opened_on=day, subject=HOSTILE)
    late = dt.date(2026, 5, 4)
    for number, values in enumerate(({"settled_on": late}, {"settled_on": day}, {}, {"has_failed": True}), start=1):
        Invoice.objects.create(
            account=account, external_id=f"I-{number}", amount=900, currency="EUR", due_on=day, **values
        )
    items = told(account, cast.rep)
    assert [(item.title, item.tone) for item in items] == [
        ("Invoice I-1: settled 3 days late", "quiet"),
        ("Ticket T-1", "bad"),
        ("Invoice I-4: failed", "bad"),
    ]
    assert "<script>alert" not in cast.client_of("rep").get(f"/accounts/{account.pk}/").content.decode()


def test_pages_of_a_story_neither_repeat_nor_leave_out(cast: Cast) -> None:
    account = make_account(owner=cast.rep)
    happened = [at(1 + number % 7) for number in range(2 * PAGE_ITEMS + 5)]
    Touch.objects.bulk_create(
        Touch(account=account, author=cast.rep, kind="mail", happened_at=moment, note=str(number))
        for number, moment in enumerate(happened)
    )
    for number in range(40):
        AccountSignal.objects.create(
            account=account, measured_on=dt.date(2026, 4, 1) + dt.timedelta(days=number), nps_score=number
        )
    items = told(account, cast.rep)
    assert (len(items), len({item.text for item in items if item.source == "touch"})) == (65 + 40, 65)
    assert [item.at for item in items] == sorted((item.at for item in items), reverse=True)
    assert len(told(account, cast.rep, only="signal")) == 40


def test_story_hides_what_the_reader_does_not_see(cast: Cast) -> None:
    account = make_account(owner=cast.outsider)
    theirs = make_renewal(owner=cast.outsider, account=account)
    write_note(renewal=theirs, author=cast.outsider, text="Secret plan")
    Renewal.objects.filter(pk=theirs.pk).update(confidence=10)
    make_renewal(owner=cast.rep, account=account, due_on=dt.date(2027, 1, 31))
    assert {item.source for item in told(account, cast.rep)} == {"contract"}
    assert {"note", "renewal"} < {item.source for item in told(account, cast.outsider)}
    page = cast.client_of("rep").get(f"/accounts/{account.pk}/").content.decode()
    assert "Secret plan" not in page
    assert f"/renewals/{theirs.pk}/" not in page


def make_full(cast: Cast, count: int) -> Account:
    """An account with so many of everything."""
    account = make_account(owner=cast.rep)
    for place in range(count):
        row = make_renewal(owner=cast.rep, account=account, due_on=dt.date(2027, 1, 1) + dt.timedelta(days=place))
        write_note(renewal=row, author=cast.rep, text="x")
        touch(account, cast.rep, at(1 + place))
        Contact.objects.create(account=account, name=f"Contact {place}")
        AccountSignal.objects.create(account=account, measured_on=dt.date(2026, 1, 1 + place), nps_score=place)
        Contract.objects.filter(pk=row.contract_id).update(product=f"P{place}")
        Renewal.objects.filter(pk=row.pk).update(confidence=place)
        make_account(owner=cast.rep, family=account)
    return account


def test_page_costs_the_same_with_more_of_everything(cast: Cast) -> None:
    client = cast.client_of("rep")

    def count(account: Account) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/accounts/{account.pk}/").status_code == 200
        return len(queries)

    few, many = make_full(cast, 1), make_full(cast, 4)
    count(few)  # what a process reads once
    assert count(many) == count(few)


def test_hostile_text_is_shown_as_text(cast: Cast) -> None:
    account = make_account(owner=cast.rep, name=HOSTILE)
    row = make_renewal(owner=cast.rep, account=account)
    write_note(renewal=row, author=cast.rep, text=HOSTILE)
    Contact.objects.create(account=account, name=HOSTILE, role=HOSTILE, email="a@example.com", phone=HOSTILE)
    touch(account, cast.rep, at(1), HOSTILE)
    client = cast.client_of("rep")
    for address in (f"/accounts/{account.pk}/", f"/accounts/{account.pk}/story/", f"/renewals/{row.pk}/"):
        page = client.get(address).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_a_place_that_cannot_be_read_is_the_newest(cast: Cast) -> None:
    account = make_account(owner=cast.rep)
    touch(account, cast.rep, at(1), "the newest")
    for place in ("x", "2026-05-01_0_1", "2026-05-01T00:00:00+00:00_0_99999999999999999999", "%00"):
        assert (
            "the newest" in cast.client_of("rep").get(f"/accounts/{account.pk}/story/?place={place}").content.decode()
        )


def test_family_is_shown_as_a_tree_and_others_accounts_without_their_names(cast: Cast) -> None:
    top = make_account(name="Holding", owner=cast.outsider)
    middle = make_account(name="Group", owner=cast.rep, family=top)
    first = make_account(name="Alpha", owner=cast.rep, family=middle)
    make_account(name="Beta", owner=cast.rep, family=middle)
    shown = [(kin.name, kin.level, kin.is_here) for kin in read_family(first, cast.rep)]
    assert shown == [("", 0, False), ("Group", 1, False), ("Alpha", 2, True), ("Beta", 2, False)]
    assert "Holding" not in cast.client_of("rep").get(f"/accounts/{first.pk}/").content.decode()
    assert read_family(make_account(owner=cast.rep), cast.rep) == []


def test_loop_of_parents_is_refused_and_nothing_is_changed(cast: Cast) -> None:
    top, middle, leaf = (make_account(name=name, owner=cast.rep) for name in ("Top", "Middle", "Leaf"))
    set_family(account_id=middle.pk, parent_id=top.pk, user=cast.manager)
    set_family(account_id=leaf.pk, parent_id=middle.pk, user=cast.manager)
    for parent in (top, middle, leaf):
        with pytest.raises(FamilyLoop):
            set_family(account_id=top.pk, parent_id=parent.pk, user=cast.admin)
    answer = cast.client_of("admin").post(f"/accounts/{top.pk}/family/", {"parent": "Leaf"})
    assert (answer.status_code, "belongs to Top already" in answer.content.decode()) == (422, True)
    top.refresh_from_db()
    assert top.family is None
    for name in ("rep", "viewer", "other_manager"):
        with pytest.raises(PermissionDenied):
            set_family(account_id=leaf.pk, parent_id=None, user=getattr(cast, name))


def test_a_loop_that_is_in_the_book_already_ends_the_walk(cast: Cast) -> None:
    first = make_account(name="First", owner=cast.rep)
    second = make_account(name="Second", owner=cast.rep, family=first)
    Account.objects.filter(pk=first.pk).update(family=second)
    first.refresh_from_db()
    assert {kin.name for kin in read_family(first, cast.rep)} == {"First", "Second"}
    third = make_account(owner=cast.rep)
    set_family(account_id=third.pk, parent_id=first.pk, user=cast.admin)


def test_signals_tell_only_what_moved(cast: Cast) -> None:
    account = make_account()
    days = (
        {"severe_ticket_count": 0, "csat_score": 4.0},
        {"severe_ticket_count": 2},
        {"severe_ticket_count": 2, "csat_score": 4.5},
        {"usage_change_rate": -0.2},
    )
    for number, values in enumerate(days):
        AccountSignal.objects.create(account=account, measured_on=dt.date(2026, 5, 1 + number), **values)
    changes = [
        (change.measured_on.day, change.tone, [(part.old, part.new) for part in change.parts])
        for change in changes_of_signals(account.pk)
    ]
    assert changes == [
        (1, "quiet", [("–", "0"), ("–", "4")]),
        (2, "bad", [("0", "2")]),
        (3, "quiet", [("4", "4.5")]),
    ]


def test_line_spans_its_days_and_values(cast: Cast) -> None:
    account = make_account()
    for day, score in ((1, 10), (6, 30), (11, 20)):
        AccountSignal.objects.create(account=account, measured_on=dt.date(2026, 5, day), nps_score=score)
    (line,) = read_lines(account.pk)
    assert (line.label, line.newest, line.points) == ("NPS", "20", "3.0,37.0 120.0,3.0 237.0,20.0")
    assert line.rows == [(dt.date(2026, 5, 11), "20"), (dt.date(2026, 5, 6), "30"), (dt.date(2026, 5, 1), "10")]

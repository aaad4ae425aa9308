import datetime as dt
import random
from decimal import Decimal

import pytest
from django.db import connection

from accounts.models import FeedbackMark, User
from engagement.feedback.reads import read_effects, read_stakes
from engagement.feedback.sums import add_up, find_scope
from engagement.models import FeedbackAccount, FeedbackCell, FeedbackTheme
from renewals.models import Renewal
from tests.cast import Cast, make_account, make_rate, make_renewal
from tests.engagement.feedback.conftest import TODAY, MakeTicket

pytestmark = pytest.mark.django_db
SUBJECTS = ("Data export fails", "export backup", "Login page", "", "Report login")
STATEMENTS = (
    "UPDATE accounts_ticket SET subject = 'data export' WHERE id %% %(a)s = 0",
    "UPDATE accounts_ticket SET category = 'training' WHERE id %% %(a)s = 1",
    "UPDATE accounts_ticket SET resolved_on = opened_on WHERE id %% %(a)s = 2",
    "UPDATE accounts_ticket SET opened_on = opened_on - %(b)s, resolved_on = NULL WHERE id %% %(a)s = 0",
    "UPDATE accounts_ticket SET account_id = (SELECT min(id) + %(b)s %% 3 FROM accounts_account) WHERE id %% %(a)s = 0",
    "DELETE FROM accounts_ticket WHERE id %% 11 = %(b)s",
    "UPDATE renewals_renewal SET baseline_amount = baseline_amount + %(b)s WHERE id %% %(a)s = 0",
    "UPDATE renewals_renewal SET is_excluded = NOT is_excluded, excluded_reason = 'Merged' WHERE id %% %(a)s = 1",
    "UPDATE renewals_renewal SET currency = 'USD' WHERE id %% %(a)s = 0",
    "UPDATE renewals_renewal SET owner_id = (SELECT min(owner_id) FROM accounts_account) WHERE id %% %(a)s = 1",
    "UPDATE renewals_renewal SET owner_id = NULL WHERE id %% %(a)s = 0",
    "UPDATE accounts_account SET owner_id = (SELECT max(owner_id) FROM accounts_account) WHERE id %% %(a)s = 0",
    "UPDATE accounts_user SET team_id = (SELECT max(id) FROM accounts_team) WHERE id %% 5 = %(a)s AND role = 'rep'",
    "UPDATE engagement_feedbacktheme SET words = '{login}' WHERE id %% %(a)s = 0",
)


def board_of(user: User, as_of: dt.date, scope: int | None) -> list[object]:
    """All that a board says, over each span; of the tickets where `scope` is None."""
    themes = list(FeedbackTheme.objects.all())
    stakes = [
        read_stakes(themes, user, span=span, as_of=as_of, reporting_currency="EUR", scope=scope)
        for span in ("90", "365", "all")
    ]
    return [*stakes, read_effects(themes, user, as_of=as_of, scope=scope)]


@pytest.fixture
def themes(cast: Cast) -> None:
    FeedbackTheme.objects.create(name="Export", words=["export"], status="done", done_on=TODAY - dt.timedelta(60))
    FeedbackTheme.objects.create(name="Login", words=["login", "sign on"], categories=["bug", "other"])
    FeedbackTheme.objects.create(name="Training", categories=["training"])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sums_are_those_of_the_tickets_after_any_change(
    cast: Cast, themes: None, make_ticket: MakeTicket, seed: int
) -> None:
    make_rate("USD", "0.5")
    dice = random.Random(seed)
    owners = [cast.rep, cast.team_mate, cast.outsider, None]
    accounts = [make_account(owner=dice.choice(owners), name=f"Customer {number}") for number in range(12)]
    for account in accounts:
        for _ in range(dice.randrange(3)):
            make_renewal(
                owner=dice.choice(owners), account=account, currency=dice.choice(["EUR", "USD", "JPY"]),
                baseline_amount=Decimal(dice.randrange(1, 9999)),
            )  # fmt: skip
        for _ in range(dice.randrange(6)):
            make_ticket(
                account, dice.choice(SUBJECTS), dice.randrange(-2, 500), category=dice.choice(["bug", "training"])
            )
    readers = [cast.admin, cast.manager, cast.rep, cast.outsider, cast.viewer]
    for turn in range(12):
        as_of = TODAY + dt.timedelta(turn // 4)
        for user in readers:
            user.refresh_from_db()
            while add_up(as_of=as_of):
                pass
            scope = find_scope(user, as_of=as_of)
            assert scope is not None or user.team_id is None
            assert board_of(user, as_of, scope) == board_of(user, as_of, None)
        with connection.cursor() as cursor:
            params = {"a": dice.randrange(2, 5), "b": dice.randrange(1, 9)}
            cursor.execute(dice.choice(STATEMENTS), params)
            cursor.execute(dice.choice(STATEMENTS), params)
    assert FeedbackCell.objects.exists()


def test_an_account_that_is_gone_leaves_no_cell(cast: Cast, themes: None, make_ticket: MakeTicket) -> None:
    ticket = make_ticket(make_account(owner=cast.rep), "export")
    assert find_scope(cast.rep, as_of=TODAY) is None  # themes are new: everything is marked
    add_up(as_of=TODAY)
    assert FeedbackCell.objects.count() > 0
    account = ticket.account
    ticket.delete()
    account.delete()
    add_up(as_of=TODAY)
    assert (FeedbackCell.objects.count(), FeedbackAccount.objects.count()) == (0, 0)


def test_a_reader_adds_up_what_was_marked_since(cast: Cast, themes: None, make_ticket: MakeTicket) -> None:
    add_up(as_of=TODAY)
    make_ticket(make_account(owner=cast.rep), "export")
    assert FeedbackMark.objects.count() == 1
    assert find_scope(cast.rep, as_of=TODAY) == cast.rep.team_id
    assert FeedbackMark.objects.count() == 0
    [export, *_] = FeedbackTheme.objects.all()
    stakes = read_stakes([export], cast.rep, span="all", as_of=TODAY, reporting_currency="EUR", scope=cast.rep.team_id)
    assert (stakes[export.pk].ticket_count, stakes[export.pk].account_count) == (1, 1)


def test_where_much_is_marked_the_tickets_tell(cast: Cast, themes: None, monkeypatch: pytest.MonkeyPatch) -> None:
    add_up(as_of=TODAY)
    assert find_scope(cast.admin, as_of=TODAY) == 0
    monkeypatch.setattr("engagement.feedback.sums.MOST_BY_READER", 2)
    FeedbackMark.objects.bulk_create(FeedbackMark(account_id=number) for number in (7, 8, 9))
    assert find_scope(cast.admin, as_of=TODAY) is None
    assert FeedbackMark.objects.count() == 3


def test_what_the_board_does_not_tell_marks_nothing(cast: Cast, themes: None) -> None:
    renewal = make_renewal(owner=cast.rep)
    add_up(as_of=TODAY)
    Renewal.objects.filter(pk=renewal.pk).update(next_step="Call them", forecast_amount=Decimal(1))
    User.objects.update(last_login=None)
    FeedbackTheme.objects.update(status="accepted", done_on=None)
    assert FeedbackMark.objects.count() == 0
    Renewal.objects.filter(pk=renewal.pk).update(baseline_amount=Decimal(1))
    assert list(FeedbackMark.objects.values_list("account_id", flat=True)) == [renewal.account_id]


def test_truncated_tickets_are_gone_from_the_board(cast: Cast, themes: None, make_ticket: MakeTicket) -> None:
    make_ticket(make_account(owner=cast.rep), "export")
    add_up(as_of=TODAY)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE accounts_ticket")
    add_up(as_of=TODAY)
    assert FeedbackCell.objects.count() == 0

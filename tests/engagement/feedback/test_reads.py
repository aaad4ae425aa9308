import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engagement.feedback.effect import Effect
from engagement.feedback.matching import since_of, tickets_of
from engagement.feedback.reads import (
    AccountRow,
    Month,
    Stake,
    read_accounts,
    read_board,
    read_effects,
    read_months,
    read_stakes,
    read_unsorted,
)
from engagement.feedback.suggestions import Pair
from engagement.models import FeedbackTheme
from tests.cast import Cast, make_account, make_rate, make_renewal
from tests.engagement.feedback.conftest import TODAY, MakeTicket

pytestmark = pytest.mark.django_db


def subjects(theme: FeedbackTheme, cast: Cast, span: str = "365") -> list[str]:
    found = tickets_of(theme, cast.admin, since=since_of(span, TODAY), as_of=TODAY)
    return sorted(found.values_list("subject", flat=True))


def test_a_word_is_meant_from_its_beginning_and_several_side_by_side(cast: Cast, make_ticket: MakeTicket) -> None:
    account = make_account(owner=cast.rep)
    for subject in ("Exports fail", "export", "Import of exporters", "Report", "reexport", "EXPORT!"):
        make_ticket(account, subject)
    for subject in ("Data export", "data: exports broken", "export data", "data and export"):
        make_ticket(account, subject)
    make_ticket(account, "Something", theme="Data export (desk)")
    one = FeedbackTheme.objects.create(name="Word", words=["Export"])
    both = FeedbackTheme.objects.create(name="Pair", words=["data export", "?!"])
    assert len(subjects(one, cast)) == 9
    assert subjects(both, cast) == ["Data export", "Something", "data: exports broken"]


def test_categories_and_words_have_to_hold_both(cast: Cast, make_ticket: MakeTicket) -> None:
    account = make_account(owner=cast.rep)
    make_ticket(account, "export a", category="bug")
    make_ticket(account, "export b", category="training")
    make_ticket(account, "import c", category="bug")
    both = FeedbackTheme.objects.create(name="Both", words=["export"], categories=["bug", "documentation"])
    category = FeedbackTheme.objects.create(name="Category", categories=["bug"])
    assert (subjects(both, cast), subjects(category, cast)) == (["export a"], ["export a", "import c"])


def test_the_span_begins_after_its_first_day_and_ends_today(cast: Cast, make_ticket: MakeTicket) -> None:
    account = make_account(owner=cast.rep)
    for days_ago in (-1, 0, 89, 90, 364, 365, 4000):
        make_ticket(account, f"export {days_ago}", days_ago)
    theme = FeedbackTheme.objects.create(name="Export", words=["export"])
    assert [len(subjects(theme, cast, span)) for span in ("90", "365", "all")] == [2, 4, 6]


def test_stake_is_of_the_open_renewals_that_the_reader_sees(cast: Cast, make_ticket: MakeTicket) -> None:
    make_rate("USD", "0.5")
    mine, other = make_account(owner=cast.rep), make_account(owner=cast.outsider)
    make_renewal(owner=cast.rep, account=mine, baseline_amount=Decimal("100.01"))
    make_renewal(owner=cast.rep, account=mine, baseline_amount=Decimal(30), currency="USD")
    make_renewal(owner=cast.rep, account=mine, baseline_amount=Decimal(7), currency="JPY")
    make_renewal(owner=cast.rep, account=mine, is_excluded=True, excluded_reason="Agreed")
    make_renewal(owner=cast.outsider, account=other, baseline_amount=Decimal(1000))
    for account in (mine, other):
        make_ticket(account, "export")
        make_ticket(account, "exports", resolved_on=TODAY)
    make_ticket(mine, "login")
    export = FeedbackTheme.objects.create(name="Export", words=["export"])
    login = FeedbackTheme.objects.create(name="Login", words=["login"])
    empty = FeedbackTheme.objects.create(name="Empty", words=["nothing"])
    themes = [export, login, empty]

    def of(user: str) -> dict[int, Stake]:
        return read_stakes(themes, getattr(cast, user), span="365", as_of=TODAY, reporting_currency="EUR")

    of_mine = Stake(2, 1, 1, Decimal("115.01"), ["JPY"])
    assert of("rep") == {
        export.pk: of_mine,
        login.pk: Stake(1, 1, 1, Decimal("115.01"), ["JPY"]),
        empty.pk: Stake(),
    }
    assert of("admin")[export.pk] == Stake(4, 2, 2, Decimal("1115.01"), ["JPY"])
    assert of("outsider") == {export.pk: Stake(2, 1, 1, Decimal(1000)), login.pk: Stake(), empty.pk: Stake()}


def test_board_reads_as_much_for_one_theme_as_for_three(cast: Cast, make_ticket: MakeTicket) -> None:
    make_ticket(make_account(owner=cast.rep), "export")
    counts = []
    for name in ("Export", "Login", "Reset"):
        FeedbackTheme.objects.create(name=name, words=[name], owner=cast.rep, status="done", done_on=TODAY)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            read_board(cast.rep, span="365", as_of=TODAY, reporting_currency="EUR")
        counts.append(len(queries))
    assert counts == [6, 6, 6]


def test_columns_are_in_the_order_of_the_work_with_the_most_at_stake_first(cast: Cast, make_ticket: MakeTicket) -> None:
    small, large = make_account(owner=cast.rep), make_account(owner=cast.rep)
    make_renewal(owner=cast.rep, account=small, baseline_amount=Decimal(100))
    make_renewal(owner=cast.rep, account=large, baseline_amount=Decimal(900))
    make_ticket(small, "export")
    make_ticket(large, "login")
    for name in ("Export", "Login", "Quiet"):
        FeedbackTheme.objects.create(name=name, words=[name])
    FeedbackTheme.objects.create(name="Old", words=["export"], status="accepted", owner=cast.rep)
    board = read_board(cast.rep, span="365", as_of=TODAY, reporting_currency="EUR")
    assert [column.status for column in board] == ["new", "accepted", "in_progress", "done", "declined"]
    assert [card.theme.name for card in board[0].cards] == ["Login", "Export", "Quiet"]
    assert (board[0].amount, board[1].amount) == (Decimal(1000), Decimal(100))
    assert [(card.may_move, card.left, card.right) for card in board[1].cards] == [(True, "new", "in_progress")]
    assert [card.may_move for card in board[0].cards] == [False, False, False]


def test_effect_counts_180_days_before_and_what_came_since(cast: Cast, make_ticket: MakeTicket) -> None:
    account, done_on = make_account(owner=cast.rep), TODAY - dt.timedelta(60)
    for days_ago in (0, 59, 60, 61, 239, 240):  # since, since, the day itself, before, before, too long ago
        make_ticket(account, "export", days_ago)
    make_ticket(account, "other", 1)
    make_ticket(account, "other", 100)
    make_ticket(make_account(owner=cast.outsider), "export", 1)
    done = FeedbackTheme.objects.create(name="Export", words=["export"], status="done", done_on=done_on)
    FeedbackTheme.objects.create(name="Other", words=["other"])
    found = read_effects(FeedbackTheme.objects.all(), cast.rep, as_of=TODAY)
    assert found == {done.pk: Effect(before=3, since=2, others_before=1, others_since=1, days_since=60)}


def test_what_is_in_no_theme_is_counted_and_suggests_words(cast: Cast, make_ticket: MakeTicket) -> None:
    for number in range(3):
        account = make_account(owner=cast.rep)
        make_ticket(account, "Password reset fails", category="bug")
        make_ticket(account, f"export {number}")
    make_ticket(make_account(owner=cast.outsider), "Password reset fails")
    theme = FeedbackTheme.objects.create(name="Export", words=["export"])
    found = read_unsorted([theme], cast.rep, span="365", as_of=TODAY)
    assert (found.ticket_count, found.all_count, found.read_count) == (3, 6, 3)
    assert found.categories == [("bug", "Bug", 3)]
    assert found.pairs == [Pair("password reset", 3, 3), Pair("reset fails", 3, 3)]
    everything = read_unsorted([], cast.admin, span="365", as_of=TODAY)
    assert (everything.ticket_count, everything.all_count) == (7, 7)


def test_months_without_tickets_are_there(cast: Cast, make_ticket: MakeTicket) -> None:
    account = make_account(owner=cast.rep)
    for days_ago in (0, 29, 30, 31, 400):
        make_ticket(account, "export", days_ago)
    theme = FeedbackTheme.objects.create(name="Export", words=["export"])
    months = read_months(theme, cast.rep, as_of=TODAY)
    assert months[:3] == [
        Month(dt.date(2026, 6, 1), 2, 100), Month(dt.date(2026, 5, 1), 2, 100), Month(dt.date(2026, 4, 1), 0, 0),
    ]  # fmt: skip
    assert (len(months), months[-1].first_on) == (12, dt.date(2025, 7, 1))


def test_accounts_of_a_theme_come_by_what_is_at_stake(cast: Cast, make_ticket: MakeTicket) -> None:
    make_rate("USD", "0.5")
    small, large = make_account(owner=cast.rep, name="Small"), make_account(owner=cast.rep, name="Large")
    make_renewal(owner=cast.rep, account=small, baseline_amount=Decimal(100))
    make_renewal(owner=cast.rep, account=large, baseline_amount=Decimal(900), currency="USD")
    make_renewal(owner=cast.rep, account=large, baseline_amount=Decimal(5), currency="JPY")
    make_ticket(small, "export")
    make_ticket(small, "export", resolved_on=TODAY)
    make_ticket(large, "export")
    theme = FeedbackTheme.objects.create(name="Export", words=["export"])
    assert read_accounts(theme, cast.rep, span="365", as_of=TODAY) == [
        AccountRow(large.pk, "Large", 1, 1, Decimal("450.00")),
        AccountRow(small.pk, "Small", 2, 1, Decimal("100.00")),
    ]
    assert read_accounts(theme, cast.outsider, span="365", as_of=TODAY) == []

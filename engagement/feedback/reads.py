"""What a reader sees of each theme: how many tickets, of how many accounts, and what of theirs is up for renewal."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum, Value
from django.db.models.functions import TruncMonth

from accounts.exchange import read_rates
from accounts.models import Ticket, User
from engagement.feedback.effect import COMPARED_DAYS, Effect
from engagement.feedback.matching import since_of, tickets_between, tickets_of
from engagement.feedback.suggestions import Pair, frequent_pairs
from engagement.feedback.sums import find_scope, read_days, read_hits
from engagement.models import FeedbackTheme
from engagement.models.feedback_sums import ALL_TICKETS
from renewals.models import Renewal

CENT = Decimal("0.01")
OPEN = Q(resolved_on__isnull=True)
READ_FOR_PAIRS = 20_000
Rows = QuerySet[Any, Any]


@dataclass
class Stake:
    """Tickets of a span and their accounts; `amount` is the baseline of these accounts' open renewals that the reader
    sees, less approved exceptions, in the reporting currency."""

    ticket_count: int = 0
    open_count: int = 0
    account_count: int = 0
    amount: Decimal = Decimal(0)
    without_rate: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Card:
    theme: FeedbackTheme
    stake: Stake
    effect: Effect | None  # of what is done
    may_move: bool
    left: FeedbackTheme.Status | None  # the columns beside its own
    right: FeedbackTheme.Status | None


@dataclass(frozen=True)
class Column:
    status: FeedbackTheme.Status
    cards: list[Card]
    amount: Decimal  # of all accounts in it, each once for each theme


def read_stakes(
    themes: Sequence[FeedbackTheme],
    user: User,
    *,
    span: str,
    as_of: dt.date,
    reporting_currency: str,
    scope: int | None = None,
) -> dict[int, Stake]:
    """By theme, in one statement, over the sums of a scope (`find_scope`) or the tickets. Each currency is converted
    once."""
    found = {theme.pk: Stake() for theme in themes}
    if not themes:
        return found
    rates = read_rates(as_of=as_of, reporting_currency=reporting_currency)
    if scope is None:
        hits = _read_hits(themes, user, span=span, as_of=as_of)
    else:
        hits = read_hits(scope, list(found), since=since_of(span, as_of), as_of=as_of)
    for pk, currency, ticket_count, open_count, account_count, amount in sorted(hits, key=lambda hit: hit[:2]):
        stake = found[pk]
        if amount is None:
            stake.ticket_count, stake.open_count, stake.account_count = ticket_count, open_count, account_count
        elif currency in rates:
            stake.amount += (amount * rates[currency]).quantize(CENT)
        else:
            stake.without_rate.append(currency)
    return found


def _read_hits(
    themes: Sequence[FeedbackTheme], user: User, *, span: str, as_of: dt.date
) -> list[tuple[int, str, int, int, int, Decimal | None]]:
    """What `read_hits` tells, of the tickets themselves."""
    since = since_of(span, as_of)
    hits = _union([_by_account(tickets_of(theme, user, since=since, as_of=as_of), theme) for theme in themes])
    open_renewals = Renewal.objects.visible_to(user).open().filter(is_excluded=False).order_by()
    sums = open_renewals.values_list("account", "currency").annotate(Sum("baseline_amount"))
    (hit_sql, hit_params), (sum_sql, sum_params) = hits.query.sql_with_params(), sums.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH hit (theme, account_id, ticket_count, open_count) AS MATERIALIZED ({hit_sql}),
                stake (account_id, currency, amount) AS ({sum_sql})
            SELECT theme, '', sum(ticket_count)::bigint, sum(open_count)::bigint, count(*), NULL
            FROM hit GROUP BY theme
            UNION ALL
            SELECT theme, currency, 0, 0, 0, sum(amount) FROM hit JOIN stake USING (account_id) GROUP BY 1, 2
            """,
            (*hit_params, *sum_params),
        )
        found: list[tuple[int, str, int, int, int, Decimal | None]] = cursor.fetchall()
        return found


def _by_account(tickets: QuerySet[Ticket], theme: FeedbackTheme) -> Rows:
    counted = tickets.order_by().values("account").annotate(
        theme=Value(theme.pk), ticket_count=Count("pk"), open_count=Count("pk", filter=OPEN)
    )  # fmt: skip
    return cast(Rows, counted.values_list("theme", "account", "ticket_count", "open_count"))


def _union(rows: list[Rows]) -> Rows:
    return rows[0].union(*rows[1:], all=True) if len(rows) > 1 else rows[0]


def read_effects(
    themes: Iterable[FeedbackTheme], user: User, *, as_of: dt.date, scope: int | None = None
) -> dict[int, Effect]:
    """Of the themes that are done. Of a scope one statement over its sums, else two over the tickets."""
    done = [theme for theme in themes if theme.done_on]
    if not done:
        return {}
    since = min(cast(dt.date, theme.done_on) for theme in done) - dt.timedelta(COMPARED_DAYS)
    by_day: dict[int, Counter[dt.date]] = {pk: Counter() for pk in (ALL_TICKETS, *(theme.pk for theme in done))}
    if scope is None:
        days = _read_days(done, user, since=since, as_of=as_of)
    else:
        days = read_days(scope, list(by_day), since=since, as_of=as_of)
    for pk, day, count in days:
        by_day[pk][day] = count
    every = by_day[ALL_TICKETS]
    return {theme.pk: _effect(by_day[theme.pk], every, cast(dt.date, theme.done_on), as_of) for theme in done}


def _read_days(
    themes: Sequence[FeedbackTheme], user: User, *, since: dt.date, as_of: dt.date
) -> Iterator[tuple[int, dt.date, int]]:
    """What `read_days` tells, of the tickets themselves."""
    rows = [
        tickets_of(theme, user, since=since, as_of=as_of).order_by().values("opened_on")
        .annotate(theme=Value(theme.pk), ticket_count=Count("pk")).values_list("theme", "opened_on", "ticket_count")
        for theme in themes
    ]  # fmt: skip
    yield from _union(cast(list[Rows], rows))
    every = tickets_between(user, since=since, as_of=as_of).order_by().values_list("opened_on")
    yield from ((ALL_TICKETS, day, count) for day, count in every.annotate(Count("pk")))


def _effect(theme: Counter[dt.date], every: Counter[dt.date], done_on: dt.date, as_of: dt.date) -> Effect:
    first_on, last_on = done_on - dt.timedelta(COMPARED_DAYS), min(as_of, done_on + dt.timedelta(COMPARED_DAYS))

    def opened(days: Counter[dt.date], after: dt.date, until: dt.date) -> int:
        return sum(count for day, count in days.items() if after < day <= until)

    before, since = opened(theme, first_on, done_on), opened(theme, done_on, last_on)
    return Effect(
        before=before,
        since=since,
        others_before=opened(every, first_on, done_on) - before,
        others_since=opened(every, done_on, last_on) - since,
        days_since=max((last_on - done_on).days, 0),
    )


def read_board(user: User, *, span: str, as_of: dt.date, reporting_currency: str) -> list[Column]:
    """The columns in the order of the work, in each the theme with the most at stake first."""
    themes = list(FeedbackTheme.objects.select_related("owner"))
    scope = find_scope(user, as_of=as_of)
    stakes = read_stakes(themes, user, span=span, as_of=as_of, reporting_currency=reporting_currency, scope=scope)
    effects = read_effects(themes, user, as_of=as_of, scope=scope)
    order = list(FeedbackTheme.Status)
    columns = []
    for place, status in enumerate(order):
        left = order[place - 1] if place else None
        right = order[place + 1] if place + 1 < len(order) else None
        cards = [
            Card(theme, stakes[theme.pk], effects.get(theme.pk), may_handle(user, theme), left, right)
            for theme in themes
            if theme.status == status
        ]
        cards.sort(key=lambda card: (-card.stake.amount, -card.stake.ticket_count, card.theme.name))
        columns.append(Column(status, cards, sum((card.stake.amount for card in cards), Decimal(0))))
    return columns


def may_handle(user: User, theme: FeedbackTheme) -> bool:
    """Admins and managers route themes and move them on, and so does the person a theme was given to."""
    return user.role in (User.Role.ADMIN, User.Role.MANAGER) or (
        theme.owner_id == user.pk and user.role != User.Role.VIEWER
    )


@dataclass(frozen=True)
class Unsorted:
    """Tickets of a span in no theme: how many of how many, by category, and what their subjects have in common."""

    ticket_count: int
    all_count: int
    categories: list[tuple[str, str, int]]  # value, label, tickets; the most first
    pairs: list[Pair]
    read_count: int  # the newest of them, whose subjects were read for the pairs


def read_unsorted(themes: Sequence[FeedbackTheme], user: User, *, span: str, as_of: dt.date) -> Unsorted:
    since = since_of(span, as_of)
    tickets = tickets_between(user, since=since, as_of=as_of).order_by()
    all_count = tickets.count()
    if themes:
        parts = [
            tickets_of(theme, user, since=since, as_of=as_of).order_by().values_list("pk", flat=True)
            for theme in themes
        ]
        tickets = tickets.exclude(pk__in=_union(cast(list[Rows], parts)))
    labels = dict(Ticket.Category.choices)
    counts = tickets.values_list("category").annotate(count=Count("pk")).order_by("-count", "category")
    categories = [(value, str(labels[value]), count) for value, count in counts]
    newest = tickets.exclude(subject="").order_by("-opened_on", "-pk").values_list("account", "subject")
    texts = list(newest[:READ_FOR_PAIRS])
    unsorted_count = sum(count for _, _, count in categories)
    return Unsorted(unsorted_count, all_count, categories, frequent_pairs(texts), len(texts))


@dataclass(frozen=True)
class Month:
    first_on: dt.date
    ticket_count: int
    percent: int  # of the largest month


def read_months(theme: FeedbackTheme, user: User, *, as_of: dt.date, month_count: int = 12) -> list[Month]:
    """Tickets opened in each of the last twelve months, the present one included, a month without any too."""
    months = [as_of.replace(day=1)]
    while len(months) < month_count:
        months.append((months[-1] - dt.timedelta(days=1)).replace(day=1))
    opened = tickets_of(theme, user, since=months[-1] - dt.timedelta(days=1), as_of=as_of).order_by()
    counts = dict(opened.values_list(TruncMonth("opened_on")).annotate(Count("pk")))
    largest = max(counts.values(), default=0) or 1
    return [Month(month, counts.get(month, 0), round(100 * counts.get(month, 0) / largest)) for month in months]


@dataclass(frozen=True)
class AccountRow:
    account_id: int
    name: str
    ticket_count: int
    open_count: int
    amount: Decimal


SHOWN_ACCOUNTS = 10


def read_accounts(theme: FeedbackTheme, user: User, *, span: str, as_of: dt.date) -> list[AccountRow]:
    """The first ten by baseline at stake. An amount without an exchange rate counts 0 here; the sum names it."""
    hits = _by_account(tickets_of(theme, user, since=since_of(span, as_of), as_of=as_of), theme)
    open_renewals = Renewal.objects.visible_to(user).open().filter(is_excluded=False).order_by()
    sums = open_renewals.values_list("account", "currency").annotate(Sum("baseline_amount"))
    (hit_sql, hit_params), (sum_sql, sum_params) = hits.query.sql_with_params(), sums.query.sql_with_params()
    rates = read_rates(as_of=as_of)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH hit (theme, account_id, ticket_count, open_count) AS MATERIALIZED ({hit_sql}),
                stake (account_id, currency, amount) AS ({sum_sql})
            SELECT h.account_id, a.name, h.ticket_count, h.open_count,
                round(coalesce(sum(s.amount * r.rate), 0), 2) AS amount
            FROM hit h JOIN accounts_account a ON a.id = h.account_id
            LEFT JOIN stake s ON s.account_id = h.account_id
            LEFT JOIN unnest(%s::text[], %s::numeric[]) r (currency, rate) USING (currency)
            GROUP BY 1, 2, 3, 4 ORDER BY amount DESC, h.ticket_count DESC, h.account_id LIMIT {SHOWN_ACCOUNTS}
            """,
            (*hit_params, *sum_params, list(rates), list(rates.values())),
        )
        return [AccountRow(*row) for row in cursor.fetchall()]

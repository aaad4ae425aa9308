"""Which tickets belong to a theme: one rule, from which board, list and file are read."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Sequence
from functools import reduce
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVector

from accounts.models import Ticket, TicketQuerySet, User
from engagement.models import FeedbackTheme

# As the index on tickets has it.
WORDS = SearchVector("subject", "theme", config="simple")
SPANS = {"90": 90, "365": 365, "all": None}
SPAN_LABELS = {"90": "90 days", "365": "12 months", "all": "All"}
USUAL_SPAN = "365"


class WordBeginning(SearchQuery):
    """Words that stand side by side in this order, the last of them by its beginning. A text without a word in it, such
    as "?!", is found nowhere."""

    template = "coalesce((nullif(%(function)s(%(expressions)s)::text, '') || ':*')::tsquery, ''::tsquery)"

    def __init__(self, text: str) -> None:
        super().__init__(text, config="simple", search_type="phrase")


def match_words(tickets: TicketQuerySet, words: Sequence[str]) -> TicketQuerySet:
    """Those with one of the words in their subject, or in the theme that the support desk gave them."""
    query: Any = reduce(operator.or_, (WordBeginning(word) for word in words))
    return tickets.annotate(text_words=WORDS).filter(text_words=query)


def tickets_of(theme: FeedbackTheme, user: User, *, since: dt.date | None, as_of: dt.date) -> TicketQuerySet:
    """Tickets of a theme that a user sees, opened after one day (None: ever) and not after another."""
    return match_rule(tickets_between(user, since=since, as_of=as_of), theme)


def match_rule(tickets: TicketQuerySet, theme: FeedbackTheme) -> TicketQuerySet:
    if theme.categories:
        tickets = tickets.filter(category__in=theme.categories)
    return match_words(tickets, theme.words) if theme.words else tickets


def tickets_between(user: User, *, since: dt.date | None, as_of: dt.date) -> TicketQuerySet:
    tickets = Ticket.objects.visible_to(user).filter(opened_on__lte=as_of)
    return tickets if since is None else tickets.filter(opened_on__gt=since)


def since_of(span: str, as_of: dt.date) -> dt.date | None:
    """The day before a span, a key of `SPANS`, begins."""
    days = SPANS[span]
    return None if days is None else as_of - dt.timedelta(days=days)


def read_span(text: str | None) -> str:
    return text if text in SPANS else USUAL_SPAN

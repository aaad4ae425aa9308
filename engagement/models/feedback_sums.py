"""What the feedback board is read from: see engagement.feedback.sums."""

from __future__ import annotations

from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

ALL_TICKETS: Final = 0  # in place of a theme
BOOK: Final = 0  # in place of a team: all accounts


class FeedbackAccount(models.Model):
    """What one account adds to the cells, so that it can be taken out of them again. Keys of nothing, as in the marks.

    Side by side: a theme and a day on which tickets of it were opened, with how many and how many of them are open;
    then a scope in which the account is seen and a currency, with the baseline up for renewal. Each scope is there once
    with a blank currency.
    """

    account_id = models.BigIntegerField(primary_key=True)
    themes = ArrayField(models.IntegerField())
    opened_on = ArrayField(models.DateField())
    ticket_counts = ArrayField(models.IntegerField())
    open_counts = ArrayField(models.IntegerField())
    scopes = ArrayField(models.IntegerField())
    currencies = ArrayField(models.CharField(max_length=3))
    amounts = ArrayField(models.DecimalField(max_digits=20, decimal_places=2))
    next_on = models.DateField(null=True)  # the first day to come with a ticket, on which it is added up again

    class Meta:
        indexes = [models.Index(fields=["next_on"], name="feedback_next", condition=Q(next_on__isnull=False))]

    def __str__(self) -> str:
        return f"feedback of {self.account_id}"


class FeedbackCell(models.Model):
    """Sums of a theme over the accounts that a team (or who sees the book) sees.

    With a blank currency: tickets by the day on which they were opened, accounts by that of their newest ticket, so
    that the accounts of a span are those whose newest ticket is in it. With a currency: the accounts with open renewals
    in it and their baseline, less approved exceptions, by the day of the newest ticket.
    """

    scope = models.IntegerField()
    theme = models.IntegerField()
    day = models.DateField()
    currency = models.CharField(max_length=3, blank=True)
    ticket_count = models.BigIntegerField()
    open_count = models.BigIntegerField()
    account_count = models.BigIntegerField()
    amount = models.DecimalField(max_digits=24, decimal_places=2)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "theme", "day", "currency"], name="feedback_cell_once")]
        indexes = [
            models.Index(fields=["scope"], name="feedback_cell_empty", condition=Q(ticket_count=0, account_count=0))
        ]

    def __str__(self) -> str:
        return f"theme {self.theme} on {self.day} in scope {self.scope}"

"""Accounts whose share of the feedback board has to be added up again."""

from __future__ import annotations

from typing import Final

from django.db import models

EVERYTHING: Final = 0  # in place of an account: a theme's rule changed, or who is in which team


class FeedbackMark(models.Model):
    """A row for each time that something of an account changed; triggers write it (migration 0021 of engagement).

    Rows are only ever added, so nobody who edits waits for whoever is adding up, and what is taken away is never more
    than what was seen. No key: the account may be gone, which has to be noticed too.
    """

    account_id = models.BigIntegerField()

    def __str__(self) -> str:
        return f"feedback of {self.account_id}"


MARK_FEEDBACK: Final = "INSERT INTO accounts_feedbackmark (account_id) SELECT DISTINCT account_id FROM {rows}"

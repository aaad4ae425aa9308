"""The address at which a calendar program reads a person's own dates."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from accounts.models import User


class CalendarFeed(models.Model):
    """At most one per person. The address is shown once; only the SHA-256 of its token is kept."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="calendar_feed")
    token_hash = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"calendar of {self.user}"

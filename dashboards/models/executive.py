"""Who is mailed the executive page, and when."""

from __future__ import annotations

import datetime as dt

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import User
from config.history import track_history
from engagement.models import OutgoingMail


class Weekday(models.IntegerChoices):
    """As date.isoweekday counts them."""

    MONDAY = 1, "Monday"
    TUESDAY = 2, "Tuesday"
    WEDNESDAY = 3, "Wednesday"
    THURSDAY = 4, "Thursday"
    FRIDAY = 5, "Friday"
    SATURDAY = 6, "Saturday"
    SUNDAY = 7, "Sunday"


def _mondays() -> list[int]:
    return [int(Weekday.MONDAY)]


class ExecutiveMailQuerySet(models.QuerySet["ExecutiveMail"]):
    def due(self, on: dt.date, hour: int) -> ExecutiveMailQuerySet:
        """Who asked for one, or whose day and hour have come by the company's clock; nobody who may not sign in."""
        has_come = Q(is_on=True) & (Q(next_on__lt=on) | Q(next_on=on, hour__lte=hour))
        is_asked = Q(asked_at__isnull=False)
        return self.filter(has_come | is_asked, user__is_active=True).order_by("next_on", "hour", "pk")

    def with_people(self) -> ExecutiveMailQuerySet:
        """Who gets it by now, by name, with what became of the last one."""
        rows = self.filter(is_on=True, user__is_active=True)
        return rows.select_related("user", "last_mail").order_by("user__name", "pk")


@track_history(exclude=("next_on", "asked_at", "last_mail"), is_making_kept=True)
class ExecutiveMail(models.Model):
    """The executive page by mail, to one person, of what that person sees; on some weekdays at an hour.

    Days and hours are the company's, so that a change of its time zone moves them along. `next_on` is the day of the
    next mail: what was missed while no worker ran goes once, when one does.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="executive_mail", verbose_name="person")
    is_on = models.BooleanField("by mail", default=True)
    weekdays = ArrayField(models.PositiveSmallIntegerField(choices=Weekday), default=_mondays)
    hour = models.PositiveSmallIntegerField(default=7, validators=[MaxValueValidator(23)])
    next_on = models.DateField()
    asked_at = models.DateTimeField(null=True, blank=True)  # "send me one now", until it is queued
    last_mail = models.ForeignKey(
        OutgoingMail, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )

    objects = ExecutiveMailQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(weekdays__len__gt=0, weekdays__contained_by=Weekday.values),
                name="executive_mail_weekdays",
                violation_error_message="Mail goes out on one weekday or more, from Monday (1) to Sunday (7).",
            ),
            models.CheckConstraint(
                condition=Q(hour__lte=23),
                name="executive_mail_hour",
                violation_error_message="An hour is from 0 to 23.",
            ),
        ]

    def __str__(self) -> str:
        return f"Executive page for {self.user}"

    def next_day(self, today: dt.date, hour: int) -> dt.date:
        """The first of its days whose hour is still to come, after this hour of this day."""
        days = (today + dt.timedelta(days=ahead) for ahead in range(8))
        is_over = self.hour <= hour
        return next(day for day in days if day.isoweekday() in self.weekdays and not (is_over and day == today))

    @property
    def when(self) -> str:
        """Mondays and Fridays at 07:00."""
        *others, last = (f"{Weekday(day).label}s" for day in self.weekdays)
        named = f"{', '.join(others)} and {last}" if others else last
        return f"{'every day' if len(others) == 6 else named} at {self.hour:02}:00"

"""Every time that somebody of the company was in contact with a customer."""

from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Q

from accounts.models.accounts import Account
from accounts.models.contacts import Contact
from accounts.models.people import User
from config.history import track_history


class TouchQuerySet(models.QuerySet["Touch"]):
    def visible_to(self, user: User) -> TouchQuerySet:
        return self if user.sees_all else self.filter(account__in=Account.objects.visible_to(user))


# Who made it and when stands in the row itself, so history needs no event of the making.
@track_history(exclude=())
class Touch(models.Model):
    """A call, a mail, a meeting or a review that has taken place, and when the next one was agreed for."""

    class Kind(models.TextChoices):
        CALL = "call", "Call"
        MAIL = "mail", "Mail"
        MEETING = "meeting", "Meeting"
        REVIEW = "review", "Review"
        OTHER = "other", "Other"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="touches", db_index=False)
    # Its id in the system that it was imported from.
    external_id = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=7, choices=Kind)
    happened_at = models.DateTimeField("when")
    contact = models.ForeignKey(
        Contact, on_delete=models.SET_NULL, null=True, blank=True, related_name="touches", db_index=False
    )
    author = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="touches", db_index=False
    )
    note = models.CharField(max_length=4000, blank=True)
    next_touch_on = models.DateField("next touch", null=True, blank=True)
    # The account's last touch as it was known from elsewhere (an import) when this one was logged, whatever touches
    # were kept here by then: so that one logged by mistake can be taken back.
    replaced_touch_on = models.DateField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(db_default=TransactionNow(), editable=False)

    objects = TouchQuerySet.as_manager()

    class Meta:
        ordering = ["-happened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["external_id"], condition=~Q(external_id=""), name="touch_external_id_once")
        ]
        indexes = [
            models.Index(fields=["account", "-happened_at", "-id"], name="touch_of_account"),
            # What is mostly blank is indexed only where it is not.
            models.Index(fields=["contact"], name="touch_with_contact", condition=Q(contact__isnull=False)),
            models.Index(
                fields=["account", "next_touch_on"], name="touch_next", condition=Q(next_touch_on__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} with {self.account}"

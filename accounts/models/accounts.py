"""The customers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Q

from accounts.models.lists import Industry, Segment
from accounts.models.people import User, owners_visible_to
from config.history import track_history


class AccountQuerySet(models.QuerySet["Account"]):
    def visible_to(self, user: User) -> AccountQuerySet:
        """Accounts a user may know of: those of their scope, by the account's owner or any of its renewals' owners."""
        if user.sees_all:
            return self
        return self._of_owners(owner__in=owners_visible_to(user))

    def editable_by(self, user: User, *, among: Collection[int] | None = None) -> AccountQuerySet:
        """Accounts whose touches and people a user writes: theirs, or with a renewal of theirs; a manager's team's.

        `among`: only these are asked about, so that nobody collects all others first.
        """
        rows = self if among is None else self.filter(pk__in=among)
        if user.role == User.Role.ADMIN:
            return rows
        if user.role == User.Role.MANAGER and user.team_id is not None:
            return rows._of_owners(among, owner__team_id=user.team_id)
        if user.role == User.Role.REP:
            return rows._of_owners(among, owner=user)
        return self.none()

    def _of_owners(self, among: Collection[int] | None = None, **owned: Any) -> AccountQuerySet:
        """Those whose owner is such a one, or the owner of any of their renewals.

        A union, each half through its index: asked by OR over a join, the whole book is read and made distinct.
        """
        asked = Account.objects.all() if among is None else Account.objects.filter(pk__in=among)
        own, through_renewals = (
            asked.filter(**{f"{path}{name}": value for name, value in owned.items()}).order_by().values("pk")
            for path in ("", "renewals__")
        )
        return self.filter(pk__in=own.union(through_renewals))


@track_history()
class Account(models.Model):
    """A customer organisation."""

    class TouchModel(models.TextChoices):
        HIGH = "high", "High touch"
        MID = "mid", "Mid touch"
        LOW = "low", "Low touch"

    name = models.CharField(max_length=200)
    external_id = models.CharField(max_length=80, blank=True, help_text="Its id in the system it was imported from.")
    # A segment is a large share of the book, which no index helps to find.
    segment = models.ForeignKey(
        Segment, on_delete=models.PROTECT, null=True, blank=True, related_name="accounts", db_index=False
    )
    industry = models.ForeignKey(Industry, on_delete=models.PROTECT, null=True, blank=True, related_name="accounts")
    region = models.CharField(max_length=60, blank=True)
    owner = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="owned_accounts", db_index=False
    )
    family = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children", db_index=False
    )
    customer_since_on = models.DateField(null=True, blank=True)
    last_touch_on = models.DateField(null=True, blank=True)
    # How closely it is looked after; blank where nobody has said.
    touch_model = models.CharField(max_length=4, choices=TouchModel, blank=True, default="", db_default="")
    attributes = models.JSONField(default=dict, blank=True, help_text="Values of the custom attributes, by key.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["external_id"], condition=~Q(external_id=""), name="account_external_id_once"
            ),
            models.CheckConstraint(condition=~Q(family=F("pk")), name="account_not_its_own_family"),
            models.CheckConstraint(condition=~Q(name=""), name="account_has_name"),
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="account_name_id"),
            # What is often blank is indexed only where it is not.
            models.Index(
                fields=["last_touch_on", "id"], name="account_last_touch", condition=Q(last_touch_on__isnull=False)
            ),
            models.Index(fields=["owner"], name="account_owner", condition=Q(owner__isnull=False)),
            models.Index(fields=["family"], name="account_family", condition=Q(family__isnull=False)),
            # Search by the beginnings of words, without reading the book; needs no extension.
            GinIndex(SearchVector("name", "external_id", config="simple"), name="account_search"),
        ]

    def __str__(self) -> str:
        return self.name

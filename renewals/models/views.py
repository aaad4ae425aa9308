"""Views of the central table that people keep by name."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from accounts.models import Team, User
from config.history import track_history

ADDRESS_LENGTH = 4000


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, user: User) -> SavedViewQuerySet:
        """One's own, those of one's team, those for everyone; an admin knows of every team's."""
        shared = Q(visibility=SavedView.Visibility.EVERYONE)
        team = Q(visibility=SavedView.Visibility.TEAM)
        if not user.is_admin:
            team &= Q(team=user.team_id) if user.team_id else Q(pk__in=[])
        return self.filter(Q(visibility=SavedView.Visibility.PRIVATE, owner=user) | team | shared)


@track_history(is_making_kept=True)
class SavedView(models.Model):
    """A name for an address of the table, and nothing else: it opens rows that its reader may see, never others.

    `address` is the canonical query string, see renewals.saved_views.address. `is_default`: of its owner where it is
    private, of its team, or of the company.
    """

    class Visibility(models.TextChoices):
        PRIVATE = "private", "Only me"
        TEAM = "team", "My team"
        EVERYONE = "everyone", "Everyone"

    name = models.CharField(max_length=80)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="saved_views", db_index=False)
    # Set where it is for a team, and only there; it goes with the team.
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="saved_views", db_index=False)
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.PRIVATE)
    address = models.CharField(max_length=ADDRESS_LENGTH)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # What a change is compared with: whoever saves says which state they saw.
    updated_at = models.DateTimeField(default=timezone.now)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(address=""),
                name="saved_view_has_name",
                violation_error_message="A view needs a name and an address.",
            ),
            models.CheckConstraint(
                condition=Q(visibility="team", team__isnull=False) | (~Q(visibility="team") & Q(team__isnull=True)),
                name="saved_view_team",
                violation_error_message="A view has a team where it is for a team, and only there.",
            ),
            *(
                models.UniqueConstraint(
                    *whose,
                    Lower("name"),
                    condition=Q(visibility=kind),
                    name=f"saved_view_name_{kind}",
                    violation_error_message="There is a view of this name already.",
                )
                for kind, whose in (("private", ["owner"]), ("team", ["team"]), ("everyone", []))
            ),
            models.UniqueConstraint(
                fields=["owner"], condition=Q(visibility="private", is_default=True), name="saved_view_default_owner"
            ),
            models.UniqueConstraint(
                fields=["team"], condition=Q(visibility="team", is_default=True), name="saved_view_default_team"
            ),
            models.UniqueConstraint(
                fields=["is_default"],
                condition=Q(visibility="everyone", is_default=True),
                name="saved_view_default_company",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"{reverse('renewals:table')}?{self.address}&view={self.pk}"

    @property
    def is_private(self) -> bool:
        return self.visibility == self.Visibility.PRIVATE

"""Scenarios that people keep by name."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from accounts.models import Team, User
from config.history import track_history


class ScenarioQuerySet(models.QuerySet["Scenario"]):
    def visible_to(self, user: User) -> ScenarioQuerySet:
        """One's own, those of one's team, those for everyone; an admin knows of every team's."""
        team = Q(visibility=Scenario.Visibility.TEAM)
        if not user.is_admin:
            team &= Q(team=user.team_id) if user.team_id else Q(pk__in=[])
        own = Q(visibility=Scenario.Visibility.PRIVATE, owner=user)
        return self.filter(own | team | Q(visibility=Scenario.Visibility.EVERYONE))


@track_history(is_making_kept=True)
class Scenario(models.Model):
    """A name for an ordered list of shifts, and nothing else: whoever opens it sees what they do to their own book.

    `shifts` is a list of forecasting.scenarios.shifts.Shift as JSON.
    """

    class Visibility(models.TextChoices):
        PRIVATE = "private", "Only me"
        TEAM = "team", "My team"
        EVERYONE = "everyone", "Everyone"

    name = models.CharField(max_length=80)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="scenarios", db_index=False)
    # Set where it is for a team, and only there; it goes with the team.
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="scenarios", db_index=False)
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.PRIVATE)
    shifts = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # What a change is compared with: whoever saves says which state they saw.
    updated_at = models.DateTimeField(default=timezone.now)

    objects = ScenarioQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(name=""),
                name="scenario_has_name",
                violation_error_message="A scenario needs a name.",
            ),
            models.CheckConstraint(
                condition=Q(visibility="team", team__isnull=False) | (~Q(visibility="team") & Q(team__isnull=True)),
                name="scenario_team",
                violation_error_message="A scenario has a team where it is for a team, and only there.",
            ),
            *(
                models.UniqueConstraint(
                    *whose,
                    Lower("name"),
                    condition=Q(visibility=kind),
                    name=f"scenario_name_{kind}",
                    violation_error_message="There is a scenario of this name already.",
                )
                for kind, whose in (("private", ["owner"]), ("team", ["team"]), ("everyone", []))
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("forecasting:scenarios:scenario", args=[self.pk])

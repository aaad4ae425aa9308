"""What a company, a team or a person is held to, by month or fiscal quarter."""

from __future__ import annotations

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import Team, User
from config.history import track_history
from forecasting.models.lines import ForecastLine


class TargetQuerySet(models.QuerySet["Target"]):
    def visible_to(self, user: User) -> TargetQuerySet:
        """The reader's team and its people, or themselves; that of the whole company: those who see the whole book."""
        if user.sees_all:
            return self
        if user.team_id is None:
            return self.filter(owner=user)
        return self.filter(Q(team=user.team_id) | Q(owner__team=user.team_id))

    def editable_by(self, user: User) -> TargetQuerySet:
        if user.is_admin:
            return self
        if user.role == User.Role.MANAGER and user.team_id is not None:
            return self.filter(Q(team=user.team_id) | Q(owner__team=user.team_id))
        return self.none()


@track_history(exclude=(), is_making_kept=True)
class Target(models.Model):
    """Recurring value to be renewed, expansion included, of what is due in a period, in the reporting currency.

    What it is measured by is `ForecastLine.expected_amount` of the same grain, period, team and owner; the whole
    company where both are blank. A quarter without a target of its own has the sum of its three months, if they all
    have one (`forecasting.targets.read_targets`).
    """

    grain = models.CharField(max_length=7, choices=ForecastLine.Grain)
    starts_on = models.DateField("period from")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    amount = models.DecimalField(max_digits=18, decimal_places=2, validators=[MinValueValidator(0)])

    objects = TargetQuerySet.as_manager()

    class Meta:
        ordering = ["starts_on", "grain", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["grain", "starts_on", "team", "owner"], nulls_distinct=False, name="target_once"
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="target_positive", violation_error_message="A target is above 0."
            ),
            models.CheckConstraint(
                condition=Q(team__isnull=True) | Q(owner__isnull=True), name="target_of_team_or_owner"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner or self.team or 'The company'}, {self.grain} from {self.starts_on:%d %b %Y}"

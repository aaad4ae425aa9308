"""Who works here: teams and users, and whose rows a user sees."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.utils import timezone

from config.history import track_history


@track_history()
class Team(models.Model):
    name = models.CharField(max_length=80, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, role=User.Role.ADMIN, is_superuser=True, **fields)


@track_history(exclude=("password", "last_login"))
class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in.

    What they see: an admin, or anybody with `sees_whole_book`, every row; anybody else the rows of their team; a person
    without a team their own. What they edit: a rep what they own, a manager what their team owns, an admin all, a
    viewer nothing.
    """

    class Role(models.TextChoices):
        ADMIN = "admin", "Admin"
        MANAGER = "manager", "Manager"
        REP = "rep", "CS rep"
        VIEWER = "viewer", "Viewer"

    email = models.EmailField(unique=True, error_messages={"unique": "Somebody already signs in with this email."})
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=8, choices=Role, default=Role.VIEWER)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="members")
    sees_whole_book = models.BooleanField(default=False, help_text="Sees every team's rows; editing is not widened.")
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(role="manager") | Q(team__isnull=False),
                name="user_manager_has_team",
                violation_error_message="A manager needs a team.",
            )
        ]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_admin(self) -> bool:
        return self.role == self.Role.ADMIN

    @property
    def sees_all(self) -> bool:
        return self.is_admin or self.sees_whole_book


def owners_visible_to(user: User) -> models.QuerySet[User]:
    """The owners whose rows a user sees; only asked for users who do not see all."""
    if user.team_id is None:
        return User.objects.filter(pk=user.pk)
    return User.objects.filter(team_id=user.team_id)


def people_visible_to(user: User) -> models.QuerySet[User]:
    """Everybody whose name a user may come across, in a filter or beside a row."""
    return User.objects.all() if user.sees_all else owners_visible_to(user)

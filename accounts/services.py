"""Writes to people and teams. Each is one transaction, and refuses what would lock everybody out."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Team, User
from config.history import recorded_as

# Letters and digits that cannot be taken for one another when a password is read aloud.
PASSWORD_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # noqa: S105 an alphabet
PASSWORD_GROUPS = 4


class LastAdmin(Exception):
    """Without this person nobody could set rules or add people any more."""


class OwnAccount(Exception):
    """People do not take away their own role or access; another admin does."""


class TeamInUse(Exception):
    """The team still has members."""


@dataclass(frozen=True)
class HandedOver:
    account_count: int
    renewal_count: int


def create_user(
    *, by: User, email: str, name: str, role: str, team: Team | None, sees_whole_book: bool
) -> tuple[User, str]:
    """A new user and their one-time password, which is kept nowhere but in its hash."""
    password = make_password()
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        user = User.objects.create_user(
            email, password, name=name, role=role, team=team, sees_whole_book=sees_whole_book
        )
    return user, password


def update_user(*, by: User, user_id: int, values: dict[str, Any]) -> User:
    """Save these columns of a user.

    Raises:
        OwnAccount: an admin changes their own role.
        LastAdmin: the only active admin would lose the role.
    """
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        user = _locked(user_id)
        moves = values.get("team", user.team) != user.team
        if values.get("role", user.role) != user.role:
            if user.pk == by.pk:
                raise OwnAccount("Another admin has to change your role.")
            _keep_an_admin(user)
        for name, value in values.items():
            setattr(user, name, value)
        user.save(update_fields=list(values))
        if moves:
            request_recompute(by=by)
    return user


def reset_password(*, by: User, user_id: int) -> tuple[User, str]:
    """A new one-time password. It ends every session of that user."""
    password = make_password()
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        user = _locked(user_id)
        user.set_password(password)
        user.save(update_fields=["password"])
    return user, password


def deactivate_user(*, by: User, user_id: int, hand_over_to: User | None = None) -> HandedOver:
    """End a user's access; their accounts and open renewals go to another one where that is wished.

    What is decided stays with them: credit belongs to the owner at the time.

    Raises:
        OwnAccount: somebody would lock themselves out.
        LastAdmin: no active admin would be left.
    """
    with transaction.atomic(), recorded_as(user_id=by.pk, how="bulk"):
        user = _locked(user_id)
        if user.pk == by.pk:
            raise OwnAccount("Another admin has to deactivate you.")
        _keep_an_admin(user)
        user.is_active = False
        user.save(update_fields=["is_active"])
        if hand_over_to is None:
            return HandedOver(0, 0)
        now = timezone.now()
        handed_over = HandedOver(
            account_count=user.owned_accounts.update(owner=hand_over_to, updated_at=now),
            renewal_count=user.owned_renewals.filter(outcome="open").update(owner=hand_over_to, updated_at=now),
        )
        request_recompute(by=by)
    return handed_over


def activate_user(*, by: User, user_id: int) -> User:
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        user = _locked(user_id)
        user.is_active = True
        user.save(update_fields=["is_active"])
    return user


def save_team(*, by: User, team: Team) -> Team:
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        team.save()
    return team


def delete_team(*, by: User, team_id: int) -> None:
    """Raises TeamInUse: it has members, active or not."""
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        team = Team.objects.select_for_update().get(pk=team_id)
        members = team.members.count()
        if members:
            raise TeamInUse(f"{team} has {members} {'member' if members == 1 else 'members'}; move them first.")
        team.delete()


def make_password() -> str:
    """Some 79 bits, in groups that can be read aloud."""
    groups = ("".join(secrets.choice(PASSWORD_LETTERS) for _ in range(4)) for _ in range(PASSWORD_GROUPS))
    return "-".join(groups)


def request_recompute(*, by: User) -> int:
    """Ask the scoring backend by the name that settings give it: this app knows no app that knows it."""
    return int(import_module(settings.SCORING_BACKEND).request_run(reason="rule", user=by))


def _locked(user_id: int) -> User:
    """The user, with every active admin locked too, in one order: two admins cannot demote each other at once."""
    admins = User.objects.filter(role=User.Role.ADMIN, is_active=True).order_by("pk")
    list(admins.select_for_update().values_list("pk"))
    return User.objects.select_for_update().get(pk=user_id)


def _keep_an_admin(user: User) -> None:
    others = User.objects.filter(role=User.Role.ADMIN, is_active=True).exclude(pk=user.pk)
    if user.role == User.Role.ADMIN and user.is_active and not others.exists():
        raise LastAdmin(f"{user} is the only admin; make somebody else one first.")

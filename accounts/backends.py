"""Who is signed in: allauth's accounts; only how the person of a session is read differs (config.instances)."""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend

from accounts.models import User
from config.instances import read_instance


class AccountBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth has no types
    def get_user(self, user_id: int) -> User | None:
        user = read_instance(User, "id = %s", [user_id])
        return user if user is not None and self.user_can_authenticate(user) else None

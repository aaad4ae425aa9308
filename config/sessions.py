"""Sessions in PostgreSQL as Django keeps them; only how one is read differs (config.instances)."""

from django.contrib.sessions.backends import db
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone

from config.instances import read_instance


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> AbstractBaseSession | None:
        condition = "session_key = %s AND expire_date > %s"
        session = read_instance(self.model, condition, [self.session_key, timezone.now()])
        if session is None:
            self._session_key = None
        return session

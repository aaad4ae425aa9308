"""Secrets that sign deliveries: shown once when they are made, kept sealed with a key made from SECRET_KEY."""

from __future__ import annotations

import base64
import secrets

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PREFIX = "whsec_"  # as in the Standard Webhooks specification, whose libraries read such secrets
SECRET_BYTES = 32


class SecretUnreadable(ValueError):
    """It was sealed with another SECRET_KEY; only a new secret helps."""


def make_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def seal(secret: str) -> str:
    return _box().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """Raises SecretUnreadable where SECRET_KEY is another than when it was sealed."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise SecretUnreadable("The secret cannot be read: SECRET_KEY has changed. Make a new secret.") from None


def _box() -> Fernet:
    """A key for this purpose alone, so that nothing else made from SECRET_KEY opens it."""
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"perennial webhook secrets")
    return Fernet(base64.urlsafe_b64encode(made.derive(settings.SECRET_KEY.encode())))

"""What a row of an exported file was when it was exported, carried by the file itself.

The last column holds the editable cells of the row and a keyed digest over them and the id. So a file that comes back
can be compared cell by cell with what its editor saw, whatever has happened to the book since, and a state that was
cut, copied to another row or made by hand is recognised. It is no secret: everything in it stands in the file.
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Callable

from django.conf import settings
from django.db.models import CharField, F, Func, Value

# The columns in the order in which a state holds them; the free text last, since it may hold the separator.
COLUMNS = (
    "stage_id",
    "confidence",
    "forecast_amount",
    "offer_id",
    "expected_order_on",
    "ordered_on",
    "outcome",
    "churn_reason_id",
    "final_amount",
    "owner_id",
    "next_step_on",
    "next_step",
)
SEPARATOR = "|"
DIGEST_BYTES = 9
VERSION = "s1"  # also keeps the first sign a letter


class StateUnreadable(ValueError):
    """The state is missing, damaged, or that of another row."""


def state_values() -> Func:
    """The values of a row as one text, put together by the database; NULL is blank there."""
    parts: list[F | Value] = []
    for name in COLUMNS:
        parts += [F(name), Value(SEPARATOR)]
    return Func(*parts[:-1], function="concat", output_field=CharField())


def make_signer() -> Callable[[int, str], str]:
    """Gives the function that makes the state of a row from its id and `state_values`."""
    keyed = hashlib.blake2b(key=_key(), digest_size=DIGEST_BYTES)

    def sign(renewal_id: int, values: str) -> str:
        content = values.encode()
        digest = keyed.copy()
        digest.update(b"%d:%b" % (renewal_id, content))
        return VERSION + binascii.b2a_base64(digest.digest() + content, newline=False).decode()

    return sign


def read_state(text: str, renewal_id: int) -> dict[str, str]:
    """The values by their columns, as PostgreSQL writes them; blank for NULL. Raises StateUnreadable."""
    try:
        raw = binascii.a2b_base64(text.strip().removeprefix(VERSION).encode("ascii"))
        values = raw[DIGEST_BYTES:].decode()
    except (binascii.Error, UnicodeError, ValueError):
        raise StateUnreadable from None
    if make_signer()(renewal_id, values) != text.strip():
        raise StateUnreadable
    parts = values.split(SEPARATOR, len(COLUMNS) - 1)
    return dict(zip(COLUMNS, parts, strict=True))


def _key() -> bytes:
    return hashlib.blake2b(b"renewals.exports.state", key=settings.SECRET_KEY.encode()[:64], digest_size=32).digest()

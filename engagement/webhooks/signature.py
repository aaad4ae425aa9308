"""The signature of a delivery, as the Standard Webhooks specification (standardwebhooks.com) has it.

`webhook-signature: v1,<base64 of HMAC-SHA256>` over `<webhook-id>.<webhook-timestamp>.<body>`; the key is the part of
the secret after `whsec_`, base64-decoded. A receiver refuses a timestamp more than five minutes off, so that what was
overheard is soon worthless, and remembers ids, so that what comes twice counts once. docs/webhooks.md shows how.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from engagement.webhooks.secrets import PREFIX

REPLAY_WINDOW_SECONDS = 300


def sign(*, secret: str, key: str, timestamp: int, body: bytes) -> str:
    """Value of `webhook-signature` for a delivery `key` that is sent at `timestamp` (seconds since 1970)."""
    signed = f"{key}.{timestamp}.".encode() + body
    digest = hmac.new(base64.b64decode(secret.removeprefix(PREFIX)), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"

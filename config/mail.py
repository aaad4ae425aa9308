"""The mail server's address, as one variable: EMAIL_URL."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

CONSOLE = "console://"
SMTP_PORT, STARTTLS_PORT, TLS_PORT = 25, 587, 465


def read_mail_settings(url: str) -> dict[str, object]:
    """Django's EMAIL_* settings for an address.

    `smtp://user:password@host:587` speaks STARTTLS, `smtps://...:465` TLS from the start, `smtp://host:25?tls=no`
    neither (a relay on the same machine), and `console://` writes mail into the worker's log.

    Raises: SystemExit with what is wrong; it is read at the start of every process.
    """
    parts = urlsplit(url)
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise SystemExit("EMAIL_URL must be smtp://host, smtps://host or console://.")
    options = dict(parse_qsl(parts.query))
    tls = options.pop("tls", "yes")
    if options or tls not in {"yes", "no"}:
        raise SystemExit("EMAIL_URL knows one option: ?tls=yes or ?tls=no.")
    is_secure, is_upgraded = parts.scheme == "smtps", parts.scheme == "smtp" and tls == "yes"
    if parts.username and not (is_secure or is_upgraded):
        raise SystemExit("EMAIL_URL: a password is not sent over a connection without TLS.")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or (TLS_PORT if is_secure else STARTTLS_PORT if is_upgraded else SMTP_PORT),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": is_upgraded,
        "EMAIL_USE_SSL": is_secure,
        "EMAIL_TIMEOUT": 20,
    }

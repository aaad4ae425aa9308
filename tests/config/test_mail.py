"""The mail server's address, as one variable."""

import pytest

from config.mail import read_mail_settings


def test_nothing_named_writes_to_the_log() -> None:
    assert read_mail_settings("console://") == {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://ann%40x.com:p%2Fw@mail.x.com", ("mail.x.com", 587, "ann@x.com", "p/w", True, False)),
        ("smtps://a:b@mail.x.com", ("mail.x.com", 465, "a", "b", False, True)),
        ("smtp://relay:2525?tls=no", ("relay", 2525, "", "", False, False)),
        ("smtp://relay?tls=no", ("relay", 25, "", "", False, False)),
    ],
)
def test_an_address_becomes_settings(url: str, expected: tuple[object, ...]) -> None:
    found = read_mail_settings(url)
    names = ("HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_TLS", "USE_SSL")
    assert tuple(found[f"EMAIL_{name}"] for name in names) == expected


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://mail", "EMAIL_URL must be smtp://host, smtps://host or console://."),
        ("smtp://", "EMAIL_URL must be smtp://host, smtps://host or console://."),
        ("smtp://h?ssl=1", "EMAIL_URL knows one option: ?tls=yes or ?tls=no."),
        ("smtp://a:b@h?tls=no", "EMAIL_URL: a password is not sent over a connection without TLS."),
    ],
)
def test_what_is_no_address_is_said(url: str, message: str) -> None:
    with pytest.raises(SystemExit) as refused:
        read_mail_settings(url)
    assert str(refused.value) == message

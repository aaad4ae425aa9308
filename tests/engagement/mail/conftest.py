from collections.abc import Iterator
from typing import Any

import pytest

from tests.engagement.mail.sink import Sink, free_port, smtp_sink

SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def server_address(settings: Any) -> int:
    """Mail goes to a port of this machine where nobody listens yet."""
    port = free_port()
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", port
    settings.EMAIL_USE_TLS, settings.EMAIL_TIMEOUT = False, 5
    return port


@pytest.fixture
def sink(server_address: int) -> Iterator[Sink]:
    with smtp_sink(server_address) as sink:
        yield sink

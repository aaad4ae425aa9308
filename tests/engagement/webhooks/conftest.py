from collections.abc import Iterator
from typing import Any

import pytest

from tests.engagement.webhooks.sink import Sink, http_sink


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    settings.WEBHOOK_ALLOW_PRIVATE = True
    with http_sink() as sink:
        yield sink

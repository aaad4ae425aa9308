"""Small pieces of the look."""

import datetime as dt

import pytest
from django.utils import timezone

from accounts.templatetags.look import ago


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "just now"), (59, "just now"), (61, "1\xa0minute ago"), (7300, "2\xa0hours, 1\xa0minute ago")],
)
def test_a_moment_of_this_minute_is_just_now(seconds: int, text: str) -> None:
    assert ago(timezone.now() - dt.timedelta(seconds=seconds)) == text

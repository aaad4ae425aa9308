"""What every test shares: the embedded servers (or those of DATABASE_URL and REDIS_URL) and settings for speed."""

import os
from collections.abc import Iterator

import hypothesis
import pytest
from django.conf import settings
from django.db import connections

from config import embedded
from config.celery import app
from tests.cast import cast
from tests.chromium import only_chromium

__all__ = ["cast", "only_chromium"]


# Where a change is judged, the same tree gives the same answer; everywhere else each run draws new examples.
# How slowly examples come on a busy machine says nothing about what is tested.
busy = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile("everywhere", suppress_health_check=busy, deadline=None)
hypothesis.settings.register_profile("judge", suppress_health_check=busy, deadline=None, derandomize=True)
hypothesis.settings.load_profile("judge" if os.environ.get("CI") else "everywhere")


def pytest_configure(config: pytest.Config) -> None:
    """Set before the first test reads them; an environment variable would come too late for a bare `pytest`."""
    # Static files under their plain names, straight from their sources: nothing has to be collected first.
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = True
    # What clears away faster than Django's own; the connection that it made so far has not been opened yet.
    settings.DATABASES["default"]["ENGINE"] = "tests.postgresql"
    del connections["default"]
    # Argon2 is slow by design, and a test makes many users.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", *settings.PASSWORD_HASHERS]
    # A worker of the same installation must not take up what tests queue, nor one process of tests that of another.
    prefix = f"test:{os.environ.get('PYTEST_XDIST_WORKER', '')}:"
    app.conf.broker_transport_options = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, "global_keyprefix": prefix}


@pytest.fixture(scope="session")
def servers() -> Iterator[None]:
    """PostgreSQL and Valkey, for tests that speak to one of them without Django's test database."""
    with embedded.running():
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(servers: None, django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Asked for by pytest-django before it makes the test database: the server has to run by then.

    Of several processes of tests each has a database of its own, which the second fixture names.
    """

"""One inline save over HTTP against an UPDATE of one row and its commit."""

import http.client
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlencode

import psycopg2
from django.db import connection

from bench.figures import Figure, against, percentile, seconds
from bench.pages import admin_client
from renewals.models import Renewal

SAVES = 300


@contextmanager
def server() -> Iterator[int]:
    """The real web server, with as many processes and threads as `make run` starts, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "2", "--blocking-threads", "4", "--no-access-log", "config.wsgi:application"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "STATIC_UNHASHED": "yes"})
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def save_once(link: http.client.HTTPConnection, headers: dict[str, str], pk: int, was: str, value: str) -> float:
    """Milliseconds from the request to the last byte of the answer."""

    def post() -> None:
        link.request("POST", f"/renewals/{pk}/forecast_amount/", urlencode({"value": value, "was": was}), headers)
        response = link.getresponse()
        body = response.read()
        assert response.status == 200, f"saving row {pk} answered {response.status}: {body[:300]!r}"

    return seconds(post) * 1000


def save_over_http(rows: list[tuple[int, str]]) -> list[float]:
    session = admin_client().cookies["sessionid"].value
    token = "a" * 32
    headers = {
        "Cookie": f"sessionid={session}; csrftoken={token}",
        "X-CSRFToken": token,
        "HX-Request": "true",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    with server() as port:
        link = http.client.HTTPConnection("127.0.0.1", port)
        times = [save_once(link, headers, pk, was, str(random.randint(1_000, 90_000))) for pk, was in rows]
        link.close()
    return times[20:]  # the first ones fill each process's caches


def update_and_commit(url: str, rows: list[tuple[int, str]]) -> list[float]:
    link = psycopg2.connect(url)

    def update(pk: int) -> None:
        with link.cursor() as cursor:
            cursor.execute("UPDATE renewals_renewal SET forecast_amount = forecast_amount + 1 WHERE id = %s", [pk])
        link.commit()

    times = [seconds(partial(update, pk)) * 1000 for pk, _ in rows]
    link.close()
    return times[20:]


def measure(count: int, url: str) -> list[Figure]:
    open_rows = Renewal.objects.open().exclude(forecast_amount=None)
    picked = list(open_rows.order_by("?").values_list("pk", "forecast_amount")[: 2 * SAVES])
    connection.close()
    rows = [(pk, str(amount)) for pk, amount in picked]
    saves, updates = save_over_http(rows[:SAVES]), update_and_commit(url, rows[SAVES:])
    save, update = percentile(saves, 0.95), percentile(updates, 0.95)
    return [
        against(
            f"one save over HTTP at {count:,}, p95", save, update, unit="ms", what="UPDATE and commit, p95", bar=12
        ),
        Figure(f"one save over HTTP at {count:,}, median", percentile(saves, 0.5), "ms"),
    ]

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
from typing import Any
from urllib.parse import urlencode

import psycopg2
from django.db import connection

from bench.figures import Figure, against, percentile, seconds
from bench.pages import admin_client
from renewals.models import Renewal

SAVES = 300
WARM_UP = 20  # they fill the caches of each process and the statements that each connection prepares


@contextmanager
def server(log: int | None = None) -> Iterator[int]:
    """The real web server, with as many processes and threads as `make run` starts, on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "2", "--blocking-threads", "4", "--no-access-log", "config.wsgi:application"]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=log, env={**os.environ, "STATIC_UNHASHED": "yes"}
    )
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


def headers_of_an_editor() -> dict[str, str]:
    token = "a" * 32
    return {
        "Cookie": f"sessionid={admin_client().cookies['sessionid'].value}; csrftoken={token}",
        "X-CSRFToken": token,
        "HX-Request": "true",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def update_and_commit(link: Any, pk: int) -> None:
    with link.cursor() as cursor:
        cursor.execute("UPDATE renewals_renewal SET forecast_amount = forecast_amount + 1 WHERE id = %s", [pk])
    link.commit()


def in_turns(url: str, rows: list[tuple[int, str]]) -> tuple[list[float], list[float]]:
    """Milliseconds of saves over HTTP and of bare updates, one after the other, so that whatever else the machine does
    falls on both."""
    headers, saves, updates = headers_of_an_editor(), list[float](), list[float]()
    database = psycopg2.connect(url)
    with server() as port:
        link = http.client.HTTPConnection("127.0.0.1", port)
        for (pk, was), (other, _) in zip(rows[::2], rows[1::2], strict=True):
            saves.append(save_once(link, headers, pk, was, str(random.randint(1_000, 90_000))))
            updates.append(seconds(partial(update_and_commit, database, other)) * 1000)
        link.close()
    database.close()
    return saves[WARM_UP:], updates[WARM_UP:]


def measure(count: int, url: str) -> list[Figure]:
    open_rows = Renewal.objects.open().exclude(forecast_amount=None)
    picked = list(open_rows.order_by("?").values_list("pk", "forecast_amount")[: 2 * SAVES])
    picked = picked[: len(picked) // 2 * 2]
    connection.close()
    saves, updates = in_turns(url, [(pk, str(amount)) for pk, amount in picked])
    save, update = percentile(saves, 0.95), percentile(updates, 0.95)
    middle, bare = percentile(saves, 0.5), percentile(updates, 0.5)
    return [
        against(
            f"one save over HTTP at {count:,}, p95", save, update, unit="ms", what="UPDATE and commit, p95", bar=10
        ),
        Figure(
            f"one save over HTTP at {count:,}, median",
            middle,
            "ms",
            f"UPDATE and commit, median: {bare:.2f} ms",
            middle / bare,
        ),
    ]

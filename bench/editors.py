"""Fifty people who edit the same 200 rows at once on the real server; and what an open table costs that watches them.

Whether it was right is read from the database afterwards: every acknowledged edit is one event of the history, which
led from what its editor saw to what the editor sent; and there is no other event, so nothing refused changed anything.
"""

from __future__ import annotations

import http.client
import random
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count as numbers
from itertools import pairwise
from urllib.parse import urlencode

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from bench.edits import server
from bench.figures import Figure, median_ms, percentile
from bench.pages import admin_client
from renewals.models import Renewal

EDITORS, ROWS = 50, 200
SECONDS, SHORT_SECONDS, SHORT_BOOK = 120, 10, 10_000
# Of the editors: those who may look and not change, those who may not know of the rows. All others are admins.
VIEWERS, OUTSIDERS = 3, 2
FIELDS = ("next_step", "forecast_amount")
FIRST_AMOUNT = 700_000_000  # above every amount of the book: what is sent was never there before
CSRF = "a" * 32
STEP = re.compile(r"/history/undo/([0-9a-f-]{36})/")
WAS = re.compile(r'name="was" value="([^"]*)"')
VALUE = re.compile(r'<td class="[^"]*"[^>]*? data-value="([^"]*)"')
REFUSED = (403, 404, 409, 422)


@dataclass(frozen=True)
class Sent:
    """One request to save a cell, and its answer. `step` is the id by which an acknowledged edit stands in history."""

    row: int
    field: str
    was: str
    value: str
    status: int
    step: str
    ms: float


@dataclass
class Editor:
    """Picks a row, mostly looks at it first and sometimes not, and writes what nobody else ever writes."""

    number: int
    session: str
    known: dict[tuple[int, str], str]  # what the editor believes each cell holds
    random: random.Random
    sent: list[Sent] = field(default_factory=list)

    def work(self, port: int, rows: list[int], until: float) -> None:
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for turn in numbers(1):
            if time.monotonic() >= until:
                break
            self.edit(link, self.random.choice(rows), self.random.choice(FIELDS), turn)
        link.close()

    def edit(self, link: http.client.HTTPConnection, row: int, name: str, turn: int) -> None:
        if self.random.random() < 0.6:
            self.look(link, row, name)
        value = (
            f"Editor {self.number} turn {turn}"
            if name == "next_step"
            else str(FIRST_AMOUNT + turn * EDITORS + self.number)
        )
        if self.random.random() < 0.03:
            value = "x" * 201 if name == "next_step" else "twelve"  # refused as invalid
        was = self.known[row, name]
        started = time.perf_counter()
        status, body, told = self.ask(link, "POST", f"/renewals/{row}/{name}/", {"value": value, "was": was})
        ms = (time.perf_counter() - started) * 1000
        found = STEP.search(told) if status == 200 else None
        if status == 200:
            self.known[row, name] = value if name == "next_step" else f"{value}.00"
        elif status == 409 and (theirs := WAS.search(body)):
            self.known[row, name] = theirs[1]
        self.sent.append(Sent(row, name, was, value, status, found[1] if found else "", ms))

    def look(self, link: http.client.HTTPConnection, row: int, name: str) -> None:
        """Read the one cell as it is now; an outsider sees nothing."""
        status, body, _ = self.ask(link, "GET", f"/renewals/{row}/", columns=f"account,{name}")
        if status == 200 and (value := VALUE.search(body)):
            self.known[row, name] = value[1]

    def ask(
        self,
        link: http.client.HTTPConnection,
        method: str,
        path: str,
        data: dict[str, str] | None = None,
        columns: str = "",
    ) -> tuple[int, str, str]:
        """Status, body, and what the page is told besides."""
        headers = {
            "Cookie": f"sessionid={self.session}; csrftoken={CSRF}",
            "X-CSRFToken": CSRF,
            "HX-Request": "true",
            "Content-Type": "application/x-www-form-urlencoded",
        } | ({"X-Columns": columns} if columns else {})
        link.request(method, path, urlencode(data or {}), headers)
        answer = link.getresponse()
        return answer.status, answer.read().decode(), answer.getheader("HX-Trigger", "")


def measure(count: int) -> list[Figure]:
    duration = SECONDS if count > SHORT_BOOK else SHORT_SECONDS
    rows = list(Renewal.objects.open().order_by("?").values_list("pk", flat=True)[:ROWS])
    held = read_cells(rows)
    editors = [Editor(n, session, dict(held), random.Random(n)) for n, session in enumerate(sessions())]
    newest = newest_event()
    connection.close()
    # A refusal is a warning in the server's log, and here are thousands.
    with server(log=subprocess.DEVNULL) as port, ThreadPoolExecutor(EDITORS) as pool:
        until = time.monotonic() + duration
        for done in [pool.submit(editor.work, port, rows, until) for editor in editors]:
            done.result()
    sent = [one for editor in editors for one in editor.sent]
    verify(sent, rows, newest)
    return [*figures(sent, duration), *watching()]


def sessions() -> Iterator[str]:
    """A session of each editor, who is made for it."""
    for number in range(EDITORS):
        role = (
            User.Role.VIEWER if number < VIEWERS else User.Role.REP if number < VIEWERS + OUTSIDERS else User.Role.ADMIN
        )
        user = User(email=f"editor{number}@bench.example", name=f"Editor {number}", role=role)
        user.sees_whole_book = role == User.Role.VIEWER
        user.set_unusable_password()
        user.save()
        client = Client()
        client.force_login(user)
        yield client.cookies["sessionid"].value


def read_cells(rows: list[int]) -> dict[tuple[int, str], str]:
    """What each cell holds, as its editor sends it back."""
    found = Renewal.objects.filter(pk__in=rows).values_list("pk", *FIELDS)
    return {(pk, name): shown(value) for pk, *values in found for name, value in zip(FIELDS, values, strict=True)}


def shown(value: str | Decimal | None) -> str:
    return "" if value is None else str(value)


def newest_event() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(pgh_id), 0) FROM renewals_renewalevent")
        return int(cursor.fetchone()[0])


def verify(sent: list[Sent], rows: list[int], newest: int) -> None:
    """Raises AssertionError, with the edits in question, where the history is not exactly what was acknowledged."""
    unexpected = Counter(one.status for one in sent if one.status != 200 and one.status not in REFUSED)
    assert not unexpected, f"answers that no edit should get: {dict(unexpected)}"
    acknowledged = {one.step: one for one in sent if one.status == 200}
    assert "" not in acknowledged, f"acknowledged without a step: {acknowledged['']}"
    assert len(acknowledged) == sum(one.status == 200 for one in sent), "one step was acknowledged twice"
    changes = list(read_changes(rows, newest))
    assert len(changes) == len(acknowledged), f"{len(changes):,} events for {len(acknowledged):,} acknowledged edits"
    for step, row, before, after in changes:
        one = acknowledged.pop(step, None)
        assert one, f"an event of row {row} that nobody was told of: {before} -> {after}"
        value = one.value if one.field == "next_step" else f"{one.value}.00"
        expected = {**before, one.field: value}
        assert (row, before[one.field], after) == (one.row, one.was, expected), f"{one} left {before} -> {after}"
    assert not acknowledged, f"acknowledged and not in the history: {next(iter(acknowledged.values()))}"


def read_changes(rows: list[int], newest: int) -> Iterator[tuple[str, int, dict[str, str], dict[str, str]]]:
    """Step, row, and the cells before and after of each event since: an event holds the row as it was before it."""
    columns = ", ".join(FIELDS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT pgh_obj_id AS row, pgh_context_id, {columns}, pgh_id FROM renewals_renewalevent
                WHERE pgh_obj_id = ANY(%s) AND pgh_id > %s
                UNION ALL SELECT id, NULL, {columns}, NULL FROM renewals_renewal WHERE id = ANY(%s)
                ORDER BY row, pgh_id NULLS LAST""",
            [rows, newest, rows],
        )
        # Events come in the order of their ids, and the row as it is now last.
        states: dict[int, list[tuple[str, dict[str, str]]]] = {}
        for row, step, *values, _ in cursor.fetchall():
            cells = {name: shown(value) for name, value in zip(FIELDS, values, strict=True)}
            states.setdefault(row, []).append((str(step or ""), cells))
    for row, found in states.items():
        for (step, before), (_, after) in pairwise(found):
            yield step, row, before, after


def figures(sent: list[Sent], duration: int) -> list[Figure]:
    answers = Counter(one.status for one in sent)
    times = [one.ms for one in sent if one.status == 200]
    said = ", ".join(f"{answers[status]:,} answered {status}" for status in REFUSED)
    who = f"{EDITORS} editors on {ROWS} rows"
    return [
        Figure(
            f"{who} for {duration} s, edits saved",
            answers[200] / duration,
            "per s",
            f"each in the history once; {said}",
        ),
        Figure(f"{who}, one save, p95", percentile(times, 0.95), "ms"),
        Figure(f"{who}, conflicts of all edits", 100 * answers[409] / len(sent), "%"),
    ]


def watching() -> list[Figure]:
    """What a table of 50 rows asks every two seconds, while nothing changes."""
    client = admin_client()
    page = client.get("/renewals/").content.decode()
    seen = ".".join(
        f"{pk}-{version}" for pk, version in re.findall(r'data-id="(\d+)" [^>]*data-version="([0-9-]+)"', page)
    )

    def look() -> int:
        return int(client.get("/renewals/changes/", {"seen": seen}).status_code)

    with CaptureQueriesContext(connection) as captured:
        assert look() == 204
    statements = len(captured)
    ms = median_ms(look, times=51)
    share = f"{statements} statements, session and user among them; 50 open tables: {ms * 25 / 10:.0f} % of one core"
    return [Figure("a look of an open table of 50 rows", ms, "ms", share)]

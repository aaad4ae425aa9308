"""A paste of 500 rows of three cells, from the request to its answer, against one UPDATE of the same cells."""

import json
from collections.abc import Sequence

import psycopg2
from django.db import connection
from psycopg2.extras import execute_values

from accounts.models import get_company
from bench.bulk import admin, median
from bench.figures import Figure, against, seconds
from bench.pages import admin_client
from renewals.models import ChangeBatch, Renewal
from renewals.paste.request import read_paste
from renewals.paste.services import paste_cells
from renewals.services import cell_value

PASTED = 500
BAR = 6
TIMES = 7
COLUMNS = ("forecast_amount", "confidence", "next_step")
UPDATE = """
UPDATE renewals_renewal r SET forecast_amount = v.forecast_amount, confidence = v.confidence, next_step = v.next_step
FROM (VALUES %s) AS v (id, forecast_amount, confidence, next_step) WHERE r.id = v.id
"""


def values_of(ids: Sequence[int], turn: int) -> list[tuple[str, str, str]]:
    return [
        (f"{10_000 + turn * 1000 + place}", str((place + turn) % 100), f"Call {turn}") for place, _ in enumerate(ids)
    ]


def update_cells(url: str, ids: Sequence[int], turn: int) -> float:
    """The floor: one statement, with the history that no write avoids, and its commit."""
    rows = [
        (pk, int(forecast), int(confidence), step)
        for pk, (forecast, confidence, step) in zip(ids, values_of(ids, turn), strict=True)
    ]
    link = psycopg2.connect(url)

    def update() -> None:
        with link.cursor() as cursor:
            execute_values(cursor, UPDATE, rows, page_size=len(rows))
        link.commit()

    spent = seconds(update)
    link.close()
    return spent


def asked(ids: Sequence[int], turn: int) -> str:
    shown = Renewal.objects.select_related("stage", "offer", "owner").in_bulk(ids)
    was = [[cell_value(shown[pk], name) for name in COLUMNS] for pk in ids]
    return json.dumps({"action": "paste", "columns": COLUMNS, "rows": ids, "values": values_of(ids, turn), "was": was})


def write_once(ids: Sequence[int], turn: int) -> float:
    """The writing alone."""
    paste, user, as_of = read_paste(asked(ids, turn)), admin(), get_company().today()
    before = ChangeBatch.objects.count()
    spent = seconds(lambda: paste_cells(paste=paste, user=user, as_of=as_of))
    assert ChangeBatch.objects.count() == before + 1
    return spent


def paste_once(ids: Sequence[int], turn: int) -> float:
    """The whole request: read, judged, written, scored, and answered with the rows as they are now."""
    client, text = admin_client(), asked(ids, turn)
    client.get("/renewals/totals/")  # the session is read

    def post() -> None:
        response = client.post("/renewals/paste/", {"paste": text})
        assert response.status_code == 200, response.content[:300]
        assert json.loads(response.content)["toast"]["text"].startswith(f"{3 * PASTED:,} cells")

    return seconds(post)


def measure(count: int, url: str) -> list[Figure]:
    ids = sorted(Renewal.objects.open().order_by("?").values_list("pk", flat=True)[:PASTED])
    connection.close()
    floors, writes, pastes = [], [], []
    for turn in range(TIMES):
        floors.append(update_cells(url, ids, 3 * turn))
        writes.append(write_once(ids, 3 * turn + 1) * 1000)
        pastes.append(paste_once(ids, 3 * turn + 2) * 1000)
    floor, what = median(floors) * 1000, "one UPDATE of the same cells"
    name = f"paste of {PASTED} rows x {len(COLUMNS)} cells at {count:,}"
    return [
        against(f"{name}, request and answer", median(pastes), floor, unit="ms", what=what, bar=BAR),
        Figure(f"{name}, written and scored", median(writes), "ms"),
    ]

"""The central table: its first page against its bare SQL and a plain template of the same cells, every order and every
grouping that it offers against the same in a small book, every filter, the totals and their parts against their SQL.

The floor of the first page is its bare SQL and a plain template of the same cells; that of a filter its bare SQL
alone. A page that finds next to nothing has the frame of the table left to it, which costs what it costs: its time is
told, and no ratio.
"""

import datetime as dt
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from html.parser import HTMLParser

from django.contrib.auth import get_user_model
from django.db import connection
from django.template import Context, Template
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings

from bench.figures import Figure, against, seconds
from bench.small import SmallBook
from renewals.models import ChurnReason, Renewal, RiskBand, Stage, TimingClass
from renewals.table.filters import BOOKINGS, FILTERS, HEALTH_NAMES
from renewals.table.groups import GROUPS
from renewals.table.paging import ORDERS

PLAIN = Template("{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}")
FIRST = "/renewals/"
SMALL_BAR = 1.5
FILTER_BAR = 3
OPEN, ALL = "open", "all"


class Cells(HTMLParser):
    """Collects the text of every cell of the page's table body."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"} and self.rows:
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data.strip()


def admin_client() -> Client:
    client = Client()
    admin = get_user_model().objects.filter(role="admin")[0]
    client.force_login(admin)
    return client


def statements_of(client: Client, path: str) -> list[str]:
    """The SQL about renewals that a page sends, in plain text: a bare statement is planned each time it is sent."""
    with override_settings(PREPARED_STATEMENTS=False), CaptureQueriesContext(connection) as captured:
        response = client.get(path)
    assert response.status_code == 200, f"{path} answered {response.status_code}"
    return [query["sql"] for query in captured.captured_queries if '"renewals_renewal"' in query["sql"]]


def run_bare(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.replace("%", "%%"))
            cursor.fetchall()


def side_by_side(figure: Callable[[], object], floor: Callable[[], object], *, times: int) -> tuple[float, float]:
    """Medians in milliseconds, taken in turn, so that what else the machine does falls on both."""
    for action in (figure, floor, figure, floor):
        action()
    pairs = [(seconds(figure), seconds(floor)) for _ in range(times)]
    return statistics.median(pair[0] for pair in pairs) * 1000, statistics.median(pair[1] for pair in pairs) * 1000


FLOOR = "its bare SQL and a plain template of the same cells"


def floor_of(client: Client, path: str) -> Callable[[], object] | None:
    """The floor of a page; None where it has no rows, which leaves nothing to compare but its frame."""
    statements = statements_of(client, path)
    cells = Cells()
    cells.feed(client.get(path).content.decode())
    rows = [row for row in cells.rows if len(row) > 10][:51]

    def floor() -> None:
        run_bare(statements)
        PLAIN.render(Context({"rows": rows}))

    return floor if len(rows) > 25 else None


def first_page(client: Client, count: int) -> Figure:
    """The whole first page of 50 rows in the server."""
    floor = floor_of(client, FIRST)
    assert floor is not None, "the book has no open renewals"
    page_ms, floor_ms = side_by_side(lambda: client.get(FIRST), floor, times=31)
    return against(f"first page at {count:,}", page_ms, floor_ms, unit="ms", what=FLOOR, bar=2)


def totals(client: Client, count: int) -> list[Figure]:
    asked = {
        f"totals and count over {count:,}": "/renewals/totals/",
        f"totals by booking type and currency over {count:,}": "/renewals/totals/parts/",
    }
    return [_totals(client, name, path) for name, path in asked.items()]


def _totals(client: Client, name: str, path: str) -> Figure:
    statements = statements_of(client, path)
    page_ms, floor_ms = side_by_side(lambda: client.get(path), lambda: run_bare(statements), times=7)
    return against(name, page_ms, floor_ms, unit="ms", what="their bare SQL", bar=1.5)


def order_addresses() -> list[str]:
    """Every order in both directions, over the open ones and over all."""
    return [
        f"{FIRST}?outcome={outcome}&sort={sign}{name}"
        for name in ORDERS
        for sign in ("", "-")
        for outcome in (OPEN, ALL)
    ]


def group_addresses() -> list[str]:
    """Every grouping, over the open ones and over all."""
    return [f"{FIRST}?outcome={outcome}&group={name}" for name in GROUPS for outcome in (OPEN, ALL)]


def best_ms(action: Callable[[], object], *, times: int = 3) -> float:
    """The best of some, after one that is not counted."""
    action()
    return min(seconds(action) for _ in range(times)) * 1000


def orders(client: Client, count: int, small: SmallBook) -> list[Figure]:
    """The first page as it opens, and in every order, against the same in the small book."""
    first = _beside_small(f"first page at {count:,} against 10,000", *_both(client, small, FIRST))
    found = {address: _both(client, small, address) for address in order_addresses()}
    return [first, _farthest("orders", found)]


def groups(client: Client, small: SmallBook) -> list[Figure]:
    """The first page in each grouping against the same in the small book."""
    return [_farthest("groupings", {address: _both(client, small, address) for address in group_addresses()})]


def _both(client: Client, small: SmallBook, address: str, *, turns: int = 5) -> tuple[float, float]:
    """Best milliseconds of a page here and in the small book, measured in turn."""
    pairs = [(best_ms(partial(client.get, address)), small.ms("page", address)) for _ in range(turns)]
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


def _farthest(what: str, found: dict[str, tuple[float, float]]) -> Figure:
    ratios = {address: ours / theirs for address, (ours, theirs) in found.items()}
    far = [f"{address.partition('?')[2]} {found[address][0]:.0f} ms {ratios[address]:.2f}x" for address in found]
    above = [text for text, ratio in zip(far, ratios.values(), strict=True) if ratio > SMALL_BAR]
    print(f"{what}: {len(found)}, above the bar {len(above)}: {'; '.join(above)}", flush=True)
    worst = max(ratios, key=lambda address: ratios[address])
    return _beside_small(f"farthest of {len(found)} {what}, {worst.partition('?')[2]}", *found[worst])


def _beside_small(name: str, ours: float, theirs: float) -> Figure:
    return against(name, ours, theirs, unit="ms", what="at 10,000", bar=SMALL_BAR)


def filter_addresses() -> list[str]:
    """Each filter with each of its values, or with typical ones where they are many; alone, and of the open ones."""
    some = Renewal.objects.filter(outcome=OPEN, owner__isnull=False, offer__isnull=False)
    row = some.select_related("account", "owner", "contract").order_by("pk")[0]
    today = dt.date.today()  # any day near to now
    soon = f"{today},{today + dt.timedelta(days=90)}".split(",")
    values: dict[str, Sequence[object]] = {
        "q": ["an", "north"],
        "timing": [member.name.lower() for member in TimingClass],
        "risk": list(RiskBand.values),
        "health": list(HEALTH_NAMES),
        "stage": [stage.pk for stage in Stage.objects.all()],
        "owner": [row.owner_id],
        "team": [row.owner.team_id if row.owner else None],
        "outcome": list(Renewal.Outcome.values),
        "category": list(Stage.ForecastCategory.values),
        "segment": [row.account.segment_id],
        "industry": [row.account.industry_id],
        "offer": [row.offer_id],
        "region": [row.account.region],
        "product": [row.contract.product, "none"],
        "churn_reason": [*ChurnReason.objects.values_list("pk", flat=True)[:2], "none"],
        "account": [row.account_id],
        "currency": ["EUR", "USD"],
        "booking": list(BOOKINGS),
        "quality": ["any", "none", "error", "warning"],
        "excluded": ["yes", "no"],
        "auto_renewing": ["yes", "no"],
        "disagreement": ["higher", "lower"],
        "pinned": ["yes"],
    }
    asked = [f"{name}={value}" for name, each in values.items() for value in each if value is not None]
    asked += [f"{name}_from={soon[0]}&{name}_to={soon[1]}" for name in ("due", "decision", "ordered")]
    unasked = {name for name in FILTERS if not any(text.startswith(name) for text in asked)}
    assert not unasked, f"no value for {unasked}"
    with_open = [f"{text}&outcome={OPEN}" for text in asked if not text.startswith("outcome")]
    return [f"{FIRST}?{text}" for text in (*asked, *with_open)]


def _page_and_bare(client: Client, address: str) -> tuple[float, float]:
    """Best milliseconds of a page and of its bare SQL, measured in turn."""
    bare = partial(run_bare, statements_of(client, address))
    pairs = [(best_ms(partial(client.get, address)), best_ms(bare)) for _ in range(5)]
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


def filters(client: Client, count: int) -> list[Figure]:
    """The page under each filter that finds half a page, against its bare SQL alone, and the slowest of them.

    SQL that is slow itself is no excuse.
    """
    floors = {address: floor_of(client, address) for address in filter_addresses()}
    found = {address: _page_and_bare(client, address) for address, floor in floors.items() if floor}
    nearly_empty = {address: best_ms(partial(client.get, address)) for address, floor in floors.items() if not floor}
    # Other work of the machine comes in bursts of seconds: what stands out is measured once more, later.
    for address in [address for address, (page_ms, bare_ms) in found.items() if page_ms > FILTER_BAR * bare_ms]:
        found[address] = min(found[address], _page_and_bare(client, address), key=lambda pair: pair[0])
    ratios = {address: page_ms / bare_ms for address, (page_ms, bare_ms) in found.items()}
    far = sorted(found, key=lambda address: -ratios[address])
    slow = sorted(found, key=lambda address: -found[address][0])
    thinnest = max(nearly_empty, key=lambda address: nearly_empty[address])
    for what, addresses in (("farthest", far), ("slowest", slow)):
        told = (f"{a.partition('?')[2]} {found[a][0]:.0f} ms {ratios[a]:.2f}x" for a in addresses[:8])
        print(f"{what} filters: {'; '.join(told)}", flush=True)
    name = f"farthest of {len(found)} filters, {far[0].partition('?')[2]}"
    return [
        against(name, *found[far[0]], unit="ms", what="its bare SQL", bar=FILTER_BAR),
        Figure(
            f"slowest of {len(nearly_empty)} filters with next to no rows, {thinnest.partition('?')[2]}",
            nearly_empty[thinnest],
            "ms",
        ),
        Figure(f"slowest of {len(found)} filters at {count:,}, {slow[0].partition('?')[2]}", found[slow[0]][0], "ms"),
    ]


def measure(count: int, small: SmallBook) -> list[Figure]:
    client = admin_client()
    return [
        first_page(client, count),
        *orders(client, count, small),
        *groups(client, small),
        *filters(client, count),
        *totals(client, count),
    ]

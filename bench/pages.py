"""The first page of the central table and its totals, against their bare SQL and a plain template of the same cells."""

from html.parser import HTMLParser

from django.contrib.auth import get_user_model
from django.db import connection
from django.template import Context, Template
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench.figures import Figure, against, median_ms

PLAIN = Template("{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}")


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
    admin = get_user_model().objects.filter(role="admin").first()
    client.force_login(admin, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def statements_of(client: Client, path: str) -> list[str]:
    """The SQL about renewals that a page sends, as sent."""
    with CaptureQueriesContext(connection) as captured:
        response = client.get(path)
    assert response.status_code == 200, f"{path} answered {response.status_code}"
    return [query["sql"] for query in captured.captured_queries if '"renewals_renewal"' in query["sql"]]


def run_bare(statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.replace("%", "%%"))
            cursor.fetchall()


def first_page(count: int) -> tuple[float, float]:
    """Milliseconds of the whole first page of 50 rows in the server, and of its floor."""
    client, path = admin_client(), "/renewals/?per_page=50"
    statements = statements_of(client, path)
    cells = Cells()
    cells.feed(client.get(path).content.decode())
    rows = [row for row in cells.rows if len(row) > 3][:51]

    def floor() -> None:
        run_bare(statements)
        PLAIN.render(Context({"rows": rows}))

    return median_ms(lambda: client.get(path), times=31), median_ms(floor, times=31)


def totals(count: int) -> Figure:
    client, path = admin_client(), "/renewals/totals/"
    statements = statements_of(client, path)
    page, floor = median_ms(lambda: client.get(path), times=7), median_ms(lambda: run_bare(statements), times=7)
    return against(f"totals and count over {count:,}", page, floor, unit="ms", what="their bare SQL", bar=1.5)


def measure(count: int, small_ms: float) -> list[Figure]:
    page, floor = first_page(count)
    what = "its bare SQL and a plain template of the same cells"
    return [
        against(f"first page at {count:,}", page, floor, unit="ms", what=what, bar=2),
        against(f"first page at {count:,} against 10,000", page, small_ms, unit="ms", what="at 10,000", bar=1.5),
        totals(count),
    ]

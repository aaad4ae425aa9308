"""History in Chromium: the dialog of a row, undo from it and from a toast, the log on a phone."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from queue import Queue
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse
from playwright.sync_api import Browser, Page, Route, expect

from renewals.models import Renewal, Stage
from tests.browser.barriers import barriers
from tests.cast import Cast, make_account, make_renewal
from tests.renewals.history.steps import bulk, change
from tests.static.test_shell_in_browser import SITE, Visit, chromium

__all__ = ["chromium"]
pytestmark = pytest.mark.browser
SPACE = "\N{NO-BREAK SPACE}"


@dataclass
class WholeVisit(Visit):
    """A visit in which every request reaches the site as the browser sent it: method, body, and htmx's own headers."""

    def _answer(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        if url.path.startswith("/static/"):
            super()._answer(route)
            return
        told = {name: value for name, value in route.request.headers.items() if name.startswith("hx-")}
        asked = (route.request.method, f"{url.path}?{url.query}", route.request.post_data or "", told)
        answer: Queue[HttpResponse] = Queue()
        self.asked.put((asked, answer))  # type: ignore[arg-type]
        response = answer.get(timeout=20)
        headers = {name: value for name, value in response.items() if name != "Content-Length"}
        route.fulfill(status=response.status_code, headers=headers, body=response.content)

    def __call__(self, steps: Callable[[Page], Any]) -> Any:
        client = self.client

        def ask(asked: tuple[str, str, str, dict[str, str]]) -> HttpResponse:
            method, address, form, told = asked
            if method == "GET":
                return client.get(address, headers=told)
            return client.post(
                address, form, content_type="application/x-www-form-urlencoded", headers=told, follow=not told
            )

        self.client = type("Asked", (), {"get": staticmethod(ask)})()
        try:
            return super().__call__(steps)
        finally:
            self.client = client


@pytest.fixture
def visit(chromium: tuple[ThreadPoolExecutor, Browser], cast: Cast) -> WholeVisit:
    return WholeVisit(*chromium, client=cast.client_of("rep"))


@pytest.fixture
def row(cast: Cast) -> Renewal:
    """Worked by the rep, then one of three in the manager's bulk edit."""
    first, second = Stage.objects.order_by("position")[:2]
    account = make_account(owner=cast.rep, name="Halden Biotech")
    row = make_renewal(owner=cast.rep, account=account, stage=first)
    change(row, cast.rep, forecast_amount=Decimal(96500), next_step="Send the offer for another year")
    others = [make_renewal(owner=cast.rep, stage=first) for _ in range(5)]
    bulk([row, *others], cast.manager, f"Stage of 6 renewals → {second}", stage=second)
    change(row, cast.rep, confidence=70)
    return row


def test_dialog_of_a_row_tells_its_changes_and_takes_one_back(visit: WholeVisit, row: Renewal) -> None:
    def steps(page: Page) -> list[str]:
        page.goto(f"{SITE}/history/")
        page.get_by_role("link", name="Halden Biotech").first.click()
        dialog = page.locator("#shell-dialog")
        expect(dialog.get_by_role("listitem")).to_have_count(4)
        expect(dialog).to_contain_text("Stage of 6 renewals")
        found = barriers(page)
        dialog.get_by_role("button", name="Undo the change by Rhea Rep").first.click()
        expect(page.locator(".p-toast")).to_contain_text("Undone: 1 cell")
        expect(dialog.get_by_role("listitem")).to_have_count(5)
        expect(dialog.locator("li").first).to_contain_text(f"70{SPACE}%")
        # The toast's own undo is the redo, by the keys too; it stands under the dialog until that is closed.
        dialog.get_by_role("button", name="Close").click()
        page.keyboard.press("Control+z")
        expect(page.locator(".p-toast").last).to_contain_text("Redone: 1 cell")
        return found

    assert visit(steps) == []
    assert visit.complaints == []
    row.refresh_from_db()
    assert row.confidence == 70


def test_bulk_edit_is_taken_back_from_a_toast_and_says_what_was_kept(
    visit: WholeVisit, row: Renewal, cast: Cast
) -> None:
    others = list(Renewal.objects.exclude(pk=row.pk).order_by("pk")[:2])
    batch_id = bulk([row, *others], cast.rep, "Confidence of 3 renewals", confidence=90)
    change(others[0], cast.manager, confidence=55)
    kept = str(others[0])  # read here: the browser's thread has no database

    def steps(page: Page) -> list[str]:
        page.goto(f"{SITE}/renewals/?outcome=all")
        expect(page.locator(f"#renewal-{row.pk}")).to_contain_text("90%")
        page.evaluate(
            f"void perennial.toast({{text: 'Confidence of 3 renewals', undoUrl: '/history/undo/{batch_id}/'}})"
        )
        page.keyboard.press("Control+z")
        dialog = page.locator("#shell-dialog")
        expect(dialog).to_contain_text(f"{kept}: Confidence is 55{SPACE}%. Mona Manager changed it on")
        expect(page.locator(".p-toast").last).to_contain_text("Undone: 2 cells; kept 1 that Mona Manager changed since")
        expect(page.locator(f"#renewal-{row.pk}")).to_contain_text("70%")
        found = barriers(page)
        dialog.get_by_role("button", name="Close").click()
        expect(dialog).not_to_be_visible()
        return found

    assert visit(steps) == []
    assert visit.complaints == []


def test_step_is_taken_back_from_the_log_after_a_question(visit: WholeVisit, row: Renewal) -> None:
    def steps(page: Page) -> None:
        page.goto(f"{SITE}/history/?how=bulk")
        expect(page.get_by_role("link", name="All 6 rows of this step")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        page.locator("#confirm").get_by_role("button", name="Undo").click()
        expect(page.locator(".p-toast")).to_contain_text("Undone: 6 cells")

    visit(steps)
    assert set(Renewal.objects.values_list("stage", flat=True)) == {Stage.objects.order_by("position")[0].pk}


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_log_reads_at_every_width_in_both_themes(visit: WholeVisit, row: Renewal, width: int, theme: str) -> None:
    def steps(page: Page) -> list[Any]:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.goto(f"{SITE}/history/")
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return [max(overflow, 0), *barriers(page)]

    assert visit(steps) == [0]
    assert visit.complaints == []


def test_a_word_that_turns_the_direction_of_writing_turns_nothing_beside_it(
    visit: WholeVisit, row: Renewal, cast: Cast
) -> None:
    change(row, cast.rep, next_step="\N{RIGHT-TO-LEFT OVERRIDE}first")
    change(row, cast.rep, next_step="second")

    def steps(page: Page) -> list[float]:
        page.goto(f"{SITE}/history/")
        change_of_it = page.locator(".h-changes dd", has_text="second")
        old, new = (change_of_it.locator(part).bounding_box() for part in ("del", "ins"))
        assert old is not None
        assert new is not None
        return [old["x"], old["x"] + old["width"], new["x"]]

    places = visit(steps)
    assert places == sorted(places)

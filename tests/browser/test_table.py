"""The central table in Chromium against a running server: by keyboard, in two windows, on a phone, in both themes.

Anything that the content security policy refuses and any error in the console fails the test; the browser's own report
of an answer that is meant to be a 409 or a 422 does not.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import get_company
from renewals.models import ChurnReason, Offer, Renewal, Stage
from renewals.scoring import scoring
from tests.browser.barriers import barriers
from tests.cast import Cast, make_account, make_renewal
from tests.static.test_shell_in_browser import chromium

__all__ = ["chromium"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
T = TypeVar("T")
EXPECTED = tuple(f"the server responded with a status of {status}" for status in (409, 422))
NETWORK = ("net::ERR_", "htmx:sendError", "htmx:afterRequest", "/renewals/")


@dataclass
class Desk:
    """A person's browser: `run` takes steps in the browser's thread, in as many windows as the steps have arguments."""

    thread: ThreadPoolExecutor
    browser: Browser
    site: str
    session: str
    complaints: list[str] = field(default_factory=list)

    def run(self, steps: Callable[..., T], windows: int = 1, **options: Any) -> T:
        return self.thread.submit(self._run, steps, windows, options).result(timeout=90)

    def _run(self, steps: Callable[..., T], windows: int, options: dict[str, Any]) -> T:
        context = self.browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        context.add_cookies([{"name": "sessionid", "value": self.session, "url": self.site}])
        try:
            return steps(*(self._window(context) for _ in range(windows)))
        finally:
            context.close()

    def _window(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.on("console", lambda said: self.complain(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complain(str(error)))
        page.goto(f"{self.site}/renewals/")
        page.wait_for_selector("template[data-pattern=outcome]", state="attached")
        page.wait_for_selector("#totals [data-count]", state="attached")
        return page

    def complain(self, text: str) -> None:
        if not any(expected in text for expected in EXPECTED):
            self.complaints.append(text)


@pytest.fixture
def rows(transactional_db: None, cast: Cast) -> list[Renewal]:
    """Three open renewals of the rep, in the order of the page, and one of a colleague."""
    today = get_company().today()
    names = ("Halden Biotech", "Lumen Health", "Kestrel Bank")
    rows = [
        make_renewal(
            owner=cast.rep,
            account=make_account(name=name, owner=cast.rep, last_touch_on=today - dt.timedelta(days=60)),
            due_on=today + dt.timedelta(days=20 + place),
            forecast_amount=Decimal(12_000),
            confidence=50,
        )
        for place, name in enumerate(names)
    ]
    rows.append(make_renewal(owner=cast.team_mate, due_on=today + dt.timedelta(days=40), confidence=10))
    Offer.objects.create(name="Core, one year")
    scoring().score_renewals([row.pk for row in rows], as_of=today)
    return rows


@pytest.fixture
def desk(
    rows: list[Renewal], chromium: tuple[ThreadPoolExecutor, Browser], live_server: LiveServer, cast: Cast
) -> Iterator[Desk]:
    desk = Desk(*chromium, site=live_server.url, session=cast.client_of("rep").cookies["sessionid"].value)
    yield desk
    assert desk.complaints == []


def cell(page: Page, row: Renewal, name: str) -> Any:
    names = page.eval_on_selector_all(".g-table thead th", "heads => heads.map(head => head.dataset.name)")
    return page.locator(f"#renewal-{row.pk} > :nth-child({names.index(name) + 1})")


def focused(page: Page) -> list[str]:
    """Row and column of the focused cell, or of the editor in it."""
    return page.evaluate(
        """() => {
          const cell = document.activeElement.closest("td, th");
          const head = cell.closest("table").tHead.rows[0].cells[cell.cellIndex];
          return [cell.parentElement.dataset.account, head.dataset.name];
        }"""
    )


def toast(page: Page) -> Any:
    return page.locator("#toasts .p-toast").last


def fresh(row: Renewal) -> Renewal:
    return Renewal.objects.get(pk=row.pk)


def test_edit_by_keyboard_only(desk: Desk, rows: list[Renewal]) -> None:
    first, second, third, _ = rows

    def steps(page: Page) -> None:
        page.evaluate("document.querySelector('.g-table [tabindex=\"0\"]').focus()")
        for _ in range(7):
            page.keyboard.press("ArrowRight")
        assert focused(page) == ["Halden Biotech", "forecast_amount"]
        page.keyboard.type("13500")  # typing opens the cell
        page.keyboard.press("Enter")  # saves, moves down
        assert focused(page) == ["Lumen Health", "forecast_amount"]
        expect(cell(page, first, "forecast_amount")).to_have_text("13,500 +13%")
        expect(toast(page)).to_contain_text("Forecast of Halden Biotech: 12,000 → 13,500")
        page.keyboard.press("F2")
        page.keyboard.press("Control+a")
        page.keyboard.type("11000")
        page.keyboard.press("Tab")  # saves, moves right
        assert focused(page) == ["Lumen Health", "offer"]
        expect(cell(page, second, "forecast_amount")).to_have_text("11,000 −8%")
        page.keyboard.type("cor")  # a searched choice
        expect(page.locator(".g-options [aria-selected=true]")).to_contain_text("Core, one year")
        page.keyboard.press("Enter")
        expect(cell(page, second, "offer")).to_have_text("Core, one year")
        assert focused(page) == ["Kestrel Bank", "offer"]
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.keyboard.type("99")
        page.keyboard.press("Escape")  # leaves it as it was
        expect(cell(page, third, "confidence")).to_have_text("50%")
        assert focused(page) == ["Kestrel Bank", "confidence"]
        page.keyboard.press("Control+z")  # takes back the newest save
        expect(cell(page, second, "offer")).to_have_text("")

    desk.run(steps)
    assert [fresh(row).forecast_amount for row in rows[:3]] == [13_500, 11_000, 12_000]
    assert fresh(second).offer is None
    assert fresh(third).confidence == 50


def test_typing_goes_on_while_a_save_is_on_its_way(desk: Desk, rows: list[Renewal]) -> None:
    """Two cells of one row, without waiting for the first answer: neither is lost, and the focus stays."""
    row = rows[0]

    def steps(page: Page) -> None:
        cell(page, row, "confidence").focus()
        page.evaluate("document.querySelector('.g-table [tabindex=\"0\"]').focus()")
        cell(page, row, "expected_order_on").click()
        page.locator(".g-editor [name=value]").fill("2026-12-24")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.locator("td:not(.is-saving) > .g-editor [name=value]").fill(today)
        page.keyboard.press("Enter")
        expect(cell(page, row, "outcome")).to_contain_text("Renewed")
        expect(cell(page, row, "expected_order_on")).to_have_text("24 Dec 2026")

    today = get_company().today().isoformat()
    desk.run(steps)
    assert (fresh(row).expected_order_on, fresh(row).outcome) == (dt.date(2026, 12, 24), "renewed")


def test_a_wrong_value_stays_in_its_cell_with_the_reason(desk: Desk, rows: list[Renewal]) -> None:
    row = rows[0]

    def steps(page: Page) -> None:
        cell(page, row, "confidence").click()
        page.keyboard.press("Control+a")
        page.keyboard.type("abc")
        page.keyboard.press("Enter")
        note = cell(page, row, "confidence").locator(".g-note")
        expect(note).to_have_text("Confidence is a whole number from 0 to 100, not “abc”.")
        expect(cell(page, row, "confidence").locator("input[name=value]")).to_have_value("abc")
        expect(cell(page, row, "confidence").locator("input[name=value]")).to_be_focused()
        page.keyboard.press("Control+a")
        page.keyboard.type("65")
        page.keyboard.press("Enter")
        expect(cell(page, row, "confidence")).to_have_text("65%")

    desk.run(steps)
    assert fresh(row).confidence == 65


def test_a_value_survives_a_server_that_does_not_answer(desk: Desk, rows: list[Renewal]) -> None:
    row = rows[0]

    def steps(page: Page) -> None:
        page.route("**/confidence/", lambda route: route.abort())
        cell(page, row, "confidence").click()
        page.keyboard.press("Control+a")
        page.keyboard.type("75")
        page.keyboard.press("Enter")
        expect(cell(page, row, "confidence").locator(".g-note")).to_contain_text("Not saved.")
        expect(cell(page, row, "confidence").locator("input[name=value]")).to_have_value("75")
        page.unroute("**/confidence/")
        cell(page, row, "confidence").locator("input[name=value]").press("Enter")
        expect(cell(page, row, "confidence")).to_have_text("75%")
        # That the network failed is what the browser reports; anything else is a complaint.
        desk.complaints[:] = [text for text in desk.complaints if not any(known in text for known in NETWORK)]

    desk.run(steps)
    assert fresh(row).confidence == 75


def test_two_windows_meet_in_one_cell(desk: Desk, rows: list[Renewal]) -> None:
    row = rows[0]

    def change(page: Page, text: str) -> None:
        cell(page, row, "confidence").click()
        page.keyboard.press("Control+a")
        page.keyboard.type(text)

    def steps(one: Page, two: Page) -> None:
        change(two, "80")  # opened before the other saves
        change(one, "70")
        one.keyboard.press("Enter")
        expect(cell(one, row, "confidence")).to_have_text("70%")
        two.keyboard.press("Enter")
        note = cell(two, row, "confidence").locator(".g-note")
        expect(note).to_contain_text("Rhea Rep changed it at")
        assert note.locator("dd").all_inner_texts() == ["50%", "70%", "80"]
        edges = note.evaluate("note => [note, note.closest('.g-scroll')].map(one => one.getBoundingClientRect().right)")
        assert edges[0] < edges[1] + 1
        change(one, "90")  # opened while it shows 70
        note.get_by_role("button", name="Use mine").click()
        expect(cell(two, row, "confidence")).to_have_text("80%")
        one.keyboard.press("Enter")
        cell(one, row, "confidence").get_by_role("button", name="Keep theirs").click()
        expect(cell(one, row, "confidence")).to_have_text("80%")

    desk.run(steps, windows=2)
    assert fresh(row).confidence == 80


def test_two_windows_on_different_cells_do_not_meet(desk: Desk, rows: list[Renewal]) -> None:
    row = rows[0]

    def steps(one: Page, two: Page) -> None:
        cell(one, row, "next_step").click()
        one.keyboard.type("Call Ana")
        cell(two, row, "confidence").click()
        two.keyboard.press("Control+a")
        two.keyboard.type("70")
        two.keyboard.press("Enter")
        expect(cell(two, row, "confidence")).to_have_text("70%")
        one.keyboard.press("Enter")
        expect(cell(one, row, "next_step")).to_have_text("Call Ana")
        expect(cell(one, row, "confidence")).to_have_text("70%")

    desk.run(steps, windows=2)


def test_outcome_asks_for_its_reason(desk: Desk, rows: list[Renewal]) -> None:
    row = rows[0]

    def steps(page: Page) -> None:
        cell(page, row, "outcome").click()
        page.locator(".g-editor [name=value]").select_option("lost")
        expect(page.locator(".g-editor [name=final_amount]")).to_be_hidden()
        page.locator(".g-editor [name=value]").press("Enter")
        expect(page.locator(".g-note:visible")).to_have_text("A lost renewal needs its churn reason.")
        page.locator(".g-editor [name=churn_reason]").select_option(label="Price")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(cell(page, row, "outcome")).to_have_text("Lost Price")
        expect(cell(page, row, "timing")).to_have_text("Lost")
        expect(page.locator("#totals")).to_contain_text("none due yet")

    desk.run(steps)
    assert fresh(row).churn_reason == ChurnReason.objects.get(name="Price")


def test_stage_is_picked_with_the_pointer(desk: Desk, rows: list[Renewal]) -> None:
    row = rows[0]

    def steps(page: Page) -> None:
        cell(page, row, "stage").click()
        page.locator(".g-editor select").click()
        page.locator(".g-editor select").select_option(label="Proposal")
        expect(cell(page, row, "stage")).to_have_text("Proposal")
        expect(page.locator(".g-editor")).to_have_count(0)

    desk.run(steps)
    assert fresh(row).stage == Stage.objects.get(name="Proposal")


def test_what_a_risk_is_made_of_adds_up(desk: Desk, rows: list[Renewal]) -> None:
    row = rows[0]

    def steps(page: Page) -> tuple[list[float], float, str]:
        cell(page, row, "risk").click()
        card = page.locator("#risk-card")
        expect(card).to_be_visible()
        assert cell(page, row, "risk").get_attribute("aria-describedby") == "risk-card"
        points = [float(text) for text in card.locator("tbody td").all_inner_texts()]
        total = float(card.locator("tfoot td").inner_text())
        said = card.inner_text()
        page.keyboard.press("ArrowLeft")
        expect(card).to_be_hidden()
        page.mouse.move(0, 0)
        cell(page, row, "risk").hover()
        expect(card).to_be_visible()
        return points, total, said

    points, total, said = desk.run(steps)
    assert total == pytest.approx(sum(points), abs=0.05 * len(points))
    assert points == sorted(points, reverse=True)
    assert "No data: " in said
    assert "Product usage" in said
    assert "Data completeness" in said


def test_a_row_of_others_says_why_it_is_not_written_in(desk: Desk, rows: list[Renewal]) -> None:
    def steps(page: Page) -> None:
        cell(page, rows[3], "confidence").click()
        page.keyboard.press("Enter")
        expect(page.locator(".g-editor")).to_have_count(0)
        expect(toast(page)).to_contain_text("Tom Mate owns this renewal")
        cell(page, rows[0], "probability").click()
        page.keyboard.type("5")
        expect(toast(page)).to_contain_text("Probability: Computed from the row")

    desk.run(steps)


def test_filters_search_and_order_are_in_the_address(desk: Desk, rows: list[Renewal]) -> None:
    def steps(page: Page) -> None:
        page.locator("summary", has_text="Owner").click()
        page.get_by_label("Me", exact=True).check()
        page.get_by_role("button", name="Apply").click()
        expect(page.locator(".g-table tbody tr")).to_have_count(3)
        assert page.url.endswith("?outcome=open&owner=me")
        page.get_by_role("link", name="Forecast €").click()
        expect(page.locator("th[aria-sort=ascending]")).to_contain_text("Forecast")
        assert page.url.endswith("?owner=me&outcome=open&sort=forecast_amount")
        assert page.evaluate("document.activeElement.id") == "sort-forecast_amount"
        page.keyboard.press("/")
        page.keyboard.type("lum")
        page.keyboard.press("Enter")
        expect(page.locator(".g-table tbody tr")).to_have_count(1)
        expect(page.locator("[data-count-slot]")).to_have_text(" of 1")
        page.get_by_label("Remove the filter Owner: me").click()
        assert "owner" not in page.url
        page.go_back()
        expect(page.get_by_label("Remove the filter Owner: me")).to_be_visible()
        page.locator(".p-search [name=q]").fill("nobody at all")
        page.keyboard.press("Enter")
        expect(page.locator(".p-empty")).to_contain_text("No renewal matches")
        page.get_by_role("link", name="Clear all filters").click()
        expect(page.locator(".g-table tbody tr")).to_have_count(4)

    desk.run(steps)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_page_is_accessible(desk: Desk, rows: list[Renewal], width: int, scheme: str) -> None:
    def steps(page: Page) -> list[str]:
        found = barriers(page)
        cell(page, rows[0], "outcome").click()
        found += barriers(page)
        page.keyboard.press("Escape")
        cell(page, rows[0], "owner").click()
        expect(page.locator(".g-options")).to_be_visible()
        found += barriers(page)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        return found

    options = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme}
    assert desk.run(steps, **options) == []


def test_on_a_phone_a_tap_opens_a_cell(desk: Desk, rows: list[Renewal]) -> None:
    row = rows[0]

    def steps(page: Page) -> str:
        label = cell(page, row, "confidence").evaluate("cell => getComputedStyle(cell, '::before').content")
        cell(page, row, "confidence").tap()
        page.locator(".g-editor input[name=value]").fill("85")
        page.keyboard.press("Enter")
        expect(cell(page, row, "confidence")).to_have_text("85%")
        return label

    label = desk.run(steps, viewport={"width": 390, "height": 844}, has_touch=True)
    assert label == '"Confidence"'
    assert fresh(row).confidence == 85

"""The shell in a real Chromium under the real content security policy.

The browser lives in a thread of its own and asks the test for its pages, so each test keeps its transaction and needs
no server. What a page posts is recorded and left unanswered, as by a server that is down. Anything that the policy
refuses, and any error in the console, is a complaint.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import Empty, Queue
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import Client
from playwright.sync_api import Browser, Page, Route

from tests.cast import Cast

pytestmark = pytest.mark.browser
T = TypeVar("T")
SITE = "http://localhost"
ACCOUNT_PAGE = f"{SITE}/sign/password/change/"
CHART_PAGE = f"{SITE}/chart/"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}


@dataclass
class Visit:
    """One browser window of one person. Calling it runs steps in the browser's thread and answers what it asks for."""

    thread: ThreadPoolExecutor
    browser: Browser
    client: Client
    asked: Queue[tuple[str, Queue[HttpResponse]]] = field(default_factory=Queue)
    complaints: list[str] = field(default_factory=list)
    posts: list[tuple[str, str | None]] = field(default_factory=list)

    def __call__(self, steps: Callable[[Page], T], **window: Any) -> T:
        """`window` as Playwright's `new_context` takes it."""
        running = self.thread.submit(self._run, steps, window)
        while not running.done():
            try:
                url, answer = self.asked.get(timeout=0.01)
            except Empty:
                continue
            answer.put(self.client.get(url))
        return running.result()

    def _run(self, steps: Callable[[Page], T], window: dict[str, Any]) -> T:
        desktop = {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"}
        context = self.browser.new_context(**{**desktop, **window})
        context.route("**/*", self._answer)
        page = context.new_page()
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        try:
            return steps(page)
        finally:
            context.close()

    def _answer(self, route: Route) -> None:
        url = urlsplit(route.request.url)
        found = finders.find(url.path.removeprefix("/static/")) if url.path.startswith("/static/") else None
        if found:
            route.fulfill(path=found, content_type=TYPES[os.path.splitext(found)[1]])
        elif route.request.url == CHART_PAGE:
            body = f"<!doctype html><html><head>{render_to_string('components/plotly.html')}</head><body><div id=chart>"
            headers = {"Content-Type": "text/html", "Content-Security-Policy": settings.CONTENT_SECURITY_POLICY}
            route.fulfill(body=body, headers=headers)
        elif route.request.method == "POST":
            self.posts.append((url.path, route.request.headers.get("x-csrftoken")))
            route.abort()
        else:
            answer: Queue[HttpResponse] = Queue()
            self.asked.put((f"{url.path}?{url.query}", answer))
            response = answer.get(timeout=20)
            route.fulfill(status=response.status_code, headers=dict(response.items()), body=response.content)


@pytest.fixture(scope="module")
def chromium(only_chromium: tuple[ThreadPoolExecutor, Browser]) -> tuple[ThreadPoolExecutor, Browser]:
    return only_chromium


@pytest.fixture
def visit(chromium: tuple[ThreadPoolExecutor, Browser], cast: Cast) -> Visit:
    return Visit(*chromium, client=cast.client_of("admin"))


def test_shell_loads_without_a_complaint(visit: Visit) -> None:
    def steps(page: Page) -> bool:
        page.goto(ACCOUNT_PAGE)
        page.wait_for_load_state("networkidle")
        return page.evaluate("document.fonts.check('13px \"Inter Variable\"')")

    assert visit(steps)
    assert visit.complaints == []


def test_theme_follows_the_system_until_one_is_chosen(visit: Visit) -> None:
    def steps(page: Page) -> list[str]:
        page.emulate_media(color_scheme="dark")
        page.goto(ACCOUNT_PAGE)
        themes = [page.evaluate("document.documentElement.dataset.bsTheme")]
        page.click(".p-rail-foot summary")
        page.click("button[data-theme-choice=light]")
        themes.append(page.evaluate("document.querySelector('[data-theme-choice][aria-pressed=true]').ariaLabel"))
        page.reload()
        return [*themes, page.evaluate("document.documentElement.dataset.bsTheme")]

    assert visit(steps) == ["dark", "Light", "light"]
    assert visit.complaints == []


@pytest.mark.parametrize(("width", "rail_width"), [(1280, 208), (1000, 57), (390, 390)])
def test_rail_folds_with_the_window_and_nothing_overflows(visit: Visit, width: int, rail_width: int) -> None:
    def steps(page: Page) -> list[int]:
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(ACCOUNT_PAGE)
        widths = "[document.querySelector('.p-rail').offsetWidth, document.documentElement.scrollWidth]"
        return page.evaluate(widths)

    assert visit(steps) == [rail_width, width]


def test_a_phone_has_every_page_behind_more(visit: Visit) -> None:
    def steps(page: Page) -> list[object]:
        page.set_viewport_size({"width": 390, "height": 800})
        page.goto(ACCOUNT_PAGE)
        forecast, more = page.locator(".p-rail a[title=Forecast]"), page.locator(".p-rail-more")
        seen: list[object] = [forecast.is_visible()]
        more.click()
        seen += [forecast.is_visible(), page.locator(".p-rail h2", has_text="Numbers").is_visible()]
        page.keyboard.press("Escape")
        seen += [
            forecast.is_visible(),
            more.get_attribute("aria-expanded"),
            more.evaluate("e => e == document.activeElement"),
        ]
        more.click()
        page.locator("main").click(position={"x": 5, "y": 5})
        return [*seen, forecast.is_visible()]

    assert visit(steps) == [False, True, True, False, "false", True, False]
    assert visit.complaints == []


def test_question_mark_shows_the_keys_but_not_while_typing(visit: Visit) -> None:
    def steps(page: Page) -> list[bool]:
        page.goto(ACCOUNT_PAGE)
        is_open = []
        for key in ("?", "Escape"):
            page.keyboard.press(key)
            is_open.append(page.evaluate("document.getElementById('keys').open"))
        page.focus("input[type=password]")
        page.keyboard.press("?")
        return [*is_open, page.evaluate("document.getElementById('keys').open")]

    assert visit(steps) == [True, False, False]


def test_undo_goes_out_by_key_and_the_page_says_when_nobody_answers(visit: Visit) -> None:
    def steps(page: Page) -> str:
        page.goto(ACCOUNT_PAGE)
        page.evaluate("void perennial.toast({text: '96,500 → 108,500', undoUrl: '/undo/7/'})")
        page.keyboard.press("Control+z")
        page.wait_for_selector(".p-toast.is-error")
        return page.inner_text(".p-toast.is-error [data-text]")

    assert visit(steps) == "Not saved: the server did not answer. Your value is still in the cell; try again."
    [(path, token)] = visit.posts
    assert path == "/undo/7/"
    assert token


def test_confirmation_asks_before_a_form_goes_out(visit: Visit) -> None:
    def steps(page: Page) -> list[int]:
        page.goto(ACCOUNT_PAGE)
        page.evaluate("document.querySelector('.p-rail form').dataset.confirm = 'Really sign out?'")
        sent = []
        for answer in ("", "yes"):
            page.evaluate("document.querySelector('.p-rail form').requestSubmit()")
            page.get_by_role("heading", name="Really sign out?").wait_for()
            page.click(f"#confirm [value='{answer}']")
            page.wait_for_timeout(100)
            sent.append(len(visit.posts))
        return sent

    assert visit(steps) == [0, 1]


def test_plotly_draws_under_the_policy(visit: Visit) -> None:
    def steps(page: Page) -> list[object]:
        page.goto(CHART_PAGE)
        page.wait_for_function("window.Plotly")
        page.evaluate(
            """Plotly.newPlot("chart", [
                {type: "bar", x: ["Q1", "Q2"], y: [1, 2], name: "Won"},
                {x: ["Q1", "Q2"], y: [2, 3], mode: "lines+markers", name: "Expected"},
                {x: ["Q1", "Q2"], y: [3, 4], fill: "tonexty", line: {width: 0}, name: "P10 to P90"},
            ], {barmode: "stack", hovermode: "x unified", title: {text: "€ M"}}).then(() => null)"""
        )
        page.mouse.move(400, 250)
        bars = page.locator("#chart .bars path").count()
        return [bars, page.evaluate("getComputedStyle(document.querySelector('#chart .main-svg')).position")]

    # The position comes from plotly-global.css: the bundle has taken the file for its own style sheet.
    assert visit(steps) == [2, "absolute"]
    assert visit.complaints == []

"""An import in Chromium, against a real server: a file with bad rows goes from the drop zone to the book."""

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, FilePayload, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from renewals.imports import services, tasks
from renewals.models import Contract, ImportBatch
from tests.browser.barriers import barriers
from tests.cast import Cast
from tests.static.test_shell_in_browser import chromium

__all__ = ["chromium"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
HEADINGS = "Account id,Account,Contract,Starts,Ends,Yearly amount,Currency\r\n"
GOOD = "A1,<b>Halden</b> & Sons,C1,2026-01-01,2026-12-31,42000,EUR\r\nA2,Birch,C2,2026-01-01,2026-12-31,100,EUR\r\n"
BAD = "A3,Cedar,C3,2026-01-01,31.12.2026,100,EUR\r\nA4,Dorn,C4,2026-02-01,2026-01-01,100,EUR\r\n"
Visit = Callable[[Callable[[Page], None]], None]


@pytest.fixture
def visit(
    chromium: tuple[ThreadPoolExecutor, Browser], cast: Cast, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Visit]:
    """The admin's window. While it is open this thread is the worker: it does what waits."""
    thread, browser = chromium
    monkeypatch.setattr(tasks, "send", lambda task, batch_id: True)
    complaints: list[str] = []
    cookie = signed_in(cast.admin)

    def run(steps: Callable[[Page], None]) -> None:
        context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 800})
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if is_complaint(said) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        try:
            steps(page)
        finally:
            context.close()

    def window(steps: Callable[[Page], None]) -> None:
        running = thread.submit(run, steps)
        while not running.done():
            for batch in ImportBatch.objects.filter(state__in=["checking", "importing"]):
                services.process_batch(batch.pk)
            time.sleep(0.05)
        running.result()

    yield window
    assert complaints == []


def is_complaint(said: ConsoleMessage) -> bool:
    # A 422 carries a message for the person; that the browser notes it as well is no fault of the page.
    return said.type == "error" and "status of 422" not in said.text


def signed_in(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def upload(page: Page, text: str, name: str = "book.csv") -> None:
    page.goto("/imports/")
    page.set_input_files("input[type=file]", FilePayload(name=name, mimeType="text/csv", buffer=text.encode()))
    page.get_by_role("button", name="Upload and look").click()


def test_a_file_with_bad_rows_is_looked_at_and_its_good_rows_imported(visit: Visit) -> None:
    def steps(page: Page) -> None:
        upload(page, HEADINGS + GOOD + BAD)
        expect(page.get_by_role("radio", name="Contracts reads 7 of 7")).to_be_checked()
        assert barriers(page) == []
        page.get_by_role("button", name="Check the rows").click()
        expect(page.get_by_role("heading", name="Nothing is written yet")).to_be_visible()
        expect(page.get_by_role("heading", name="2 rows refused")).to_be_visible()
        expect(page.locator("#refused")).to_contain_text("31.12.2026")
        expect(page.locator("#refused")).to_contain_text("ends before it starts, on 2026-02-01")
        expect(page.get_by_role("cell", name="<b>Halden</b> & Sons")).to_be_visible()
        assert barriers(page) == []
        page.get_by_role("button", name="Import the 2 good rows").click()
        expect(page.locator(".p-notice-good")).to_contain_text("2 rows stayed out")
        with page.expect_download() as download:
            page.get_by_role("link", name="download them to fix").click()
        text = download.value.path().read_text(encoding="utf-8-sig")
        assert re.findall(r"^A\d", text, re.MULTILINE) == ["A3", "A4"]
        page.goto("/imports/")
        expect(page.get_by_role("row", name="book.csv")).to_contain_text("Done")
        assert barriers(page) == []

    visit(steps)
    assert sorted(Contract.objects.values_list("number", flat=True)) == ["C1", "C2"]


def test_a_dropped_file_is_uploaded_at_once(visit: Visit) -> None:
    def steps(page: Page) -> None:
        page.goto("/imports/")
        page.evaluate(
            """text => {
                const data = new DataTransfer();
                data.items.add(new File([text], "dropped.csv", {type: "text/csv"}));
                document.querySelector(".p-drop-zone").dispatchEvent(
                    new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
            }""",
            HEADINGS + GOOD,
        )
        expect(page.get_by_role("heading", level=1)).to_contain_text("dropped.csv")

    visit(steps)
    assert ImportBatch.objects.get().file_name == "dropped.csv"


def test_a_file_of_the_wrong_kind_gets_its_message_in_the_page(visit: Visit) -> None:
    def steps(page: Page) -> None:
        page.goto("/imports/")
        page.set_input_files("input[type=file]", FilePayload(name="a.pdf", mimeType="text/csv", buffer=b"%PDF-1.7"))
        page.get_by_role("button", name="Upload and look").click()
        expect(page.get_by_role("alert")).to_have_text(
            "This is a PDF. Export the list as CSV or XLSX from where the PDF was made."
        )

    visit(steps)


def test_columns_are_changed_by_keyboard_and_the_import_cancelled(visit: Visit) -> None:
    def steps(page: Page) -> None:
        upload(page, "Kunde,Vertrag,Beginn,Ende\nAcme,V1,01.02.2026,31.01.2027\n")
        page.get_by_role("link", name="contracts and their renewals").click()
        for label, column in (
            ("Account name", "Kunde"),
            ("Contract number", "Vertrag"),
            ("Starts on", "Beginn"),
            ("Ends on", "Ende"),
        ):
            page.get_by_label(f"Column for {label}", exact=True).select_option(column)
        for label in ("Starts on", "Ends on"):
            page.get_by_label(f"How {label} is written").select_option("30.11.2026")
        page.get_by_label("Keep Kunde as", exact=True).focus()
        page.keyboard.type("cat")
        expect(page.get_by_label("Keep Kunde as", exact=True)).to_have_value("category")
        page.get_by_label("Currency of every row").fill("EUR")
        assert barriers(page) == []
        page.get_by_label("Currency of every row").press("Enter")
        expect(page.get_by_role("button", name="Import 1 row")).to_be_visible()
        page.get_by_role("button", name="Cancel").click()
        page.locator("#confirm").get_by_role("button", name="Cancel the import").click()
        expect(page.get_by_role("row", name="book.csv")).to_contain_text("Cancelled")

    visit(steps)
    assert not Contract.objects.exists()

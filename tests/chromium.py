"""One Chromium for all tests of a process: starting one takes seconds, and each test opens a context of its own."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

SWITCHES = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-sync"


@pytest.fixture(scope="session")
def only_chromium() -> Iterator[tuple[ThreadPoolExecutor, Browser]]:
    """The browser, and the thread that it lives in."""

    def launch() -> tuple[Playwright, Browser]:
        playwright = sync_playwright().start()
        path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        return playwright, playwright.chromium.launch(executable_path=path, args=SWITCHES.split())

    with ThreadPoolExecutor(max_workers=1) as thread:
        playwright, browser = thread.submit(launch).result()
        yield thread, browser
        thread.submit(browser.close).result()
        thread.submit(playwright.stop).result()

"""What would keep somebody from using a page, as axe finds it, and whether a page fits a phone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


def barriers(page: Page, **options: Any) -> list[str]:
    """Each rule of axe that the page breaks, with the first element that does; `context` narrows it to a part."""
    found = Axe().run(page, **options).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:300]}" for one in found]


def barriers_of_pages(page: Page, addresses: Iterable[str]) -> list[str]:
    """Of each address: what `barriers` finds, and whether the page is wider than a phone."""
    found: list[str] = []
    for address in addresses:
        page.set_viewport_size(DESK)  # type: ignore[arg-type]
        page.goto(address)
        page.wait_for_load_state("networkidle")
        found.extend(f"{address}: {one}" for one in barriers(page))
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{address}: wider than a phone")
    return found

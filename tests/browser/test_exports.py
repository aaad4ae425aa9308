"""The export button of the table and the page of an export that is being written, in Chromium."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from renewals.exports import services
from renewals.models import Export, Renewal
from tests.browser.test_table import Desk, chromium, desk, rows
from tests.renewals.exports.export_book import csv_lines, sheet

__all__ = ["chromium", "desk", "rows"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


def take(page: Page, name: str, path: Path) -> str:
    page.locator('.p-actions summary:has-text("Export")').click()
    with page.expect_download() as loading:
        page.get_by_role("button", name=name).click()
    loading.value.save_as(path)
    return loading.value.suggested_filename


def test_the_button_says_how_many_and_the_file_is_what_is_seen(desk: Desk, rows: list[Renewal], tmp_path: Path) -> None:
    def steps(page: Page) -> None:
        expect(page.locator('.p-actions summary:has-text("Export")')).to_have_text("Export 4")
        page.click("#sort-account")
        page.wait_for_url("**sort=account**")
        name = take(page, "CSV", tmp_path / "a.csv")
        assert name.startswith("renewals-4-rows-")
        seen = page.eval_on_selector_all(".g-table tbody tr", "rows => rows.map(row => row.dataset.account)")
        assert [line["Account"] for line in csv_lines((tmp_path / "a.csv").read_bytes())] == seen
        take(page, "XLSX", tmp_path / "a.xlsx")
        head, *lines = sheet((tmp_path / "a.xlsx").read_bytes())
        assert [line[head.index("Account")] for line in lines] == seen

    desk.run(steps, accept_downloads=True)


def test_a_large_export_shows_its_progress_and_then_its_file(
    desk: Desk, rows: list[Renewal], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(services, "AT_ONCE", 2)

    def ask(page: Page) -> str:
        page.locator('.p-actions summary:has-text("Export")').click()
        page.get_by_role("button", name="CSV").click()
        expect(page.locator("progress")).to_be_visible()
        return page.url

    url = desk.run(ask)
    services.process_export(Export.objects.get().pk)

    def wait(page: Page) -> None:
        page.goto(url)
        with page.expect_download() as loading:
            page.get_by_role("link", name="Download").click()
        loading.value.save_as(tmp_path / "a.csv")

    desk.run(wait, accept_downloads=True)
    assert len(csv_lines((tmp_path / "a.csv").read_bytes())) == 4

"""Undo and redo by key in Chromium: what this window did, newest first, long after the toasts are gone."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from accounts.models import User, get_company
from renewals.bulk.changes import read_changes
from renewals.bulk.selection import Selection
from renewals.bulk.services import plan_edit
from renewals.models import Renewal
from renewals.services import update_renewal
from tests.browser.barriers import barriers
from tests.browser.test_paste import CLIPBOARD, go_to, put_on_clipboard
from tests.browser.test_table import Desk, cell, chromium, desk, focused, fresh, rows, toast
from tests.cast import Cast

__all__ = ["chromium", "desk", "rows"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


def save(page: Page, row: Renewal, name: str, text: str) -> None:
    cell(page, row, name).click()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def dismiss(page: Page) -> None:
    while page.locator("#toasts [data-dismiss]").count():
        page.locator("#toasts [data-dismiss]").first.click()
    expect(page.locator("#toasts .p-toast")).to_have_count(0)


def test_steps_are_taken_back_and_done_again_in_order(desk: Desk, rows: list[Renewal]) -> None:
    first, second = rows[:2]

    def steps(page: Page) -> None:
        save(page, first, "confidence", "61")
        expect(cell(page, first, "confidence")).to_have_text("61%")
        go_to(page, first, "forecast_amount")
        put_on_clipboard(page, "13000\n14000")
        page.keyboard.press("Control+v")
        expect(toast(page)).to_contain_text("2 cells of 2 renewals pasted")
        save(page, second, "confidence", "62")
        expect(cell(page, second, "confidence")).to_have_text("62%")
        dismiss(page)  # the toasts are gone, and so is the page
        page.reload()
        page.wait_for_selector("template[data-pattern=outcome]", state="attached")
        go_to(page, first, "next_step")
        page.keyboard.press("Control+z")
        expect(cell(page, second, "confidence")).to_have_text("50%")
        page.keyboard.press("Control+z")
        expect(toast(page)).to_contain_text("Undone: 2 cells")
        expect(toast(page).get_by_role("button", name="Redo")).to_be_visible()
        expect(cell(page, second, "forecast_amount")).to_have_text("12,000")
        assert focused(page) == ["Halden Biotech", "next_step"]
        page.keyboard.press("Control+z")
        expect(cell(page, first, "confidence")).to_have_text("50%")
        page.keyboard.press("Control+z")
        expect(toast(page)).to_contain_text("Nothing to undo in this window.")
        page.keyboard.press("Control+y")
        expect(cell(page, first, "confidence")).to_have_text("61%")
        page.keyboard.press("Control+Shift+z")
        expect(cell(page, second, "forecast_amount")).to_have_text("14,000 +17%")
        save(page, first, "next_step", "Call")  # a new step: there is nothing to do again
        expect(cell(page, first, "next_step")).to_have_text("Call")
        page.keyboard.press("Control+y")
        expect(toast(page)).to_contain_text("Nothing to do again.")

    desk.run(steps, **CLIPBOARD)
    assert [(row.forecast_amount, row.confidence) for row in map(fresh, rows[:2])] == [
        (Decimal(13_000), 61),
        (Decimal(14_000), 50),
    ]


def test_keys_pressed_while_a_save_is_on_its_way_take_that_save_back(desk: Desk, rows: list[Renewal]) -> None:
    def steps(page: Page) -> None:
        save(page, rows[0], "confidence", "61")
        page.keyboard.press("Control+z")
        expect(toast(page)).to_contain_text("Undone: 1 cell")
        expect(cell(page, rows[0], "confidence")).to_have_text("50%")

    desk.run(steps)
    assert fresh(rows[0]).confidence == 50


def test_in_an_open_cell_the_keys_are_the_text_s_own(desk: Desk, rows: list[Renewal]) -> None:
    def steps(page: Page) -> None:
        save(page, rows[0], "confidence", "61")
        expect(cell(page, rows[0], "confidence")).to_have_text("61%")
        cell(page, rows[1], "next_step").click()
        page.keyboard.type("Call Ana")
        page.keyboard.press("Control+z")
        expect(page.locator(".g-editor [name=value]")).not_to_have_value("Call Ana")
        expect(cell(page, rows[0], "confidence")).to_have_text("61%")
        page.keyboard.press("Escape")

    desk.run(steps)
    assert fresh(rows[0]).confidence == 61


def test_cells_that_somebody_changed_since_are_kept_and_listed(desk: Desk, rows: list[Renewal], cast: Cast) -> None:
    first = rows[0]

    def change() -> None:
        """In a thread of its own: the browser's has no database."""
        today = get_company().today()
        change = {"field": "confidence", "value": 99, "seen": "60"}
        update_renewal(renewal_id=first.pk, user=cast.manager, as_of=today, **change)
        connection.close()

    def paste(page: Page) -> None:
        go_to(page, first, "confidence")
        put_on_clipboard(page, "60\n61\n62")
        page.keyboard.press("Control+v")
        expect(toast(page)).to_contain_text("3 cells of 3 renewals pasted")

    def undo(page: Page) -> list[str]:
        go_to(page, first, "due_on")
        page.keyboard.press("Control+z")
        dialog = page.locator("#shell-dialog")
        expect(dialog).to_contain_text("Mona Manager changed it")
        expect(toast(page)).to_contain_text("Undone: 2 cells; kept 1 that Mona Manager changed since")
        found = barriers(page)
        dialog.get_by_role("button", name="Close").click()
        return found

    def steps(page: Page) -> list[str]:
        paste(page)
        apart.submit(change).result(timeout=20)
        return undo(page)

    with ThreadPoolExecutor(1) as apart:
        assert desk.run(steps, **CLIPBOARD) == []
    assert [row.confidence for row in map(fresh, rows[:3])] == [99, 50, 50]


def test_bulk_edit_that_this_window_confirmed_is_its_newest_step(desk: Desk, rows: list[Renewal]) -> None:
    rep = User.objects.get(email="rhea.rep@example.com")
    ids = tuple(row.pk for row in rows[:3])
    changes = read_changes({"confidence_action": "set", "confidence_value": "80"})
    edit = plan_edit(selection=Selection(ids=ids), changes=changes, user=rep)
    assert edit.state == "planned"

    def steps(page: Page) -> None:
        page.goto(f"{desk.site}/bulk/{edit.pk}/")
        page.get_by_role("button", name="Change 3 renewals").click()
        expect(page.locator("#bulk-edit")).to_contain_text("3 renewals changed")
        page.get_by_role("link", name="See the table").click()
        expect(cell(page, rows[0], "confidence")).to_have_text("80%")
        page.keyboard.press("Control+z")
        expect(toast(page)).to_contain_text("Undone: 3 cells")
        expect(cell(page, rows[0], "confidence")).to_have_text("50%")
        page.goto(f"{desk.site}/bulk/{edit.pk}/")  # seen again, it is no new step
        page.keyboard.press("Control+z")
        expect(toast(page)).to_contain_text("Nothing to undo in this window.")
        page.keyboard.press("Control+y")
        expect(toast(page)).to_contain_text("Redone: 3 cells")

    desk.run(steps)
    assert [row.confidence for row in map(fresh, rows[:3])] == [80, 80, 80]

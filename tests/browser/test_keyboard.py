"""The table by keyboard in Chromium: every key that the help names, and a focus that no swap loses."""

import datetime as dt
import re

import pytest
from playwright.sync_api import Page, expect

from renewals.models import Renewal
from tests.browser.barriers import barriers
from tests.browser.test_paste import go_to, said
from tests.browser.test_table import Desk, cell, chromium, desk, focused, fresh, rows, toast

__all__ = ["chromium", "desk", "rows"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


def test_keys_that_move(desk: Desk, rows: list[Renewal]) -> None:
    last = str(rows[3].account)

    def steps(page: Page) -> None:
        columns = page.eval_on_selector_all(".g-table thead th", "heads => heads.map(head => head.dataset.name)")

        def press(keys: str, account: str, name: str) -> None:
            page.keyboard.press(keys)
            assert focused(page) == [account, name], keys

        go_to(page, rows[1], "stage")
        press("ArrowDown", "Kestrel Bank", "stage")
        press("ArrowUp", "Lumen Health", "stage")
        press("ArrowLeft", "Lumen Health", "timing")
        press("ArrowRight", "Lumen Health", "stage")
        press("Tab", "Lumen Health", "baseline_amount")
        press("Shift+Tab", "Lumen Health", "stage")
        press("End", "Lumen Health", columns[-1])
        press("Tab", "Kestrel Bank", "account")  # on to the next row
        press("Shift+Tab", "Lumen Health", columns[-1])
        press("Home", "Lumen Health", "account")
        press("Control+End", last, columns[-1])
        press("Control+Home", "Halden Biotech", "account")
        press("Control+ArrowRight", "Halden Biotech", columns[-1])
        press("Control+ArrowDown", last, columns[-1])
        press("Control+ArrowLeft", last, "account")
        press("Control+ArrowUp", "Halden Biotech", "account")
        press("PageDown", last, "account")
        press("PageUp", "Halden Biotech", "account")
        page.keyboard.press("ArrowUp")  # to the head with its sort link
        assert page.evaluate("document.activeElement.id") == "sort-account"

    desk.run(steps)


def test_tab_leaves_the_table_behind_its_last_cell_and_after_escape(desk: Desk, rows: list[Renewal]) -> None:
    is_inside = "Boolean(document.activeElement.closest('.g-table'))"

    def steps(page: Page) -> None:
        go_to(page, rows[0], "due_on")
        page.keyboard.press("Control+End")
        page.keyboard.press("Tab")
        assert not page.evaluate(is_inside)
        page.keyboard.press("Shift+Tab")
        assert page.evaluate(is_inside)  # back to the cell that it was left from
        page.keyboard.press("Control+Home")
        page.keyboard.press("Shift+Tab")
        assert not page.evaluate(is_inside)
        go_to(page, rows[1], "due_on")
        page.keyboard.press("Escape")
        expect(said(page)).to_have_text("Tab leaves the table.")
        page.keyboard.press("Tab")
        assert not page.evaluate(is_inside)

    desk.run(steps)


def test_keys_that_open_and_leave_a_cell(desk: Desk, rows: list[Renewal]) -> None:
    first, second = rows[:2]

    def steps(page: Page) -> None:
        box = page.locator(".g-editor [name=value]")
        go_to(page, first, "confidence")
        page.keyboard.press("F2")
        page.keyboard.press("Backspace")  # the caret is behind the last character
        expect(box).to_have_value("5")
        page.keyboard.press("Escape")
        expect(cell(page, first, "confidence")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.type("7")  # what was in it is selected
        expect(box).to_have_value("7")
        page.keyboard.press("Escape")
        page.keyboard.type("9")
        expect(box).to_have_value("9")
        page.keyboard.press("Escape")
        page.keyboard.press("Backspace")
        expect(box).to_have_value("")
        page.keyboard.press("Escape")
        expect(cell(page, first, "confidence")).to_have_text("50%")
        page.keyboard.type("60")
        page.keyboard.press("Enter")
        assert focused(page) == ["Lumen Health", "confidence"]
        page.keyboard.type("61")
        page.keyboard.press("Shift+Enter")
        assert focused(page) == ["Halden Biotech", "confidence"]
        expect(cell(page, second, "confidence")).to_have_text("61%")
        page.keyboard.type("62")
        page.keyboard.press("Control+Enter")  # saves and stays
        expect(cell(page, first, "confidence")).to_have_text("62%")
        assert focused(page) == ["Halden Biotech", "confidence"]
        page.keyboard.type("63")
        page.keyboard.press("Shift+Tab")
        assert focused(page) == ["Halden Biotech", "offer"]
        expect(cell(page, first, "confidence")).to_have_text("63%")

    desk.run(steps)
    assert [row.confidence for row in map(fresh, rows[:2])] == [63, 61]


def test_typed_date_keeps_its_first_digit_and_half_a_date_clears_nothing(desk: Desk, rows: list[Renewal]) -> None:
    first, second = rows[:2]
    Renewal.objects.filter(pk__in=[first.pk, second.pk]).update(expected_order_on=dt.date(2027, 3, 4))
    box = ".g-editor input[type=date]"

    def steps(page: Page) -> None:
        go_to(page, first, "expected_order_on")
        page.keyboard.type("10112027")  # one day or the other, by the locale of the browser
        expect(page.locator(box)).to_have_value(re.compile("2027-1[01]-1[01]"))
        page.keyboard.press("Enter")
        expect(cell(page, first, "expected_order_on")).to_have_text(re.compile("2027"))
        page.keyboard.press("Enter")
        page.keyboard.press("Backspace")
        page.keyboard.press("Enter")
        expect(cell(page, second, "expected_order_on").locator(".g-note")).to_have_text(re.compile("not complete"))
        page.keyboard.press("Escape")
        expect(cell(page, second, "expected_order_on")).to_have_text("04 Mar 2027")
        page.goto(f"{page.url.split('/renewals')[0]}/renewals/{second.pk}/")
        page.get_by_label("Expected order").focus()
        page.keyboard.press("Backspace")
        page.get_by_role("button", name="Save", exact=True).click()
        assert page.evaluate("document.activeElement.name") == "expected_order_on"

    desk.run(steps)
    assert fresh(first).expected_order_on in {dt.date(2027, 10, 11), dt.date(2027, 11, 10)}
    assert fresh(second).expected_order_on == dt.date(2027, 3, 4)


def test_focus_survives_every_swap(desk: Desk, rows: list[Renewal]) -> None:
    """Of its row, of the list by another order, of the list by an undo, and of the totals."""
    first = rows[0]

    def steps(page: Page) -> None:
        go_to(page, first, "risk")
        page.evaluate("id => htmx.trigger(document.body, 'renewals:changed', {ids: [id]})", first.pk)
        page.wait_for_load_state("networkidle")
        assert focused(page) == ["Halden Biotech", "risk"]
        for name in ["forecast_amount", "account"]:
            page.evaluate("name => document.getElementById(`sort-${name}`).click()", name)
            expect(page.locator(f"th[data-name={name}]")).to_have_attribute("aria-sort", "ascending")
            assert focused(page) == ["Halden Biotech", "risk"]
        page.evaluate("htmx.trigger(document.body, 'renewals:changed', {ids: [], is_all: true})")
        page.wait_for_load_state("networkidle")
        assert focused(page) == ["Halden Biotech", "risk"]
        page.keyboard.press("ArrowLeft")
        assert focused(page) == ["Halden Biotech", "probability"]

    desk.run(steps)


def test_selection_is_given_up_where_the_order_changes(desk: Desk, rows: list[Renewal]) -> None:
    def steps(page: Page) -> None:
        go_to(page, rows[0], "risk")
        page.keyboard.press("Shift+ArrowDown")
        expect(page.locator(".is-in-range")).to_have_count(2)
        page.evaluate("id => htmx.trigger(document.body, 'renewals:changed', {ids: [id]})", rows[0].pk)
        page.wait_for_load_state("networkidle")
        expect(page.locator(".is-in-range")).to_have_count(2)
        page.evaluate("document.getElementById('sort-account').click()")
        expect(page.locator("th[data-name=account]")).to_have_attribute("aria-sort", "ascending")
        expect(page.locator(".is-in-range")).to_have_count(0)

    desk.run(steps)


def test_heads_of_groups_are_passed_over(desk: Desk, rows: list[Renewal]) -> None:
    def steps(page: Page) -> None:
        page.evaluate(
            """id => {
              const head = document.createElement("tr");
              head.dataset.groupRow = "";
              head.innerHTML = "<th colspan=3>Group</th>";
              document.getElementById(`renewal-${id}`).before(head);
            }""",
            rows[1].pk,
        )
        go_to(page, rows[0], "risk")
        page.keyboard.press("ArrowDown")
        assert focused(page) == ["Lumen Health", "risk"]
        page.keyboard.press("Shift+ArrowUp")
        expect(page.locator(".is-in-range")).to_have_count(2)

    desk.run(steps)


def test_row_that_is_being_edited_says_so_until_it_is_left(desk: Desk, rows: list[Renewal]) -> None:
    def steps(page: Page) -> None:
        page.evaluate(
            """window.released = [];
            document.addEventListener('perennial:row-released', event => released.push(event.detail.id))"""
        )
        row = page.locator(f"#renewal-{rows[0].pk}")
        cell(page, rows[0], "confidence").click()
        expect(row).to_have_attribute("data-is-editing", "")
        page.keyboard.press("Escape")
        expect(row).not_to_have_attribute("data-is-editing", "")
        cell(page, rows[0], "confidence").click()
        page.keyboard.press("Control+a")
        page.keyboard.type("61")
        page.keyboard.press("Enter")
        expect(cell(page, rows[0], "confidence")).to_have_text("61%")
        assert page.evaluate("released") == [str(rows[0].pk)] * 2

    desk.run(steps)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_help_lists_the_keys(desk: Desk, rows: list[Renewal], width: int, scheme: str) -> None:
    def steps(page: Page) -> list[str]:
        page.evaluate("document.querySelector('.g-table [tabindex=\"0\"]').focus()")
        page.keyboard.press("?")
        listed = page.locator("#keys")
        for key in ["F2", "Tab", "PgUp", "Delete", "Backspace", "Space", "/", "?", "Y"]:
            expect(listed.get_by_text(key, exact=True).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        found = barriers(page)
        page.keyboard.press("Escape")
        expect(listed).to_be_hidden()
        return found

    assert desk.run(steps, viewport={"width": width, "height": 844}, color_scheme=scheme) == []


def test_search_is_a_key_away_and_a_save_is_said(desk: Desk, rows: list[Renewal]) -> None:
    def steps(page: Page) -> None:
        go_to(page, rows[0], "confidence")
        page.keyboard.type("64")
        page.keyboard.press("Enter")
        expect(toast(page)).to_contain_text("Confidence of Halden Biotech: 50% → 64%")
        assert page.locator("#toasts").get_attribute("aria-live") == "polite"
        page.keyboard.press("/")
        expect(page.locator(".p-search [name=q]")).to_be_focused()

    desk.run(steps)

"""Blocks of cells in Chromium: selected, copied, pasted, filled, cleared, refused, and met by a colleague's edit."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import get_company
from renewals.models import BulkEdit, ChangeBatch, Renewal
from tests.browser.barriers import barriers
from tests.browser.test_table import Desk, cell, chromium, desk, focused, fresh, rows, toast
from tests.cast import make_renewal, numbers

__all__ = ["chromium", "desk", "rows"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}
SELECTED = ".g-table [aria-selected=true]:is(td, th)"


def put_on_clipboard(page: Page, text: str) -> None:
    page.evaluate("text => navigator.clipboard.writeText(text)", text)


def clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def go_to(page: Page, row: Renewal, name: str) -> None:
    """Focus a cell without opening it."""
    cell(page, row, name).click()
    if page.locator(".g-editor").count():
        page.keyboard.press("Escape")
    expect(cell(page, row, name)).to_be_focused()


def drag(page: Page, first: Any, last: Any) -> None:
    for target in (last, first):
        target.scroll_into_view_if_needed()
    first.hover()
    page.mouse.down()
    last.hover()
    page.mouse.up()


def a_day() -> dt.date:
    return get_company().today() + dt.timedelta(days=90 + next(numbers))


def said(page: Page) -> Any:
    return page.locator("body > p.visually-hidden[role=status]")


def test_rectangle_is_selected_with_mouse_and_keys_and_said(desk: Desk, rows: list[Renewal]) -> None:
    first, _, third, _ = rows

    def steps(page: Page) -> list[str]:
        assert page.locator(".g-table").get_attribute("aria-multiselectable") == "true"
        drag(page, cell(page, first, "stage"), cell(page, third, "forecast_amount"))
        expect(page.locator(SELECTED)).to_have_count(9)
        expect(said(page)).to_have_text("3 rows by 3 columns selected")
        expect(page.locator(".g-editor")).to_have_count(0)
        assert focused(page) == ["Halden Biotech", "stage"]
        found = barriers(page)
        page.keyboard.press("Escape")
        expect(page.locator(SELECTED)).to_have_count(0)
        page.keyboard.press("Shift+ArrowDown")
        page.keyboard.press("Shift+ArrowRight")
        expect(said(page)).to_have_text("2 rows by 2 columns selected")
        page.keyboard.press("Shift+ArrowUp")
        expect(page.locator(SELECTED)).to_have_count(2)
        page.keyboard.press("Shift+End")
        columns = page.locator(".g-table thead th").count()
        expect(page.locator(SELECTED)).to_have_count(columns - 5)
        cell(page, third, "baseline_amount").click(modifiers=["Shift"])
        expect(page.locator(SELECTED)).to_have_count(6)
        page.keyboard.press("Control+a")
        expect(page.locator(SELECTED)).to_have_count(4 * columns)
        page.keyboard.press("Control+Space")
        expect(page.locator(SELECTED)).to_have_count(4)
        page.keyboard.press("Shift+Space")
        expect(page.locator(SELECTED)).to_have_count(columns)
        page.keyboard.press("ArrowDown")
        expect(page.locator(SELECTED)).to_have_count(0)
        return found

    assert desk.run(steps) == []


def test_block_goes_out_as_it_comes_back(desk: Desk, rows: list[Renewal]) -> None:
    first, second, third, _ = rows
    Renewal.objects.filter(pk=second.pk).update(next_step='=HYPERLINK("x"); call', forecast_amount=Decimal("11999.50"))

    def steps(page: Page) -> tuple[str, str]:
        go_to(page, first, "due_on")
        page.keyboard.press("Shift+ArrowDown")
        page.keyboard.press("Control+c")
        expect(said(page)).to_have_text("2 cells copied")
        dates = clipboard(page)
        go_to(page, first, "forecast_amount")
        for key in ["ArrowDown", "End"]:
            page.keyboard.press(f"Shift+{key}")
        page.keyboard.press("Control+c")
        block = clipboard(page)
        page.keyboard.press("Control+a")
        page.keyboard.press("Control+c")
        names = [line.split("\t")[0] for line in clipboard(page).split("\r\n")]
        assert names == [str(row.account) for row in rows]
        go_to(page, third, "forecast_amount")
        put_on_clipboard(page, "\r\n".join(block.split("\r\n")[1:]) + "\r\n")
        return dates, block

    dates, block = desk.run(steps, **CLIPBOARD)
    assert dates == f"{first.due_on}\r\n{second.due_on}"
    lines = [line.split("\t") for line in block.split("\r\n")]
    assert lines[0][:3] == ["12000", "", "50"]
    assert lines[1][:3] == ["11999.50", "", "50"]
    assert '\'=HYPERLINK("x"); call' in lines[1]  # no spreadsheet runs it
    assert {line[-1] for line in lines} == {"Open"}


def test_whole_rows_come_back_with_one_cell_changed(desk: Desk, rows: list[Renewal]) -> None:
    first, second, _, _ = rows

    def steps(page: Page) -> None:
        go_to(page, first, "due_on")
        page.keyboard.press("Control+a")
        page.keyboard.press("Control+c")
        lines = clipboard(page).split("\r\n")
        heads = page.locator(".g-table thead th").evaluate_all(
            "all => all.map((one) => one.dataset.name).filter(Boolean)"
        )
        cells = lines[1].split("\t")
        cells[heads.index("next_step") - (len(heads) - len(cells))] = "Call the new owner"
        page.keyboard.press("Control+Home")
        put_on_clipboard(page, "\r\n".join([lines[0], "\t".join(cells), *lines[2:]]))
        page.keyboard.press("Control+v")
        expect(toast(page)).to_contain_text("1 cell")
        expect(page.locator("#paste-panel")).to_have_count(0)

    desk.run(steps, **CLIPBOARD)
    assert fresh(second).next_step == "Call the new owner"
    assert ChangeBatch.objects.get().row_count == 1


def test_paste_is_one_step_and_keeps_the_focus(desk: Desk, rows: list[Renewal]) -> None:
    first, second = rows[:2]

    def steps(page: Page) -> None:
        go_to(page, first, "forecast_amount")
        put_on_clipboard(page, '13000\t"Core, one year"\t60\r\n"14,000"\t\t70%\r\n')  # as Excel writes it
        page.keyboard.press("Control+v")
        expect(toast(page)).to_contain_text("5 cells of 2 renewals pasted")
        expect(cell(page, first, "forecast_amount")).to_have_text("13,000 +8%")
        expect(cell(page, first, "offer")).to_have_text("Core, one year")
        expect(cell(page, second, "confidence")).to_have_text("70%")
        assert focused(page) == ["Halden Biotech", "forecast_amount"]
        expect(page.locator(f"#renewal-{first.pk} .b-check")).to_have_count(1)
        page.keyboard.press("Control+z")
        expect(toast(page)).to_contain_text("Undone: 5 cells")
        expect(cell(page, second, "confidence")).to_have_text("50%")
        page.keyboard.press("Control+Shift+z")
        expect(cell(page, second, "confidence")).to_have_text("70%")

    desk.run(steps, **CLIPBOARD)
    assert [(row.forecast_amount, row.confidence) for row in map(fresh, rows[:3])] == [
        (Decimal(13_000), 60),
        (Decimal(14_000), 70),
        (Decimal(12_000), 50),
    ]
    assert list(ChangeBatch.objects.order_by("made_at").values_list("how", flat=True)) == ["paste", "undo", "redo"]


def test_one_value_fills_what_is_selected_and_delete_clears_it(desk: Desk, rows: list[Renewal]) -> None:
    first, second, third, _ = rows

    def steps(page: Page) -> None:
        drag(page, cell(page, first, "confidence"), cell(page, third, "confidence"))
        put_on_clipboard(page, "65")
        page.keyboard.press("Control+v")
        expect(toast(page)).to_contain_text("3 cells of 3 renewals pasted")
        expect(page.locator(SELECTED)).to_have_count(3)  # the selection outlives the swap of its rows
        page.keyboard.type("75")
        page.keyboard.press("Control+Enter")
        expect(toast(page)).to_contain_text("3 cells of 3 renewals filled")
        expect(cell(page, third, "confidence")).to_have_text("75%")
        page.keyboard.press("Shift+ArrowUp")
        page.keyboard.press("Delete")
        expect(toast(page)).to_contain_text("2 cells of 2 renewals cleared")
        expect(cell(page, second, "confidence")).to_have_text("")

    desk.run(steps, **CLIPBOARD)
    assert [row.confidence for row in map(fresh, rows[:3])] == [None, None, 75]


def test_more_rows_than_a_request_writes_become_a_job_and_it_says_so(desk: Desk, rows: list[Renewal]) -> None:
    first = rows[0]
    for _ in range(498):  # with the rep's three, one more than is written at once
        make_renewal(owner=first.owner, account=first.account, contract=first.contract, due_on=a_day())

    def steps(page: Page) -> None:
        page.goto(f"{page.url.partition('?')[0]}?per_page=1000&owner=me&outcome=open")
        go_to(page, first, "next_step")
        page.keyboard.press("Control+Space")
        expect(page.locator(SELECTED)).to_have_count(501)
        put_on_clipboard(page, "Call them")
        page.keyboard.press("Control+v")
        expect(page.locator("body")).to_contain_text("501 rows are written in the background", timeout=30_000)

    desk.run(steps, **CLIPBOARD)
    edit = BulkEdit.objects.get()
    assert (edit.kind, edit.ready_count) == (BulkEdit.Kind.PASTE, 501)
    assert fresh(first).next_step == ""  # until the worker comes


def test_refused_cells_say_why_and_the_valid_ones_are_saved_when_asked(desk: Desk, rows: list[Renewal]) -> None:
    third, other = rows[2:]

    def steps(page: Page) -> list[str]:
        go_to(page, third, "forecast_amount")
        put_on_clipboard(page, "13000\tNo such\t60\t1\n12.500,00\t\t61\t1\n7\n")
        page.keyboard.press("Control+v")
        panel = page.locator("#paste-panel")
        expect(panel).to_be_focused()
        expect(panel).to_contain_text("Nothing is saved yet.")
        expect(panel).to_contain_text("There is no offer “No such” that you can choose.")
        expect(panel).to_contain_text("Line 3 is below the last row of this page.")
        expect(panel).to_contain_text("Tom Mate owns this renewal")
        expect(panel).to_contain_text("Computed from the row; see the risk and the confidence.")
        wrong = cell(page, third, "offer")
        assert wrong.get_attribute("aria-invalid") == "true"
        panel.get_by_role("button", name="Offer of Kestrel Bank").click()
        expect(wrong).to_be_focused()
        expect(page.locator("#paste-note")).to_have_text("There is no offer “No such” that you can choose.")
        found = barriers(page)
        page.keyboard.press("Escape")
        expect(panel).to_have_count(0)
        expect(page.locator("[aria-invalid=true]")).to_have_count(0)
        go_to(page, third, "forecast_amount")
        page.keyboard.press("Control+v")
        page.get_by_role("button", name="Save the 2 valid ones").click()
        expect(toast(page)).to_contain_text("2 cells of 1 renewal pasted; 6 left as they were")
        expect(cell(page, third, "confidence")).to_have_text("60%")
        assert focused(page) == ["Kestrel Bank", "forecast_amount"]
        return found

    assert desk.run(steps, **CLIPBOARD) == []
    assert (fresh(third).forecast_amount, fresh(third).confidence, fresh(third).offer) == (Decimal(13_000), 60, None)
    assert (fresh(other).forecast_amount, fresh(other).confidence) == (None, 10)


def test_a_colleague_was_faster_in_one_cell(desk: Desk, rows: list[Renewal]) -> None:
    first = rows[0]

    def steps(one: Page, two: Page) -> None:
        one.route("**/renewals/changes/**", lambda route: route.abort())  # it has not heard of it yet
        go_to(one, first, "confidence")
        go_to(two, first, "confidence")
        two.keyboard.type("70")
        two.keyboard.press("Enter")
        expect(cell(two, first, "confidence")).to_have_text("70%")
        put_on_clipboard(one, "60\n61")
        one.bring_to_front()
        one.keyboard.press("Control+v")
        panel = one.locator("#paste-panel")
        expect(panel).to_contain_text("somebody was faster")
        expect(panel).to_contain_text("to 70")
        expect(panel).to_contain_text("yours is 60.")
        panel.get_by_role("button", name="Save these and mine in the 1").click()
        expect(toast(one)).to_contain_text("2 cells of 2 renewals pasted")
        expect(cell(one, first, "confidence")).to_have_text("60%")
        desk.complaints[:] = [text for text in desk.complaints if "net::ERR_FAILED" not in text]

    desk.run(steps, windows=2, **CLIPBOARD)
    assert [row.confidence for row in map(fresh, rows[:2])] == [60, 61]


def test_block_that_comes_to_an_opened_cell_is_meant_for_the_table(desk: Desk, rows: list[Renewal]) -> None:
    def steps(page: Page) -> None:
        put_on_clipboard(page, "60\n61\n")
        cell(page, rows[0], "confidence").click()  # opens it
        page.keyboard.press("Control+v")
        expect(toast(page)).to_contain_text("2 cells of 2 renewals pasted")
        expect(page.locator(".g-editor")).to_have_count(0)

    desk.run(steps, **CLIPBOARD)
    assert [row.confidence for row in map(fresh, rows[:2])] == [60, 61]


def test_paste_goes_by_the_columns_that_are_shown(desk: Desk, rows: list[Renewal]) -> None:
    def steps(page: Page) -> None:
        page.goto(f"{desk.site}/renewals/?columns=account,confidence,next_step,forecast_amount")
        page.wait_for_selector("template[data-pattern=outcome]", state="attached")
        go_to(page, rows[0], "confidence")
        put_on_clipboard(page, '61\t"Call Ana,\nthen Ben"\t13000\textra')
        page.keyboard.press("Control+v")
        expect(page.locator("#paste-panel")).to_contain_text("It is right of the last column.")
        page.get_by_role("button", name="Save the 3 valid ones").click()
        expect(toast(page)).to_contain_text("3 cells of 1 renewal pasted; 1 left as they were")
        expect(cell(page, rows[0], "next_step")).to_have_text("Call Ana, then Ben")
        expect(page.locator(f"#renewal-{rows[0].pk} > *")).to_have_count(4)

    desk.run(steps, **CLIPBOARD)
    assert (fresh(rows[0]).forecast_amount, fresh(rows[0]).confidence) == (Decimal(13_000), 61)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (390, "light")])
def test_panel_is_accessible(desk: Desk, rows: list[Renewal], width: int, scheme: str) -> None:
    def steps(page: Page) -> list[str]:
        page.evaluate(f"perennial.grid.focusCell(document.querySelector('#renewal-{rows[0].pk} .g-edit'))")
        put_on_clipboard(page, "No stage\t1")
        page.keyboard.press("Control+v")
        expect(page.locator("#paste-panel")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == width
        return barriers(page)

    options: dict[str, Any] = {"viewport": {"width": width, "height": 844}, "color_scheme": scheme, **CLIPBOARD}
    assert desk.run(steps, **options) == []

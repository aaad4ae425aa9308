"""One renewal in Chromium: beside the table, as a page, on a phone; its form, its conflicts and its notes."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, Page, expect

from renewals.drawer.notes import write_note
from renewals.models import Mention, Note, Renewal
from tests.browser.barriers import barriers
from tests.browser.test_table import Desk, cell, desk, focused, fresh, rows, toast
from tests.cast import Cast
from tests.static.test_shell_in_browser import chromium

__all__ = ["chromium", "desk", "rows"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


def test_drawer_opens_by_key_beside_the_table_and_gives_the_focus_back(desk: Desk, rows: list[Renewal]) -> None:
    def steps(page: Page) -> None:
        page.evaluate("document.querySelector('.g-table [tabindex=\"0\"]').focus()")
        page.keyboard.press("Enter")
        heading = page.locator("#drawer .d-head h2")
        expect(heading).to_have_text("Halden Biotech")
        expect(heading).to_be_focused()
        expect(page.locator("#drawer .d-factors tr").first).to_be_visible()
        expect(page.locator("#drawer")).to_contain_text("What would change it most")
        page.keyboard.press("Escape")
        expect(page.locator("#drawer")).to_be_hidden()
        assert focused(page) == ["Halden Biotech", "account"]
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Alt+Enter")
        expect(heading).to_have_text("Lumen Health")

    desk.run(steps)


def test_row_saved_in_the_drawer_is_fresh_in_the_table(desk: Desk, rows: list[Renewal]) -> None:
    first = rows[0]

    def steps(page: Page) -> None:
        cell(page, first, "account").hover()
        page.locator(f"#renewal-{first.pk} .d-open").click()
        drawer = page.locator("#drawer")
        drawer.get_by_role("textbox", name="Confidence", exact=True).fill("80")
        drawer.get_by_role("textbox", name="Next step", exact=True).fill("Send quote")
        drawer.get_by_role("button", name="Save", exact=True).click()
        expect(cell(page, first, "confidence")).to_have_text("80%")
        expect(toast(page)).to_contain_text("Confidence of Halden Biotech: 50% → 80%")
        toast(page).get_by_role("button", name="Undo").click()
        expect(cell(page, first, "confidence")).to_have_text("50%")

    desk.run(steps)
    assert (fresh(first).confidence, fresh(first).next_step) == (50, "")


def test_conflict_in_the_form_offers_both(desk: Desk, rows: list[Renewal]) -> None:
    first = rows[0]

    def steps(mine: Page, theirs: Page) -> None:
        mine.goto(f"{desk.site}/renewals/{first.pk}/")
        theirs.goto(f"{desk.site}/renewals/{first.pk}/")
        for page, confidence in ((theirs, "30"), (mine, "80")):
            page.get_by_role("textbox", name="Confidence", exact=True).fill(confidence)
            page.get_by_role("button", name="Save", exact=True).click()
            page.wait_for_load_state("networkidle")
        expect(mine.locator(".d-confidence .d-note")).to_contain_text("Rhea Rep changed it")
        expect(mine.get_by_role("textbox", name="Confidence", exact=True)).to_have_value("80")
        mine.get_by_role("button", name="Keep theirs").click()
        expect(mine.get_by_role("textbox", name="Confidence", exact=True)).to_have_value("30")

    desk.run(steps, windows=2)
    assert fresh(first).confidence == 30


def test_note_calls_a_colleague_who_reads_it(
    desk: Desk, rows: list[Renewal], cast: Cast, chromium: tuple[ThreadPoolExecutor, Browser]
) -> None:
    first = rows[0]

    def write(page: Page) -> None:
        page.locator(f"#renewal-{first.pk}").hover()
        page.locator(f"#renewal-{first.pk} .d-open").click()
        page.locator("#drawer summary", has_text="@ Mention").click()
        page.locator("#drawer").get_by_role("button", name="Tom Mate").click()
        page.keyboard.type("look <b>here</b>")
        page.get_by_role("button", name="Add note").click()
        expect(page.locator("#drawer .d-text")).to_have_text("@Tom Mate look <b>here</b>")
        expect(toast(page)).to_contain_text("Tom Mate will see it.")

    desk.run(write)
    assert (Note.objects.get().author, Mention.objects.get().user) == (cast.rep, cast.team_mate)
    desk.session = cast.client_of("team_mate").cookies["sessionid"].value

    def read(page: Page) -> None:
        count = page.locator(".p-rail-item", has_text="Notes").locator("small")
        expect(count).to_have_text("1")
        page.get_by_role("link", name="Notes").click()
        page.get_by_role("button", name="it is read").click()
        expect(page.get_by_text("Unread")).to_have_count(0)
        expect(count).to_have_text("")

    desk.run(read)


def test_phone_leads_to_the_page_with_its_form(desk: Desk, rows: list[Renewal]) -> None:
    first = rows[0]

    def steps(page: Page) -> None:
        page.locator(f"#renewal-{first.pk} .d-open").click()
        page.wait_for_url(f"**/renewals/{first.pk}/")
        page.get_by_role("textbox", name="Next step", exact=True).fill("Call Ana")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(toast(page)).to_contain_text("Next step of Halden Biotech")
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

    desk.run(steps, **PHONE)
    assert fresh(first).next_step == "Call Ana"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_renewal_can_be_read_by_everybody(desk: Desk, rows: list[Renewal], cast: Cast, scheme: str) -> None:
    write_note(renewal=rows[0], author=cast.team_mate, text="@Rhea Rep look")
    found: list[str] = []

    def steps(page: Page) -> None:
        page.locator(f"#renewal-{rows[0].pk}").hover()
        page.locator(f"#renewal-{rows[0].pk} .d-open").click()
        expect(page.locator("#drawer .d-head h2")).to_be_focused()
        found.extend(f"drawer: {one}" for one in barriers(page, context="#drawer"))
        for path in (f"/renewals/{rows[0].pk}/", "/notes/"):
            page.goto(desk.site + path)
            page.wait_for_load_state("networkidle")
            found.extend(f"{path}: {one}" for one in barriers(page))

    desk.run(steps, color_scheme=scheme)
    assert found == []

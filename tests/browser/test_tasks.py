"""Tasks and flags in Chromium: done, put off, taken back, added beside a renewal; a flag set by hand and cleared."""

import datetime as dt

import pytest
from playwright.sync_api import Page, expect

from accounts.models import get_company
from engagement.flags.services import flag_account
from engagement.models import Flag, Task
from engagement.tasks.services import NewTask, create_tasks
from renewals.models import Renewal
from tests.browser.barriers import barriers
from tests.browser.test_table import Desk, desk, rows, toast
from tests.cast import Cast
from tests.static.test_shell_in_browser import chromium

__all__ = ["chromium", "desk", "rows"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


def make_tasks(rows: list[Renewal], cast: Cast) -> None:
    due_on = get_company().today() + dt.timedelta(days=2)
    titles = ("Call", "Send the proposal", "Review")
    create_tasks(
        user=cast.rep,
        tasks=[NewTask(rows[0].account_id, title, due_on + dt.timedelta(days=n)) for n, title in enumerate(titles)],
    )


def test_tasks_are_finished_and_snoozed(desk: Desk, rows: list[Renewal], cast: Cast) -> None:
    make_tasks(rows, cast)
    today = get_company().today()

    def steps(page: Page) -> None:
        page.goto(f"{desk.site}/tasks/")
        shown = page.locator("tr[data-task]")
        expect(shown).to_have_count(3)
        page.keyboard.press("j")
        expect(page.get_by_role("link", name="Call")).to_be_focused()
        page.keyboard.press("d")
        expect(toast(page)).to_contain_text("Done: Call.")
        expect(shown).to_have_count(2)
        page.keyboard.press("Control+z")
        expect(shown).to_have_count(3)
        page.get_by_label("Snooze Send the proposal").click()
        page.get_by_role("button", name="Tomorrow").click()
        expect(page.locator("#toasts")).to_contain_text("Send the proposal is back on")
        expect(shown).to_have_count(2)
        page.get_by_role("button", name="Done: Review").click()
        expect(shown).to_have_count(1)
        # How long it took is asked for beside, the estimate at first, and stands on the list of what is done.
        minutes = page.locator("#toasts .p-toast", has_text="Done: Review").get_by_label("took")
        expect(minutes).to_have_value("30")
        minutes.fill("45")
        minutes.press("Enter")
        expect(page.locator("#toasts")).to_contain_text("Review took 45 minutes.")
        for box in page.locator("input[name=task]").all():
            box.check()
        expect(page.locator("#task-bulk")).to_contain_text("1 selected")
        assert barriers(page) == []
        page.locator("#task-bulk").get_by_role("button", name="Done").click()
        expect(page.get_by_role("heading", name="Nothing to do")).to_be_visible()
        page.goto(f"{desk.site}/tasks/?state=done")
        done = page.locator("tr[data-task]", has_text="Review")
        done.get_by_label("Minutes that Review took: 45").click()
        done.get_by_label("Minutes it took").fill("50")
        assert barriers(page) == []
        done.get_by_role("button", name="Save").click()
        expect(page.get_by_label("Minutes that Review took: 50")).to_be_visible()

    desk.run(steps)
    assert dict(Task.objects.done().values_list("title", "spent_minutes")) == {"Call": None, "Review": 50}
    assert set(Task.objects.done().values_list("title", "done_by")) == {("Call", cast.rep.pk), ("Review", cast.rep.pk)}
    assert Task.objects.open().get().snoozed_until == today + dt.timedelta(days=1)


def test_all_that_match_are_offered_beyond_a_page_and_the_rows_stay(
    desk: Desk, rows: list[Renewal], cast: Cast
) -> None:
    due_on = get_company().today()
    new = [NewTask(rows[0].account_id, f"Call {number}", due_on) for number in range(52)]
    create_tasks(user=cast.rep, tasks=new)

    def steps(page: Page) -> None:
        page.goto(f"{desk.site}/tasks/")
        expect(page.locator("#task-totals .p-total", has_text="Due today")).to_contain_text("52")
        page.get_by_label("Select all on this page").check()
        expect(page.locator("#task-bulk")).to_contain_text("All 52 that match")
        expect(page.locator("tr[data-task]")).to_have_count(50)
        page.get_by_label("All 52 that match").check()
        page.locator("#task-bulk").get_by_role("button", name="Done").click()
        expect(toast(page)).to_contain_text("Done: 52 tasks.")
        expect(page.get_by_role("heading", name="Nothing to do")).to_be_visible()
        page.keyboard.press("Control+z")
        expect(page.locator("tr[data-task]")).to_have_count(50)

    desk.run(steps)


def test_flag_is_set_and_cleared_on_the_account_s_page(desk: Desk, rows: list[Renewal], cast: Cast) -> None:
    def steps(page: Page) -> None:
        page.goto(f"{desk.site}/accounts/{rows[0].account_id}/")
        page.get_by_text("Flag it by hand").click()
        page.get_by_label("Why it needs attention").fill("New board <b>next week</b>")
        page.locator("#flags").get_by_role("button", name="Flag", exact=True).click()
        expect(page.locator("#flags .f-flag")).to_contain_text("New board <b>next week</b>")
        page.goto(f"{desk.site}/flags/")
        page.get_by_label("Clear: By hand").click()
        page.get_by_label("Why it can be cleared").fill("Met them")
        page.get_by_role("button", name="Clear flag").click()
        expect(toast(page)).to_contain_text("is cleared")
        expect(page.get_by_role("heading", name="No account is flagged")).to_be_visible()
        page.goto(f"{desk.site}/flags/cleared/")
        expect(page.get_by_text("Met them")).to_be_visible()

    desk.run(steps)
    assert (Flag.objects.get().cleared_by, Flag.objects.get().cleared_reason) == (cast.rep, "Met them")


def test_task_is_added_beside_a_renewal(desk: Desk, rows: list[Renewal], cast: Cast) -> None:
    def steps(page: Page) -> None:
        page.goto(f"{desk.site}/renewals/{rows[0].pk}/")
        page.get_by_label("New task").fill("Ask for the order")
        page.get_by_role("button", name="Add task").click()
        expect(page.locator("#tasks .k-list")).to_contain_text("Ask for the order")

    desk.run(steps)
    task = Task.objects.get()
    assert (task.title, task.renewal, task.owner) == ("Ask for the order", rows[0], cast.rep)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_are_accessible_and_fit_a_phone(desk: Desk, rows: list[Renewal], cast: Cast, theme: str) -> None:
    make_tasks(rows, cast)
    flag_account(account_id=rows[0].account_id, user=cast.rep, reason="Silent")

    def steps(page: Page) -> None:
        for address in ("/tasks/", "/tasks/new/", "/tasks/workload/", "/flags/", "/watchlist/", "/flags/cleared/"):
            page.goto(f"{desk.site}{address}")
            page.wait_for_load_state("networkidle")
            assert barriers(page) == []
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")

    desk.run(steps, color_scheme=theme, **PHONE)

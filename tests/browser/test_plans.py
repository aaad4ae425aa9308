"""Plans in Chromium: a playbook run to the end, written by an admin without a script, readable in both themes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from engagement.models import Plan, Playbook, PlaybookVersion
from engagement.plans.drafts import StepDraft
from engagement.plans.passes import apply_rules, follow_decisions
from renewals.models import Renewal
from tests.browser.barriers import barriers
from tests.browser.test_table import Desk, desk, rows, toast
from tests.cast import Cast
from tests.engagement.plans.plan_book import decide, make_playbook, publish
from tests.static.test_shell_in_browser import chromium

__all__ = ["chromium", "desk", "rows"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
STEPS = [
    StepDraft("Call {account}", guidance="Before {due_on}.", checks=["Prepared"], outcome="touch"),
    StepDraft("Agree on terms", outcome="text", waits_for=[1]),
    StepDraft("Ask for the order", outcome="choice", choices=["It is in", "They leave"], waits_for=[2]),
]


def test_playbook_is_run_to_the_end(desk: Desk, rows: list[Renewal], cast: Cast) -> None:
    make_playbook(cast, use="hand", name="Keep them", steps=STEPS)

    def start(page: Page) -> None:
        page.goto(f"{desk.site}/renewals/{rows[0].pk}/")
        page.get_by_role("link", name="Start a plan").click()
        page.get_by_label("Playbook").select_option(label="Keep them (renewal, 3 steps)")
        page.get_by_role("button", name="Start the plan").click()
        page.wait_for_url("**/plans/*/")
        expect(page.locator("#step-1 h3")).to_have_text("Call Halden Biotech")
        expect(page.locator("#step-2")).to_contain_text("Waits for “Call Halden Biotech”")

    def call(page: Page) -> None:
        page.goto(f"{desk.site}/plans/?whose=mine")
        page.get_by_role("link", name="Halden Biotech").click()
        first = page.locator("#step-1")
        first.get_by_role("button", name="Done").click()
        expect(first.get_by_role("alert")).to_contain_text("Not checked yet: Prepared. No touch is logged since")
        page.locator("[name=touch-note]").fill("They want two years")
        page.get_by_role("button", name="Log touch").click()
        expect(first).to_contain_text("Call on")  # the steps come anew by themselves
        first.get_by_label("Prepared").check()
        first.get_by_role("button", name="Done").click()
        expect(page.locator("#steps")).to_contain_text("1 of 3 done")

    def agree(page: Page) -> None:
        page.goto(f"{desk.site}/plans/?whose=mine")
        page.get_by_role("link", name="Halden Biotech").click()
        page.locator("#step-2 textarea").fill("Two years at 3 %")
        page.locator("#step-2").get_by_role("button", name="Done").click()
        page.get_by_label("It is in").check()
        page.locator("#step-3").get_by_role("button", name="Done").click()
        expect(page.locator("#steps")).to_contain_text("3 of 3 done")
        expect(page.locator("#step-2")).to_contain_text("Two years at 3 %")

    def closed(page: Page) -> None:
        page.goto(f"{desk.site}/plans/?state=closed")
        page.get_by_role("link", name="Halden Biotech").click()
        expect(page.locator(".p-notice")).to_contain_text("It closed by itself, because the renewal was decided.")

    for steps in (start, call, agree):
        desk.run(steps)
    decide(rows[0], "renewed")
    assert follow_decisions() == (1, 0)
    desk.run(closed)
    plan = Plan.objects.get()
    outcomes = plan.steps.order_by("position").values_list("task__outcome", flat=True)
    assert (plan.outcome, list(outcomes)[1:]) == ("renewed", ["Two years at 3 %", "It is in"])


@pytest.fixture
def admin_desk(
    rows: list[Renewal], chromium: tuple[ThreadPoolExecutor, Browser], live_server: LiveServer, cast: Cast
) -> Desk:
    return Desk(*chromium, site=live_server.url, session=cast.client_of("admin").cookies["sessionid"].value)


def test_admin_writes_a_playbook_and_lets_its_rule_start_plans(admin_desk: Desk, rows: list[Renewal]) -> None:
    def write(page: Page) -> None:
        page.goto(f"{admin_desk.site}/playbooks/new/")
        page.get_by_label("Name").fill("Short")
        page.get_by_label("For", exact=True).select_option("renewal")
        page.get_by_label("Days before the due date").fill("30")
        page.get_by_label("What is to be done").fill("Call {accont}")
        page.get_by_role("button", name="Another step").click()
        second = page.locator(".l-block").nth(1)
        second.get_by_label("What is to be done").fill("Write")
        second.get_by_label("Due", exact=True).fill("-2")
        page.get_by_role("button", name="Save the playbook").click()
        expect(page.locator(".l-block").nth(0)).to_contain_text("Step 1, title '{accont}': is no field")
        expect(second).to_contain_text("Step 2, days '-2': is before the plan's start.")
        page.get_by_label("What is to be done").nth(0).fill("Call {account}")
        second.get_by_label("Due", exact=True).fill("2")
        page.get_by_role("button", name="Save the playbook").click()
        expect(toast(page)).to_contain_text("Short, version 1 is saved.")
        page.get_by_label("How Short is used", exact=True).select_option("rule")
        page.get_by_role("button", name="Set how Short is used").click()
        listed = page.locator("tr", has=page.get_by_role("link", name="Short", exact=True))
        expect(listed).to_contain_text("3 more within a minute")

    admin_desk.run(write)
    assert admin_desk.complaints == []
    publish()
    assert apply_rules() == 3
    version = PlaybookVersion.objects.get(playbook=Playbook.objects.get(name="Short"))
    assert Plan.objects.filter(version=version, renewal__in=rows).count() == 3


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_are_accessible_and_fit_a_phone(
    desk: Desk, admin_desk: Desk, rows: list[Renewal], cast: Cast, theme: str
) -> None:
    make_playbook(cast, steps=STEPS)
    publish()
    apply_rules()
    plan = Plan.objects.get(renewal=rows[0])
    book = plan.version.playbook_id
    of_rep = ["/plans/", "/plans/effect/", f"/plans/{plan.pk}/", f"/plans/{plan.pk}/steps/add/"]
    of_admin = ["/playbooks/", f"/playbooks/{book}/"]

    def looked_at(site: str, addresses: list[str]) -> Callable[[Page], None]:
        def steps(page: Page) -> None:
            for address in addresses:
                page.goto(f"{site}{address}")
                page.wait_for_load_state("networkidle")
                assert barriers(page) == [], address
                page.set_viewport_size({"width": 390, "height": 844})
                assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), address
                page.set_viewport_size({"width": 1280, "height": 800})

        return steps

    desk.run(looked_at(desk.site, of_rep), color_scheme=theme)
    admin_desk.run(looked_at(admin_desk.site, of_admin), color_scheme=theme)
    assert admin_desk.complaints == []

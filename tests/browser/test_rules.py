"""The rules pages in Chromium: a previewed policy, weights that add up while they are typed, a dialog, people."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import AttributeDefinition, Segment, User, get_company
from renewals.models import Offer, RiskWeightVersion, TimingPolicyVersion
from tests.browser.barriers import barriers_of_pages
from tests.browser.test_forecast import WorkingVisit
from tests.cast import Cast, make_account, make_rate, make_renewal
from tests.static.test_shell_in_browser import SITE, chromium

__all__ = ["chromium"]
pytestmark = pytest.mark.browser
PAGES = (
    "/rules/timing/", "/rules/timing/new/", "/rules/weights/", "/rules/lists/", "/rules/lists/attributes/",
    "/rules/company/", "/people/", "/people/new/", "/people/teams/",
)  # fmt: skip


@pytest.fixture
def visit(chromium: tuple[ThreadPoolExecutor, Browser], cast: Cast) -> Iterator[WorkingVisit]:
    today = get_company().today()
    make_renewal(owner=cast.rep, due_on=today - dt.timedelta(days=10), account=make_account(name="Halden Biotech"))
    make_rate("USD", "0.9", today + dt.timedelta(days=3))
    AttributeDefinition.objects.create(key="plan", label="Support plan", kind="category")
    Offer.objects.create(name="Atlas Plus")
    visit = WorkingVisit(*chromium, client=cast.client_of("admin"))
    yield visit
    assert visit.complaints == []


def test_policy_is_previewed_and_saved(visit: WorkingVisit) -> None:
    segment = Segment.objects.get(name="Enterprise")
    begins = get_company().today() - dt.timedelta(days=30)

    def steps(page: Page) -> None:
        page.goto(f"{SITE}/rules/timing/new/")
        page.select_option("[name=segment]", str(segment.pk))
        page.fill("[name=late_days]", "5")
        expect(page.locator("[data-shows=late_days]")).to_have_text("+5")
        page.fill("[name=effective_from]", begins.isoformat())
        page.get_by_role("button", name="Show what would change").click()
        expect(page.locator(".p-card tbody tr")).to_have_count(1)
        expect(page.locator(".p-card tbody tr")).to_contain_text("worse")
        page.get_by_role("button", name="Save and recompute").click()
        expect(page.get_by_role("status")).to_contain_text("Enterprise: new tolerances")
        expect(page.locator("#run-status")).to_contain_text("Recompute")

    visit(steps)
    version = TimingPolicyVersion.objects.get(policy__segment=segment)
    assert (version.late_days, version.effective_from) == (5, begins)


def test_account_is_found_while_its_name_is_typed(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.goto(f"{SITE}/rules/timing/new/")
        page.locator("#account-search").press_sequentially("hal bio")
        choice = page.get_by_label("Halden Biotech")
        choice.check()
        page.get_by_role("button", name="Show what would change").click()
        expect(page.locator(".p-card h2").first).to_contain_text("Halden Biotech: renewals due from")

    visit(steps)


def test_shares_follow_the_weights_that_are_typed(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.goto(f"{SITE}/rules/weights/")
        expect(page.locator("[data-sum]")).to_have_text("110")
        page.fill("[name=usage_trend]", "110")
        expect(page.locator("[data-sum]")).to_have_text("200")
        expect(page.locator("[data-share]").first).to_have_text("55 %")
        page.get_by_role("button", name="Save as a new version").click()
        expect(page.locator(".p-versions li").first).to_contain_text("Product usage 20 → 110")

    visit(steps)
    assert RiskWeightVersion.objects.filter(segment=None)[0].weights["usage_trend"] == 110


def test_row_of_a_list_is_edited_in_a_dialog(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.goto(f"{SITE}/rules/lists/offers/")
        page.get_by_role("link", name="Atlas Plus").click()
        dialog = page.locator("#shell-dialog")
        dialog.get_by_label("Name").fill("Atlas Max")
        dialog.get_by_role("button", name="Save").click()
        expect(page.locator(".p-card tbody th")).to_have_text("Atlas Max")

    visit(steps)
    assert Offer.objects.get().name == "Atlas Max"


def test_person_is_added_with_a_password_to_hand_over(visit: WorkingVisit) -> None:
    seen: list[str] = []

    def steps(page: Page) -> None:
        page.goto(f"{SITE}/people/new/")
        page.get_by_label("Name").fill("Nora New")
        page.get_by_label("Email").fill("nora@example.com")
        page.get_by_role("button", name="Add").click()
        seen.append(page.locator("#one-time-password").inner_text())

    visit(steps)
    assert User.objects.get(email="nora@example.com").check_password(seen[0])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_rules_pages_can_be_read_by_everybody_and_on_a_phone(visit: WorkingVisit, scheme: str) -> None:
    found: list[str] = []

    def steps(page: Page) -> None:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        found.extend(barriers_of_pages(page, [SITE + path for path in PAGES]))

    visit(steps)
    assert found == []

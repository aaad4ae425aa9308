"""Data quality in Chromium: what is wrong is found in the worklist, mended by a click, taken back, and gone."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, expect

from accounts.models import Account, get_company
from renewals.models import DataRule, Renewal, RenewalQuality
from renewals.quality.evaluate import evaluate_all
from tests.browser.barriers import barriers_of_pages
from tests.browser.test_forecast import WorkingVisit
from tests.cast import Cast, make_account, make_renewal
from tests.static.test_shell_in_browser import SITE, chromium

__all__ = ["chromium"]
pytestmark = pytest.mark.browser
PAGES = (
    *("/quality/", "/quality/?severity=error", "/quality/accounts/", "/quality/trend/", "/quality/rules/"),
    *("/quality/rules/5/", "/quality/rules/new/field_out_of_range/", "/renewals/?quality=any"),
)


@pytest.fixture
def visit(chromium: tuple[ThreadPoolExecutor, Browser], cast: Cast) -> Iterator[WorkingVisit]:
    """A renewal with a contradicting confidence and a stale step, one that nobody owns, two accounts of one name."""
    today = get_company().today()
    due_on = today + dt.timedelta(days=300)
    halden = make_account(name="Halden Biotech", owner=cast.rep)
    make_renewal(
        owner=cast.rep, account=halden, due_on=due_on, confidence=95, next_step="Call the lawyer about the new terms",
        next_step_on=today - dt.timedelta(days=30), baseline_amount=Decimal(42_000),
    )  # fmt: skip
    make_renewal(owner=None, account=make_account(name="Ostrava Steel"), due_on=due_on)
    Account.objects.create(name="HALDEN BIOTECH GmbH", external_id="twin")
    evaluate_all(as_of=today)
    visit = WorkingVisit(*chromium, client=cast.client_of("admin"))
    yield visit
    # That an answer is a 409 is told by the browser as well as by the page.
    assert [said for said in visit.complaints if "status of 409" not in said] == []


def test_click_mends_a_row_and_undo_brings_it_back(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.goto(f"{SITE}/quality/")
        row = page.locator("tr", has_text="Halden Biotech")
        expect(page.locator("#quality-summary")).to_contain_text("Confidence contradicts the stage")
        row.get_by_role("button", name="Set confidence to 40%").click()
        expect(row).not_to_contain_text("Confidence contradicts the stage")
        expect(page.get_by_text("Confidence of Halden Biotech: 95% → 40%")).to_be_visible()
        expect(page.locator("#quality-summary")).not_to_contain_text("Confidence contradicts the stage")
        page.get_by_role("button", name="Undo").click()
        expect(row).to_contain_text("Confidence contradicts the stage")
        row.get_by_role("button", name="Set confidence to 40%").click()
        row.get_by_role("button", name="Move it to").click()
        expect(row).to_contain_text("Nothing left to mend")
        page.reload()
        expect(page.get_by_text("Halden Biotech")).to_have_count(0)

    visit(steps)
    assert set(RenewalQuality.objects.values_list("account__name", flat=True)) == {"Ostrava Steel"}


def test_fix_of_a_row_that_somebody_changed_says_so_and_shows_it(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.goto(f"{SITE}/quality/?rule=5")
        page.get_by_role("button", name="Set confidence to 40%").click()
        expect(page.locator(".p-toast")).to_contain_text("Not mended: Somebody has since changed it to 99%.")
        expect(page.locator("tr", has_text="Halden Biotech")).to_contain_text("99% in Not started")

    page_of_before = visit.client.get("/quality/?rule=5")
    Renewal.objects.filter(confidence=95).update(confidence=99)
    get = visit.client.get
    answers = iter([page_of_before])
    visit.client.get = lambda url: next(answers, None) or get(url)  # type: ignore[method-assign]
    visit(steps)
    assert Renewal.objects.filter(confidence=99).count() == 1


def test_mark_in_the_table_leads_to_what_mends_it(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.goto(f"{SITE}/renewals/")
        expect(page.locator("#totals")).to_contain_text("Trust in the data")
        mark = page.locator("tr", has_text="Halden Biotech").locator(".g-mark")
        expect(mark).to_have_attribute("title", "Confidence contradicts the stage; Stale next step")
        mark.click()
        expect(page.locator(".q-work tbody tr")).to_have_count(1)
        expect(page.locator(".q-work tbody tr")).to_contain_text("Halden Biotech")

    visit(steps)


def test_name_before_a_mark_takes_the_width_that_its_column_was_given(visit: WorkingVisit) -> None:
    def steps(page: Page) -> list[int]:
        widths = []
        for width in (200, 600):
            page.goto(f"{SITE}/renewals/?q=halden&outcome=all&widths=account:{width}")
            widths.append(round(page.locator("tbody th b").first.bounding_box()["width"]))
        return widths

    Account.objects.filter(name="Halden Biotech").update(name="Halden Biotechnologische Entwicklungsgesellschaft")
    narrow, wide = visit(steps)
    assert narrow == 116
    assert wide > 300


def test_rule_is_previewed_and_saved(visit: WorkingVisit) -> None:
    def steps(page: Page) -> None:
        page.goto(f"{SITE}/quality/rules/")
        page.get_by_role("link", name="A field is empty").click()
        page.get_by_label("Name").fill("Expected order asked for")
        page.get_by_label("Field").select_option("expected_order_on")
        page.get_by_role("button", name="Show what would break it").click()
        expect(page.locator(".q-found")).to_contain_text("2 renewals break this rule")
        page.get_by_role("button", name="Save and recompute").click()
        expect(page.locator(".p-cards tbody")).to_contain_text("Expected order asked for")

    visit(steps)
    rule = DataRule.objects.get(name="Expected order asked for")
    assert rule.parameters == {"field": "expected_order_on", "rows": "open"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_can_be_read_by_everybody_and_on_a_phone(visit: WorkingVisit, scheme: str) -> None:
    found: list[str] = []

    def steps(page: Page) -> None:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        found.extend(barriers_of_pages(page, [SITE + path for path in PAGES]))

    visit(steps)
    assert found == []

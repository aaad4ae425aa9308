"""Saved views and the layout of the table in Chromium against a running server, under the real security policy."""

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import get_company
from renewals.models import Renewal, SavedView, Stage
from renewals.saved_views.services import keep_view
from renewals.scoring import scoring
from tests.browser.barriers import barriers
from tests.browser.test_table import Desk
from tests.cast import Cast, make_account, make_renewal
from tests.static.test_shell_in_browser import chromium

__all__ = ["chromium"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
BY_STAGE = "group=stage&outcome=open"


@pytest.fixture
def rows(transactional_db: None, cast: Cast) -> list[Renewal]:
    """Six open renewals of the rep in two stages."""
    today = get_company().today()
    first, second = Stage.objects.order_by("position")[:2]
    names = ("Halden Biotech", "Lumen Health", "Kestrel Bank", "Ostra Labs", "Pell Foods", "Quay Freight")
    rows = [
        make_renewal(
            owner=cast.rep,
            account=make_account(name=name, owner=cast.rep),
            due_on=today + dt.timedelta(days=20 + place),
            stage=second if place % 2 else first,
            baseline_amount=Decimal("1000.50"),
            forecast_amount=Decimal(1_100),
        )
        for place, name in enumerate(names)
    ]
    scoring().score_renewals([row.pk for row in rows], as_of=today)
    return rows


@pytest.fixture
def site(rows: list[Renewal], chromium: tuple[ThreadPoolExecutor, Browser], live_server: LiveServer) -> Iterator[Any]:
    """Opens an address of the site as a person, in one window or several, and runs steps there."""
    desks: list[Desk] = []

    def visit(cast: Cast, role: str, steps: Callable[..., None], windows: int = 1, **options: Any) -> None:
        session = cast.client_of(role).cookies["sessionid"].value
        desk = Desk(*chromium, site=live_server.url, session=session)
        desks.append(desk)
        desk.run(steps, windows, **options)

    visit.url = live_server.url  # type: ignore[attr-defined]
    yield visit
    assert [complaint for desk in desks for complaint in desk.complaints] == []


def go(page: Page, query: str) -> None:
    page.goto(f"{page.url.partition('?')[0]}?{query}")
    page.wait_for_selector("#totals [data-count]", state="attached")


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def names(page: Page) -> list[str]:
    return page.eval_on_selector_all(".g-table thead th", "heads => heads.map(head => head.dataset.name)")


def show_display(page: Page) -> Any:
    page.locator(".v-layout > summary").click()
    menu = page.locator(".v-display")
    expect(menu).to_be_visible()
    return menu


def test_save_as_change_save_and_reset(site: Any, cast: Cast) -> None:
    def steps(page: Page) -> None:
        go(page, "outcome=open&sort=-forecast_amount")
        page.locator(".v-answers").get_by_text("Save as").click()
        page.get_by_label("Name").fill("Big <b>ones</b>")
        page.get_by_label("Name").press("Enter")
        page.wait_for_url("**view=*")
        expect(page.locator(".v-open .v-name")).to_have_text("Big <b>ones</b>")
        expect(page.locator(".p-rail-views a[aria-current]")).to_have_text("Big <b>ones</b>")
        expect(page.locator(".v-changed")).to_be_hidden()
        page.locator("#sort-due_on").click()  # the list alone is swapped
        expect(page.locator(".v-changed")).to_be_visible()
        page.locator(".v-answers").get_by_text("Reset").click()
        expect(page.locator(".v-changed")).to_be_hidden()
        assert asked(page)["sort"] == ["-forecast_amount"]
        page.locator("#sort-due_on").click()
        expect(page.locator(".v-changed")).to_be_visible()
        page.locator(".v-answers").get_by_role("button", name="Save", exact=True).click()
        expect(page.locator("#toasts .p-toast").last).to_contain_text("View “Big <b>ones</b>” is saved.")
        expect(page.locator(".v-changed")).to_be_hidden()
        page.reload()
        expect(page.locator(".v-changed")).to_be_hidden()

    site(cast, "rep", steps)
    view = SavedView.objects.get()
    assert (view.name, view.address, view.owner) == ("Big <b>ones</b>", "outcome=open", cast.rep)


def test_a_long_name_leaves_the_menu_in_the_window(site: Any, cast: Cast) -> None:
    def steps(page: Page) -> None:
        go(page, "outcome=open&sort=-forecast_amount")
        page.locator(".v-answers").get_by_text("Save as").click()
        page.get_by_label("Name").fill("w" * 80)
        page.get_by_label("Name").press("Enter")
        page.wait_for_url("**view=*")
        go(page, "outcome=open")
        page.locator(".v-open").click()
        box = page.locator(".v-menu").bounding_box()
        assert box["x"] + box["width"] <= page.viewport_size["width"]

    site(cast, "rep", steps)


def test_two_tabs_save_the_same_view(site: Any, cast: Cast) -> None:
    team = cast.rep.team
    view = keep_view(by=cast.rep, name="Ours", visibility="team", team=team, is_default=False, address="outcome=open")

    def steps(first: Page, second: Page) -> None:
        for page, sort in ((first, "risk"), (second, "stage")):
            go(page, f"outcome=open&view={view.pk}")
            page.locator(f"#sort-{sort}").click()
            expect(page.locator(".v-changed")).to_be_visible()
        for page in (first, second):
            page.locator(".v-answers").get_by_role("button", name="Save", exact=True).click()
            if page is first:
                expect(page.locator(".v-changed")).to_be_hidden()
        dialog = second.locator("#shell-dialog")
        expect(dialog).to_contain_text("Rhea Rep changed “Ours” since you opened it. Nothing was saved.")
        # Nothing was written over: another window opens what the first one saved.
        go(first, f"outcome=open&sort=risk&view={view.pk}")
        expect(first.locator(".v-changed")).to_be_hidden()
        dialog.get_by_role("button", name="Save mine").click()
        expect(second.locator("#toasts .p-toast").last).to_contain_text("View “Ours” is saved.")
        expect(dialog).to_be_hidden()
        expect(second.locator(".v-changed")).to_be_hidden()

    site(cast, "rep", steps, windows=2)
    assert SavedView.objects.get().address == "outcome=open&sort=stage"


def test_columns_are_chosen_moved_by_keyboard_and_laid_out(site: Any, cast: Cast) -> None:
    def steps(page: Page) -> None:
        go(page, "outcome=open&owner=me")
        menu = show_display(page)
        menu.get_by_label("Offer", exact=True).uncheck()
        down = menu.get_by_role("button", name="Move Contract down")
        down.focus()
        page.keyboard.press("Enter")
        expect(down).to_be_focused()
        expect(menu.locator("[data-moved]")).to_have_text("Contract is column 3")
        menu.get_by_label("Width of Stage, pixels").fill("9999")
        menu.get_by_label("Compact").check()
        menu.get_by_label("Columns that stay").select_option("3")
        menu.get_by_role("button", name="Apply").click()
        page.wait_for_url("**columns=*")
        page.wait_for_selector("#totals [data-count]", state="attached")
        assert names(page)[:4] == ["account", "due_on", "contract", "decision_on"]
        assert "offer" not in names(page)
        assert asked(page)["owner"] == ["me"]
        assert asked(page)["widths"] == ["stage:600"]
        stage = names(page).index("stage") + 1
        assert page.locator(f"tbody tr[data-id] > :nth-child({stage})").first.bounding_box()["width"] == 600
        assert page.locator("tbody tr[data-id]").first.bounding_box()["height"] <= 30
        before = [page.locator(f"thead th:nth-child({place})").bounding_box()["x"] for place in (1, 2, 3, 4)]
        page.evaluate("document.querySelector('.g-scroll').scrollLeft = 400")
        after = [
            page.locator(f"tbody tr[data-id]:first-child > :nth-child({place})").bounding_box()["x"]
            for place in (1, 2, 3, 4)
        ]
        assert after[:3] == pytest.approx(before[:3], abs=1)
        assert before[3] - after[3] == pytest.approx(400, abs=1)
        page.locator(".v-open").click()
        page.get_by_role("link", name="All open").click()
        page.wait_for_url("**view=all_open")
        assert "offer" in names(page)

    site(cast, "rep", steps)


def test_head_is_dragged_and_moved_by_keyboard(site: Any, cast: Cast) -> None:
    def steps(page: Page) -> None:
        go(page, "outcome=open")
        edge = page.locator("th[data-name=stage] .v-edge").bounding_box()
        width = page.locator("th[data-name=stage]").bounding_box()["width"]
        page.mouse.move(edge["x"] + 4, edge["y"] + 10)
        page.mouse.down()
        page.mouse.move(edge["x"] + 54, edge["y"] + 10, steps=5)
        page.mouse.up()
        page.wait_for_url("**widths=stage:*")
        assert asked(page)["widths"] == [f"stage:{round(width + 50)}"]
        expect(page.locator(".v-changed")).to_be_visible()  # it was the built-in view
        # The links of the list know of it.
        page.locator("#sort-due_on").click()
        page.wait_for_url("**sort=*")
        assert asked(page)["widths"] == [f"stage:{round(width + 50)}"]
        page.locator("#sort-stage").focus()
        page.keyboard.press("Alt+ArrowLeft")
        page.wait_for_url(f"**stage:{round(width + 40)}*")
        # So do the filters, and what is typed into an open cell stays in it.
        page.locator("summary", has_text="Owner").first.click()
        page.get_by_label("Me", exact=True).check()
        page.get_by_role("button", name="Apply").last.click()
        page.wait_for_url("**owner=me*")
        assert asked(page)["widths"] == [f"stage:{round(width + 40)}"]
        assert page.locator("tbody tr[data-id] > :nth-child(6)").first.bounding_box()["width"] == round(width + 40)

    site(cast, "rep", steps)


def test_groups_fold_have_subtotals_and_are_passed_over_by_the_arrows(site: Any, cast: Cast) -> None:
    first, second = (stage.name for stage in Stage.objects.order_by("position")[:2])

    def steps(page: Page) -> None:
        go(page, BY_STAGE)
        heads = page.locator("tr[data-group-row]")
        expect(heads).to_have_count(2)
        expect(heads.first).to_contain_text(first)
        expect(heads.first.locator(".v-sums")).to_contain_text("Baseline € 3,002")
        expect(heads.first.locator(".v-sum").first).to_have_attribute("title", "€\N{NO-BREAK SPACE}3,001.50")
        expect(page.locator(".v-open .v-name")).to_have_text("By stage")
        # From the last row of a group down to the first of the next: its head is no row of data.
        page.locator("tr[data-id]").nth(2).locator("td").first.click()
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.parentElement.dataset.account") == "Lumen Health"
        assert page.locator("tr[data-group-row] [tabindex='0']").count() == 0
        heads.first.get_by_role("link").click()
        expect(page.locator("tr[data-id]")).to_have_count(3)
        expect(heads).to_have_count(2)
        expect(heads.first.get_by_role("link")).to_have_attribute("aria-expanded", "false")
        expect(heads.first.locator(".v-sums")).to_contain_text("Expected")  # kept over the swap
        expect(page.locator(".v-changed")).to_be_visible()
        page.get_by_role("link", name="Fold all", exact=True).click()
        expect(page.locator("tr[data-id]")).to_have_count(0)
        expect(heads).to_have_count(2)
        page.get_by_role("link", name="Unfold all").click()
        expect(page.locator("tr[data-id]")).to_have_count(6)
        expect(heads.nth(1)).to_contain_text(second)

    site(cast, "rep", steps)


def test_phone_chooses_columns_their_order_density_and_groups(site: Any, cast: Cast) -> None:
    def steps(page: Page) -> None:
        go(page, "outcome=open&owner=me")
        menu = show_display(page)
        box = page.locator(".v-layout > .p-menu").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 844
        expect(menu.get_by_label("Columns that stay")).to_be_hidden()
        menu.get_by_label("Offer", exact=True).uncheck()
        move = menu.get_by_role("button", name="Move Contract down")
        assert min(move.bounding_box()["width"], move.bounding_box()["height"]) >= 44
        move.tap()
        menu.get_by_label("Group by").select_option("stage")
        menu.get_by_label("Compact").check()
        menu.get_by_role("button", name="Apply").tap()
        page.wait_for_url("**columns=*")
        expect(page.locator(".v-group").first).to_be_visible()
        labels = (
            page.locator("tbody tr[data-id]")
            .first.locator("td[data-label]")
            .evaluate_all("cells => cells.map(cell => cell.dataset.label)")
        )
        assert labels[:2] == ["Due", "Contract"]
        assert "Offer" not in labels
        assert asked(page)["density"] == ["compact"]
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    site(cast, "rep", steps, viewport={"width": 390, "height": 844}, has_touch=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(site: Any, cast: Cast, theme: str, width: int) -> None:
    keep_view(by=cast.rep, name="Ours", visibility="team", team=cast.rep.team, is_default=False, address=BY_STAGE)

    def steps(page: Page) -> None:
        go(page, f"{BY_STAGE}&sort=-forecast_amount&view=by_stage&density=compact&sticky=3")
        page.wait_for_selector(".v-sum")
        assert barriers(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        show_display(page)
        assert barriers(page) == []
        page.keyboard.press("Escape")
        page.locator(".v-open").click()
        page.locator(".v-menu").get_by_text("Save as a new view").click()
        page.wait_for_selector("#shell-dialog[open]")
        assert barriers(page) == []
        page.goto(f"{page.url.partition('/renewals/')[0]}/views/")
        assert barriers(page) == []

    site(cast, "rep", steps, color_scheme=theme, viewport={"width": width, "height": 800})

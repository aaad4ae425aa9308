"""What a colleague changes appears in an open table within three seconds, marked, and nothing moves: two people in two
browsers, each signed in as themselves, against a running server."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from playwright.sync_api import Page, expect

from accounts.models import get_company
from renewals.models import Renewal
from renewals.scoring import scoring
from tests.browser.test_table import NETWORK, Desk, cell, chromium, desk, focused, fresh, rows
from tests.cast import Cast, make_account, make_renewal

__all__ = ["chromium", "desk", "rows"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


def as_manager(desk: Desk, cast: Cast, steps: Callable[[Page, Page], None], **options: Any) -> None:
    """Run steps in the rep's window and in one of the manager's, in a browser of her own."""
    session = cast.client_of("manager").cookies["sessionid"].value

    def both(mine: Page) -> None:
        assert mine.context.browser
        context = mine.context.browser.new_context(viewport={"width": 1280, "height": 800})
        context.add_cookies([{"name": "sessionid", "value": session, "url": desk.site}])
        try:
            steps(mine, desk._window(context))
        finally:
            context.close()

    desk.run(both, **options)


def meanwhile(write: Callable[[], object]) -> None:
    """Write to the database from a browser's step: in a thread of its own, because Playwright's runs an event loop."""

    def written() -> None:
        write()
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(written).result(20)


def type_into(page: Page, row: Renewal, name: str, text: str) -> None:
    cell(page, row, name).click()
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def tops(page: Page) -> list[list[Any]]:
    return page.eval_on_selector_all(
        ".g-table tbody tr", "rows => rows.map(row => [row.id, row.getBoundingClientRect().top])"
    )


def test_a_change_appears_marked_within_three_seconds_and_nothing_moves(
    desk: Desk, rows: list[Renewal], cast: Cast
) -> None:
    first, second, *_ = rows

    def steps(mine: Page, hers: Page) -> None:
        cell(mine, second, "due_on").click()
        before = tops(mine)
        type_into(hers, first, "confidence", "85")
        expect(cell(hers, first, "confidence")).to_have_text("85%")
        started = time.monotonic()
        expect(cell(mine, first, "confidence")).to_have_text("85%", timeout=3000)
        assert time.monotonic() - started < 3
        row = mine.locator(f"#renewal-{first.pk}")
        expect(row.locator(".l-by")).to_have_text("Mona, just now")
        assert "is-changed" in (row.get_attribute("class") or "")
        assert cell(mine, first, "confidence").get_attribute("class").endswith("l-changed")
        assert mine.locator(".l-changed").count() == 1
        expect(mine.locator("#live [data-said]")).to_have_text("1 row changed by Mona Manager")
        assert focused(mine) == [second.account.name, "due_on"]
        assert tops(mine) == before
        # Her own change is nothing new to her.
        hers.wait_for_timeout(2500)
        assert hers.locator(".l-by, .is-changed, .l-changed").count() == 0

    as_manager(desk, cast, steps)


def test_what_is_being_typed_stays_and_the_same_field_is_a_conflict(
    desk: Desk, rows: list[Renewal], cast: Cast
) -> None:
    row = rows[0]

    def steps(mine: Page, hers: Page) -> None:
        cell(mine, row, "forecast_amount").click()
        mine.keyboard.press("Control+a")
        mine.keyboard.type("13000")
        type_into(hers, row, "forecast_amount", "15000")
        type_into(hers, row, "next_step", "Call Ana")
        expect(cell(mine, row, "next_step")).to_have_text("Call Ana", timeout=5000)
        open_cell = cell(mine, row, "forecast_amount")
        expect(open_cell.locator("input[name=value]")).to_have_value("13000")
        expect(open_cell.locator("input[name=value]")).to_be_focused()
        assert "l-changed" in open_cell.get_attribute("class")
        mine.keyboard.press("Enter")
        expect(open_cell.locator(".g-note")).to_contain_text("15,000")

    as_manager(desk, cast, steps)
    assert (fresh(row).forecast_amount, fresh(row).next_step) == (15_000, "Call Ana")


def test_a_row_that_no_longer_matches_stays_dimmed(desk: Desk, rows: list[Renewal], cast: Cast) -> None:
    first, _, third, _ = rows
    today = get_company().today().isoformat()

    def steps(mine: Page, hers: Page) -> None:
        before = tops(mine)
        cell(hers, first, "ordered_on").click()
        hers.locator(".g-editor [name=value]").fill(today)
        hers.keyboard.press("Enter")
        row = mine.locator(f"#renewal-{first.pk}.is-unmatched")
        expect(row.locator(".l-by")).to_have_text("No longer matches", timeout=4000)
        assert tops(mine) == before
        mine.reload()
        expect(mine.locator(f"#renewal-{third.pk}")).to_be_visible()
        assert mine.locator(f"#renewal-{first.pk}").count() == 0

    as_manager(desk, cast, steps)


def test_a_row_handed_to_another_team_is_said_to_be_out_of_view(desk: Desk, rows: list[Renewal], cast: Cast) -> None:
    def steps(mine: Page, hers: Page) -> None:
        meanwhile(lambda: Renewal.objects.filter(pk=rows[0].pk).update(owner=cast.outsider))
        expect(mine.locator(f"#renewal-{rows[0].pk} .l-by")).to_have_text("No longer in your view", timeout=4000)

    as_manager(desk, cast, steps)


def test_new_rows_that_match_are_offered(desk: Desk, rows: list[Renewal], cast: Cast) -> None:
    def steps(mine: Page) -> None:
        mine.wait_for_timeout(500)  # the page has asked once, and knows from where on rows are new

        def import_two() -> None:
            made = [make_renewal(owner=cast.rep, account=make_account(name=name)) for name in ("Nova", "Orbit")]
            scoring().score_renewals([row.pk for row in made], as_of=get_company().today())

        meanwhile(import_two)
        offer = mine.locator("#live [data-newer]")
        expect(offer).to_have_text("2 new renewals match: show", timeout=15000)
        offer.click()
        expect(mine.locator("tr[data-account=Nova]")).to_be_visible()
        expect(offer).to_be_hidden()

    desk.run(steps)


def test_a_server_that_is_away_is_said_and_asked_again(desk: Desk, rows: list[Renewal]) -> None:
    row = rows[0]

    def steps(mine: Page) -> None:
        mine.route("**/changes/**", lambda route: route.abort())
        expect(mine.locator("#live [data-away]")).to_have_text("Offline, retrying", timeout=4000)
        meanwhile(lambda: Renewal.objects.filter(pk=row.pk).update(confidence=5))
        mine.unroute("**/changes/**")
        expect(cell(mine, row, "confidence")).to_have_text("5%", timeout=15000)
        expect(mine.locator(f"#renewal-{row.pk} .l-by")).to_have_text("Somebody, just now")
        expect(mine.locator("#live [data-away]")).to_be_hidden()
        desk.complaints[:] = [text for text in desk.complaints if not any(known in text for known in NETWORK)]

    desk.run(steps)


def test_a_hidden_tab_does_not_ask(desk: Desk, rows: list[Renewal]) -> None:
    def steps(mine: Page) -> None:
        asked: list[str] = []
        mine.on("request", lambda request: asked.append(request.url) if "/changes/" in request.url else None)
        mine.evaluate(
            """() => {
              Object.defineProperty(document, "hidden", { value: true, configurable: true });
              document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )
        asked.clear()
        mine.wait_for_timeout(3000)
        assert asked == []
        mine.evaluate("() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')); }")
        mine.wait_for_timeout(500)
        assert len(asked) == 1

    desk.run(steps)


def test_the_mark_is_still_where_motion_is_not_wanted(desk: Desk, rows: list[Renewal], cast: Cast) -> None:
    row = rows[0]

    def steps(mine: Page, hers: Page) -> None:
        type_into(hers, row, "confidence", "85")
        changed = mine.locator(f"#renewal-{row.pk}.is-changed > td").first
        expect(changed).to_be_visible(timeout=4000)
        assert changed.evaluate("cell => getComputedStyle(cell).animationName") == "none"

    as_manager(desk, cast, steps, reduced_motion="reduce")

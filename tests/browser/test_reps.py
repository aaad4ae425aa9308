"""Reps beside the model in Chromium: the record, the list of disagreements, a pin put on and taken off."""

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import get_company
from forecasting.reps.services import measure_calls
from renewals.models import Override, Renewal, RenewalScore
from tests.browser.barriers import barriers
from tests.browser.test_table import Desk, desk, rows
from tests.cast import Cast
from tests.forecasting.forecast_book import recompute
from tests.forecasting.reps.test_reps import make_calls
from tests.static.test_shell_in_browser import chromium

__all__ = ["chromium", "desk", "rows"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]


@pytest.fixture
def apart(rows: list[Renewal], cast: Cast) -> Renewal:
    """The rep's first row, on which the two are 35 points apart; the team-mate's is 75 apart."""
    make_calls(cast)
    recompute(get_company().today())
    measure_calls()
    RenewalScore.objects.filter(renewal__outcome="open").update(likelihood=0.50)
    RenewalScore.objects.filter(renewal=rows[0]).update(likelihood=0.85)
    RenewalScore.objects.filter(renewal=rows[3]).update(likelihood=0.85)
    return rows[0]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_have_no_barrier_and_fit_a_phone(desk: Desk, apart: Renewal, theme: str) -> None:
    def steps(page: Page) -> None:
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.goto(f"{desk.site}/forecast/reps/")
        page.wait_for_function("document.querySelectorAll('[data-figure] .main-svg').length >= 1")
        expect(page.locator("main")).to_contain_text("points too high; counts for")
        assert barriers(page) == []
        page.set_viewport_size({"width": 390, "height": 844})
        page.reload()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.goto(f"{desk.site}/forecast/reps/disagreement/")
        expect(page.locator(".r-apart tbody tr")).to_have_count(2)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.set_viewport_size({"width": 1280, "height": 800})
        page.locator(".r-pin summary").click()
        assert barriers(page) == []

    desk.run(steps)


def test_a_pin_is_put_on_from_the_list_and_taken_off_in_the_drawer(desk: Desk, apart: Renewal) -> None:
    def steps(page: Page) -> None:
        page.goto(f"{desk.site}/forecast/reps/disagreement/?side=lower")
        form = page.locator(".r-pin")
        form.locator("summary").click()
        form.get_by_label("Probability").fill("70")
        form.get_by_label("Reason").fill("Order is signed")
        form.get_by_role("button", name="Pin", exact=True).click()
        expect(page.locator("body")).to_contain_text("Pinned at 70 % until")
        assert page.url.endswith("?side=lower")
        page.goto(f"{desk.site}/renewals/")
        mark = page.locator(f"#renewal-{apart.pk} .g-pin")
        expect(mark).to_have_attribute("title", re.compile("^Pinned by Rhea Rep until .*: Order is signed$"))
        page.locator(f"#renewal-{apart.pk} > th").hover()
        page.locator(f"#renewal-{apart.pk} .d-open").click()
        drawer = page.locator("#drawer")
        expect(drawer.locator(".d-pin")).to_contain_text("Order is signed")
        drawer.get_by_role("button", name="Take the pin off").click()
        expect(drawer.locator(".d-pin")).to_have_count(0)
        expect(drawer).to_contain_text("Earlier pins")
        expect(mark).to_have_count(0)

    desk.run(steps)
    (pin,) = Override.objects.all()
    assert (pin.percent, pin.ended_at is not None) == (70, True)

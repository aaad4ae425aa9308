"""Targets: set by whoever may, compared with what was seen, read by period."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from accounts.models import Company
from forecasting.models import Target
from forecasting.targets import read_targets
from forecasting.targets.page import fiscal_year
from forecasting.targets.services import Asked, Held, StaleTargets, save_targets
from tests.cast import Cast

NOVEMBER, DECEMBER, JANUARY = dt.date(2026, 11, 1), dt.date(2026, 12, 1), dt.date(2027, 1, 1)


def new(amount: int) -> Asked:
    return Asked(Decimal(amount), None)


def test_targets_are_set_changed_and_taken_away(cast: Cast) -> None:
    whole, team = Held(None, None, NOVEMBER), Held(cast.manager.team_id, None, NOVEMBER)
    assert save_targets(by=cast.admin, grain="month", asked={whole: new(900), team: new(400)}) == 2
    changed = {whole: Asked(Decimal(950), Decimal(900)), team: Asked(None, Decimal(400))}
    assert save_targets(by=cast.admin, grain="month", asked=changed) == 2
    assert list(Target.objects.values_list("team", "owner", "amount")) == [(None, None, Decimal(950))]
    events = Target.objects.get().events.order_by("pgh_id")  # type: ignore[attr-defined]
    assert [(event.pgh_label, event.amount) for event in events] == [("after_insert", 900), ("before_update", 900)]


def test_target_that_somebody_else_changed_is_not_written_over(cast: Cast) -> None:
    whole, other = Held(None, None, NOVEMBER), Held(None, None, DECEMBER)
    save_targets(by=cast.admin, grain="month", asked={whole: new(900)})
    with pytest.raises(StaleTargets) as stale:
        save_targets(by=cast.admin, grain="month", asked={whole: new(800), other: new(700)})
    assert stale.value.present == {whole: Decimal(900)}
    assert Target.objects.get().amount == 900
    assert save_targets(by=cast.admin, grain="month", asked={whole: new(900)}) == 0


def test_manager_sets_their_team_and_its_people_alone(cast: Cast) -> None:
    own = {Held(cast.manager.team_id, None, NOVEMBER): new(5), Held(None, cast.rep.pk, NOVEMBER): new(4)}
    assert save_targets(by=cast.manager, grain="quarter", asked=own) == 2
    strangers = (
        Held(None, None, NOVEMBER),
        Held(cast.outsider.team_id, None, NOVEMBER),
        Held(None, cast.outsider.pk, NOVEMBER),
    )
    for held in strangers:
        with pytest.raises(PermissionDenied):
            save_targets(by=cast.manager, grain="quarter", asked={**own, held: new(3)})
    with pytest.raises(PermissionDenied):
        save_targets(by=cast.rep, grain="quarter", asked={Held(None, cast.rep.pk, NOVEMBER): new(1)})
    assert Target.objects.count() == 2
    seen = {role: Target.objects.visible_to(getattr(cast, role)).count() for role in ("rep", "auditor", "outsider")}
    assert seen == {"rep": 2, "auditor": 2, "outsider": 0}


def test_quarter_without_its_own_target_has_the_sum_of_its_months(cast: Cast) -> None:
    months = {Held(None, None, start): new(100) for start in (NOVEMBER, DECEMBER)}
    save_targets(by=cast.admin, grain="month", asked=months)
    assert read_targets("quarter", [NOVEMBER]) == {}
    assert read_targets("month", [NOVEMBER, JANUARY]) == {NOVEMBER: 100}
    save_targets(by=cast.admin, grain="month", asked={Held(None, None, JANUARY): new(50)})
    assert read_targets("quarter", [NOVEMBER]) == {NOVEMBER: 250}
    save_targets(by=cast.admin, grain="quarter", asked={Held(None, None, NOVEMBER): new(260)})
    assert read_targets("quarter", [NOVEMBER]) == {NOVEMBER: 260}
    assert read_targets("quarter", [NOVEMBER], team_id=cast.manager.team_id) == {}


@pytest.mark.parametrize(
    ("day", "start", "year"),
    [
        (dt.date(2026, 11, 22), 1, 2026),
        (dt.date(2026, 11, 22), 2, 2027),
        (dt.date(2027, 1, 31), 2, 2027),
        (dt.date(2027, 2, 1), 2, 2028),
        (dt.date(2026, 12, 31), 12, 2027),
    ],
)
def test_fiscal_year_is_named_for_the_calendar_year_that_it_ends_in(day: dt.date, start: int, year: int) -> None:
    assert fiscal_year(day, start) == year


def test_page_saves_what_was_typed_and_says_what_is_wrong(cast: Cast) -> None:
    Company.objects.update(fiscal_year_start_month=1)
    client = cast.client_of("admin")
    year = Company.objects.get().today().year
    page = client.get("/forecast/targets/", {"year": year})
    assert page.status_code == 200
    company = f"company-{year}-01-01"
    answer = client.post(f"/forecast/targets/?year={year}", {company: "1,200,000.50", f"initial-{company}": ""})
    assert answer.status_code == 302
    assert Target.objects.get().amount == Decimal("1200000.50")
    wrong = client.post(f"/forecast/targets/?year={year}", {company: "-1", f"initial-{company}": "1200000.50"})
    assert wrong.status_code == 422
    assert f"The company, Jan {year} is not negative" in wrong.content.decode()
    nothing = client.post(f"/forecast/targets/?year={year}", {company: "0", f"initial-{company}": "1200000.50"})
    assert "A target is above 0; leave it blank for none." in nothing.content.decode()
    stale = client.post(f"/forecast/targets/?year={year}", {company: "7", f"initial-{company}": "1100000.00"})
    assert stale.status_code == 409
    assert "Somebody made it €\N{NO-BREAK SPACE}1,200,000.50 meanwhile" in stale.content.decode()
    assert Target.objects.get().amount == Decimal("1200000.50")

"""Scenarios: who opens, keeps, changes and promotes them, of each kind."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

from accounts.models import User, get_company
from forecasting.models import Scenario
from forecasting.scenarios import book
from forecasting.scenarios.services import keep_scenario
from forecasting.scenarios.shifts import Kind, Shift
from renewals.bulk.selection import Selection
from tests.cast import Cast, make_renewal
from tests.forecasting.forecast_book import recompute
from tests.permissions import Row, everybody, only
from tests.permissions.saved_views import as_page

Visibility = Scenario.Visibility
EDITORS = ("admin", "manager", "rep", "team_mate", "outsider", "other_manager")


def scenario(of: Callable[[Cast], User], visibility: str) -> Callable[[Cast], int]:
    def make(cast: Cast) -> int:
        owner = of(cast)
        found = Scenario.objects.filter(owner=owner, visibility=visibility).first()
        if found:
            return found.pk
        make_renewal(owner=cast.rep, due_on=get_company().today() + dt.timedelta(days=9), forecast_amount=Decimal(100))
        recompute(as_of=get_company().today())
        book._kept.clear()  # of another test, whose database had the same name
        team = owner.team if visibility == Visibility.TEAM else None
        shift = Shift(Kind.UPLIFT, Selection(query="outcome=open", is_all=True), {"percent": "10"})
        return keep_scenario(by=owner, name="One", visibility=visibility, team=team, shifts=[shift]).pk

    return make


PRIVATE = scenario(lambda cast: cast.rep, Visibility.PRIVATE)
TEAM = scenario(lambda cast: cast.rep, Visibility.TEAM)
EVERYONE = scenario(lambda cast: cast.admin, Visibility.EVERYONE)
OF_PRIVATE = only("rep", status=302, denied=404)
# The team sees it; who made it, the team's manager and an admin change it.
OF_TEAM = only("rep", "manager", "admin", status=302, auditor=404, outsider=404, other_manager=404)
OF_EVERYONE = only("admin", status=302)
KINDS = [(PRIVATE, OF_PRIVATE), (TEAM, OF_TEAM), (EVERYONE, OF_EVERYONE)]
SEEN = [
    (PRIVATE, only("rep", denied=404)),
    (TEAM, only("admin", "manager", "rep", "team_mate", "viewer", denied=404)),
    (EVERYONE, everybody(200)),
]
SHIFTS = {"shift": "0", "0-kind": "uplift", "0-rows": "all:outcome=open", "0-percent": "5"}
NAMED = {**SHIFTS, "do": "save", "name": "Two"}


def seen(cast: Cast) -> str:
    """The moment that a form of the scenario, made just before, would send."""
    newest = Scenario.objects.order_by("-pk").first()
    return newest.updated_at.isoformat() if newest else ""


def needs_book(data: dict[str, str]) -> dict[str, object]:
    """A form sent on a book that has been scored."""
    return {**data, "by": lambda cast: EVERYONE(cast) and "quarter"}


ROWS = [
    Row("forecasting:scenarios:list", everybody(200)),
    Row("forecasting:scenarios:new", everybody(200)),
    Row("forecasting:scenarios:new", everybody(200), data={"all": "yes", "outcome": "open"}),
    Row("forecasting:scenarios:new", everybody(200), method="post", data=needs_book(SHIFTS)),
    Row("forecasting:scenarios:new", everybody(302), method="post", data=needs_book({**NAMED, "readers": "private"})),
    Row(
        "forecasting:scenarios:new",
        only("admin", status=302, denied=422),
        method="post",
        data=needs_book({**NAMED, "readers": "everyone"}),
    ),
    Row("forecasting:scenarios:new", everybody(422), method="post", data=needs_book({**NAMED, "readers": "team-99"})),
    *(Row("forecasting:scenarios:scenario", expect, {"pk": pk}) for pk, expect in SEEN),
    *(Row("forecasting:scenarios:scenario", expect, {"pk": pk}, "post", SHIFTS) for pk, expect in SEEN),
    *(
        Row("forecasting:scenarios:scenario", expect, {"pk": pk}, "post", {**SHIFTS, "do": "save", "seen": seen})
        for pk, expect in KINDS
    ),
    *(Row("forecasting:scenarios:share", as_page(expect), {"pk": pk}) for pk, expect in KINDS),
    Row(
        "forecasting:scenarios:share",
        OF_PRIVATE,
        {"pk": PRIVATE},
        "post",
        {"name": "Three", "readers": "private", "seen": seen},
    ),
    *(
        Row(
            "forecasting:scenarios:duplicate",
            {role: 302 if status == 200 else status for role, status in expect.items()},
            {"pk": pk},
            "post",
        )
        for pk, expect in SEEN
    ),
    *(Row("forecasting:scenarios:delete", expect, {"pk": pk}, "post") for pk, expect in KINDS),
    Row("forecasting:scenarios:delete", everybody(405), {"pk": PRIVATE}),
    Row("forecasting:scenarios:duplicate", everybody(405), {"pk": PRIVATE}),
    Row("forecasting:scenarios:compare", everybody(200)),
    *(Row("forecasting:scenarios:compare", expect, data={"s": pk}) for pk, expect in SEEN),
    Row("forecasting:scenarios:promote", only(*EDITORS), {"pk": EVERYONE}),
    Row("forecasting:scenarios:promote", only("rep", denied=404, auditor=403, viewer=403), {"pk": PRIVATE}),
    # Those who own none of its renewals, or manage none, have nothing to write.
    Row(
        "forecasting:scenarios:promote",
        only("admin", "manager", "rep", status=302, team_mate=422, outsider=422, other_manager=422),
        {"pk": EVERYONE},
        "post",
    ),
]

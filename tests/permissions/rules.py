"""Rules and people: admins only."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from accounts.models import AttributeDefinition, Segment, Team, get_company
from renewals.models import RiskFactor, RiskWeightVersion, Stage, TimingPolicy, TimingPolicyVersion
from tests.cast import Cast, make_rate
from tests.permissions import Row, everybody, only

ADMIN = only("admin")
ADMIN_SAVES = only("admin", status=302)

VERSION = {
    "early_days": 20,
    "grace_days": 0,
    "late_days": 50,
    "day_kind": "calendar",
    "effective_from": "2026-01-01",
    "confirm": "yes",
}
PERSON = {"name": "Nora New", "email": "nora@example.com", "role": "viewer"}
COMPANY = {
    "name": "Fernhill",
    "time_zone": "UTC",
    "fiscal_year_start_month": 4,
    "reporting_currency": "EUR",
    "attribution": "due_period",
}


def the(name: str) -> Callable[[Cast], Any]:
    return lambda cast: getattr(cast, name).pk


def policy(cast: Cast) -> int:
    return TimingPolicy.objects.get().pk


def version_to_come(cast: Cast) -> int:
    day = get_company().today() + timedelta(days=9)
    return TimingPolicyVersion.objects.create(
        policy=TimingPolicy.objects.get(), effective_from=day, early_days=1, late_days=1
    ).pk


def stage(cast: Cast) -> int:
    return Stage.objects.all()[1].pk


def attribute(cast: Cast) -> int:
    return AttributeDefinition.objects.create(key="plan", label="Plan", kind="flag").pk


def custom_factor(cast: Cast) -> int:
    return RiskFactor.objects.create(key="plan", label="Plan", position=11, attribute_id=attribute(cast)).pk


def weights(cast: Cast) -> int:
    return RiskWeightVersion.objects.get().pk


def segment(cast: Cast) -> int:
    return Segment.objects.create(name="SMB").pk


def rate_to_come(cast: Cast) -> int:
    return make_rate("USD", "0.9", get_company().today() + timedelta(days=9)).pk


def empty_team(cast: Cast) -> int:
    return Team.objects.create(name="Empty").pk


FACTOR_WEIGHTS = {
    **{"usage_trend": 1, "days_since_touch": 1, "severe_tickets": 1, "satisfaction": 1, "payment_behaviour": 1},
    **{"contract_age": 1, "past_lateness": 1, "price_rise": 1, "champion_left": 1, "size_change": 1, "stage_pace": 1},
}
RATE = {"currency": "USD", "rate": 2, "effective_on": "2026-01-01"}
SCALE = {"label": "Plan", "low_value": 0, "high_value": 1}
STAGE = {"name": "Signed", "default_confidence": 99, "forecast_category": "commit"}

ROWS = [
    Row("rules:timing", ADMIN),
    Row("rules:new_policy", ADMIN),
    Row("rules:new_policy", only("admin", status=422), method="post", data=VERSION),  # it names no scope
    Row("rules:new_version", ADMIN, {"pk": policy}),
    Row("rules:new_version", ADMIN_SAVES, {"pk": policy}, "post", VERSION),
    Row("rules:delete_version", ADMIN_SAVES, {"pk": version_to_come}, "post"),
    Row("rules:delete_version", only("admin", status=405, denied=405), {"pk": policy}),
    Row("rules:find_accounts", ADMIN, data={"q": "a"}),
    Row("rules:weights", ADMIN),
    Row("rules:weights_outcomes", ADMIN),
    Row("rules:weights_outcomes", everybody(405), method="post"),
    Row("rules:weights", ADMIN_SAVES, method="post", data=FACTOR_WEIGHTS),
    Row("rules:share_weights", ADMIN_SAVES, {"segment_id": segment}, "post"),
    Row("rules:restore_weights", ADMIN_SAVES, {"pk": weights}, "post"),
    Row("rules:new_factor", ADMIN, {"attribute_id": attribute}),
    Row("rules:new_factor", ADMIN_SAVES, {"attribute_id": attribute}, "post", SCALE),
    Row("rules:edit_factor", ADMIN, {"pk": custom_factor}),
    Row("rules:edit_factor", ADMIN_SAVES, {"pk": custom_factor}, "post", SCALE),
    Row("rules:lists", ADMIN),
    Row("rules:list", ADMIN, {"slug": "offers"}),
    Row("rules:list", ADMIN_SAVES, {"slug": "stages"}, "post", STAGE),
    Row("rules:edit_item", ADMIN, {"slug": "stages", "pk": stage}),
    Row("rules:edit_item", ADMIN_SAVES, {"slug": "stages", "pk": stage}, "post", STAGE),
    Row("rules:delete_item", ADMIN_SAVES, {"slug": "stages", "pk": stage}, "post"),
    Row("rules:move_stage", ADMIN_SAVES, {"pk": stage, "direction": "up"}, "post"),
    Row("rules:company", ADMIN),
    Row("rules:company", ADMIN_SAVES, method="post", data=COMPANY),
    Row("rules:add_rate", ADMIN_SAVES, method="post", data=RATE),
    Row("rules:delete_rate", ADMIN_SAVES, {"pk": rate_to_come}, "post"),
    Row("people:users", ADMIN),
    Row("people:new_user", ADMIN),
    Row("people:new_user", ADMIN, method="post", data=PERSON),
    Row("people:edit_user", ADMIN, {"pk": the("rep")}),
    Row("people:edit_user", ADMIN_SAVES, {"pk": the("rep")}, "post", PERSON),
    Row("people:reset_password", ADMIN, {"pk": the("rep")}, "post"),
    Row("people:deactivate_user", ADMIN, {"pk": the("rep")}),
    Row("people:deactivate_user", ADMIN_SAVES, {"pk": the("rep")}, "post"),
    Row("people:activate_user", ADMIN_SAVES, {"pk": the("rep")}, "post"),
    Row("people:teams", ADMIN),
    Row("people:teams", ADMIN_SAVES, method="post", data={"name": "APAC"}),
    Row("people:edit_team", ADMIN, {"pk": empty_team}),
    Row("people:edit_team", ADMIN_SAVES, {"pk": empty_team}, "post", {"name": "APAC"}),
    Row("people:delete_team", ADMIN_SAVES, {"pk": empty_team}, "post"),
]

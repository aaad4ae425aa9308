"""The forecast page and the recompute behind it."""

from collections.abc import Callable

from tests.cast import Cast
from tests.permissions import Row, everybody, only


def key_of(name: str, attribute: str = "pk") -> Callable[[Cast], str]:
    return lambda cast: str(getattr(getattr(cast, name), attribute))


SEES_EMEA = ("admin", "auditor", "manager", "rep", "team_mate", "viewer")

ROWS = [
    Row("forecasting:overview", everybody(200)),
    # Another team's page is not there for who may not see it, an owner of another team neither.
    Row("forecasting:overview", only(*SEES_EMEA, denied=404), data={"team": key_of("manager", "team_id")}),
    Row("forecasting:overview", only(*SEES_EMEA, denied=404), data={"owner": key_of("rep")}),
    Row(
        "forecasting:overview",
        only("admin", "auditor", "outsider", "other_manager", denied=404),
        data={"owner": key_of("outsider"), "by": "month"},
    ),
    Row("forecasting:request_run", only("admin", "manager", "other_manager", status=302), method="post"),
    Row("forecasting:request_run", everybody(405)),
    Row("forecasting:run_status", everybody(200)),
    Row("forecasting:runs", only("admin", "manager", "other_manager")),
]

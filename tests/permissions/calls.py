"""Calls and the bridge between them."""

import datetime as dt

from forecasting.snapshots import freeze_snapshot
from tests.cast import Cast, make_renewal
from tests.permissions import Row, everybody, only
from tests.permissions.forecast import SEES_EMEA, key_of


def a_call(cast: Cast) -> int:
    make_renewal(owner=cast.rep, due_on=dt.date(2026, 12, 15))
    return freeze_snapshot(reason="hand", user=cast.manager, note="For the board").pk


PK = {"pk": a_call}
MANAGERS = ("admin", "manager", "other_manager")
ROWS = [
    Row("forecasting:overview", everybody(200), data={"as_at": "2026-10-01"}),
    Row("forecasting:overview", everybody(422), data={"as_at": "2999-01-01"}),
    Row("forecasting:overview", everybody(422), data={"as_at": "soon"}),
    Row("forecasting:overview", only(*SEES_EMEA, denied=404), data={"as_at": "2026-10-01", "owner": key_of("rep")}),
    Row("forecasting:calls", everybody(200)),
    Row("forecasting:calls", everybody(405), method="post"),
    Row("forecasting:calls", only(*SEES_EMEA, denied=404), data={"owner": key_of("rep"), "by": "month"}),
    Row("forecasting:call", everybody(200), kwargs=PK),
    Row("forecasting:call", everybody(404), kwargs={"pk": 987_654_321}),
    Row("forecasting:call", everybody(404), kwargs=PK, data={"period": "yesterday"}),
    Row("forecasting:call", only(*SEES_EMEA, denied=404), kwargs=PK, data={"team": key_of("manager", "team_id")}),
    # Nothing was recorded yet, which the form says.
    Row("forecasting:freeze_call", only(*MANAGERS, status=422), method="post", data={"note": "Board"}),
    Row("forecasting:freeze_call", everybody(405)),
    Row("forecasting:verify_call", only(*MANAGERS, status=302), kwargs=PK, method="post"),
    Row("forecasting:verify_call", everybody(405), kwargs=PK),
    Row("forecasting:bridge", everybody(200)),
    Row("forecasting:bridge", everybody(422), data={"from": "call-987654321"}),
    Row("forecasting:bridge", everybody(422), data={"to": "2999-01-01"}),
    Row("forecasting:bridge", only(*SEES_EMEA, denied=404), data={"owner": key_of("rep"), "by": "month"}),
    Row("forecasting:bridge_rows", everybody(200), data={"bar": "won"}),
    Row("forecasting:bridge_rows", everybody(404), data={"bar": "luck"}),
    Row("forecasting:bridge_rows", only(*SEES_EMEA, denied=404), data={"bar": "won", "owner": key_of("rep")}),
]

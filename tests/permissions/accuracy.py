"""The accuracy page, a call beside what came, and a backtest on demand."""

from tests.permissions import Row, everybody, only
from tests.permissions.calls import MANAGERS, PK
from tests.permissions.forecast import SEES_EMEA, key_of

ROWS = [
    Row("forecasting:accuracy", everybody(200)),
    Row("forecasting:accuracy", everybody(200), data={"days": "30"}),
    Row("forecasting:accuracy", everybody(404), data={"days": "45"}),
    Row("forecasting:accuracy", everybody(405), method="post"),
    Row("forecasting:accuracy", only(*SEES_EMEA, denied=404), data={"owner": key_of("rep")}),
    Row("forecasting:accuracy_status", everybody(200)),
    Row("forecasting:request_backtest", only(*MANAGERS, status=302), method="post"),
    Row("forecasting:request_backtest", everybody(405)),
    Row("forecasting:accuracy_call", everybody(200), kwargs=PK),
    Row("forecasting:accuracy_call", everybody(404), kwargs={"pk": 987_654_321}),
    Row("forecasting:accuracy_call", everybody(404), kwargs=PK, data={"page": "two"}),
    Row("forecasting:accuracy_call", only(*SEES_EMEA, denied=404), kwargs=PK, data={"owner": key_of("rep")}),
]

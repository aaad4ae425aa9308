"""The model page, its fit and its settings."""

from tests.permissions import Row, everybody, only

ROWS = [
    Row("forecasting:model", everybody(200)),
    Row("forecasting:model_status", everybody(200)),
    Row("forecasting:fit", only("admin", "manager", "other_manager", status=302), method="post"),
    Row("forecasting:fit", everybody(405)),
    Row("forecasting:model_settings", only("admin", status=302), method="post", data={"horizon_days": "60"}),
    Row("forecasting:model_settings", only("admin", status=422), method="post", data={"horizon_days": "45"}),
    Row("forecasting:model_settings", everybody(405)),
]

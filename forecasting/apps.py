from django.apps import AppConfig


class ForecastingConfig(AppConfig):
    name = "forecasting"

    def ready(self) -> None:
        from forecasting.models import Scenario, Target
        from renewals.history.kinds import add_kind

        add_kind("scenario", Scenario, "scenario", "scenarios", hangs_on="people")
        add_kind("target", Target, "target", "targets", is_rule=True, reads=("team", "owner"))

"""What a person says of a scenario: its name, and for whom it is kept."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from forecasting.models import Scenario
from renewals.saved_views.forms import ReadersForm


class ScenarioForm(ReadersForm):
    def __init__(self, *args: Any, user: User, scenario: Scenario | None = None, **kwargs: Any) -> None:
        super().__init__(*args, user=user, is_own=scenario is None or scenario.owner_id == user.pk, **kwargs)
        self.scenario = scenario

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            namesakes = Scenario.objects.filter(self.same_readers(), name__iexact=cleaned["name"])
            if any(other != self.scenario for other in namesakes):
                self.add_error("name", "There is a scenario of this name here already.")
        return cleaned

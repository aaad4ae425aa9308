"""Writes: keep a scenario, change it, let it go. Each is one transaction, and in the history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Team, User
from config.history import recorded_as
from forecasting.models import Scenario
from forecasting.scenarios.shifts import Shift
from renewals.saved_views.services import may_change, may_keep_for

Visibility = Scenario.Visibility
MOST_SCENARIOS = 100  # of one person, over all kinds
NAME_LENGTH = 80
NOT_YOURS = "This scenario is not yours to change. Duplicate it, and change the copy."


class StaleScenario(Exception):
    """Somebody changed the scenario since it was seen."""


class ScenarioRefused(ValueError):
    """It cannot be kept like this; the message says why."""


def keep_scenario(*, by: User, name: str, visibility: str, team: Team | None, shifts: Sequence[Shift]) -> Scenario:
    """Raises ScenarioRefused, and PermissionDenied for readers whom `by` keeps nothing for."""
    scenario = Scenario(
        owner=by, name=name, visibility=visibility, team=team, shifts=[shift.as_json() for shift in shifts]
    )
    if not may_keep_for(by, visibility, team):
        raise PermissionDenied("You may not keep a scenario for these people.")
    return _add_scenario(by, scenario)


def save_shifts(*, by: User, scenario_id: int, shifts: Sequence[Shift], seen_at: dt.datetime | None) -> Scenario:
    """Let a scenario consist of these shifts from now on. Raises StaleScenario."""
    with transaction.atomic(), recorded_as(user_id=by.pk, how="page"):
        scenario = _locked(by, scenario_id)
        wanted = [shift.as_json() for shift in shifts]
        if scenario.shifts != wanted:  # else whoever was first wrote the same
            _refuse_stale(scenario, seen_at)
            scenario.shifts = wanted
            _save(scenario, "shifts")
    return scenario


def change_scenario(
    *, by: User, scenario_id: int, name: str, visibility: str, team: Team | None, seen_at: dt.datetime | None
) -> Scenario:
    """Name and readers. Raises StaleScenario and ScenarioRefused."""
    with transaction.atomic(), recorded_as(user_id=by.pk, how="page"):
        scenario = _locked(by, scenario_id)
        _refuse_stale(scenario, seen_at)
        if visibility == Visibility.PRIVATE and scenario.owner_id != by.pk:
            raise PermissionDenied("A scenario that others made cannot become yours alone: duplicate it.")
        if not may_keep_for(by, visibility, team):
            raise PermissionDenied("You may not keep a scenario for these people.")
        scenario.name, scenario.visibility, scenario.team = name, visibility, team
        with _names_kept_apart(scenario):
            _save(scenario, "name", "visibility", "team")
    return scenario


def duplicate_scenario(*, by: User, scenario: Scenario) -> Scenario:
    """A copy for oneself, under the first name that is free."""
    taken = {
        name.lower()
        for name in Scenario.objects.filter(owner=by, visibility=Visibility.PRIVATE).values_list("name", flat=True)
    }
    for number in range(1, MOST_SCENARIOS + 2):
        ending = " (copy)" if number == 1 else f" (copy {number})"
        name = scenario.name[: NAME_LENGTH - len(ending)] + ending
        if name.lower() not in taken:
            break
    return _add_scenario(by, Scenario(owner=by, name=name, shifts=scenario.shifts))


def delete_scenario(*, by: User, scenario_id: int) -> str:
    """It goes from the page and stays in history; its name."""
    with transaction.atomic(), recorded_as(user_id=by.pk, how="page"):
        scenario = _locked(by, scenario_id)
        scenario.delete()
    return scenario.name


def _add_scenario(by: User, scenario: Scenario) -> Scenario:
    with transaction.atomic(), recorded_as(user_id=by.pk, how="page"):
        # One at a time for one person, so that the bound holds.
        User.objects.select_for_update().get(pk=by.pk)
        if Scenario.objects.filter(owner=by).count() >= MOST_SCENARIOS:
            raise ScenarioRefused(f"You keep {MOST_SCENARIOS} scenarios, which is as many as one person may.")
        with _names_kept_apart(scenario):
            scenario.save()
    return scenario


def _locked(by: User, scenario_id: int) -> Scenario:
    scenario = Scenario.objects.select_for_update().get(pk=scenario_id)
    if not may_change(by, scenario):
        raise PermissionDenied(NOT_YOURS)
    return scenario


def _refuse_stale(scenario: Scenario, seen_at: dt.datetime | None) -> None:
    if scenario.updated_at != seen_at:
        raise StaleScenario(f"Somebody changed “{scenario.name}” since you opened it. Nothing was saved.")


def _save(scenario: Scenario, *fields: str) -> None:
    scenario.updated_at = timezone.now()
    scenario.save(update_fields=[*fields, "updated_at"])


@contextmanager
def _names_kept_apart(scenario: Scenario) -> Iterator[None]:
    """The database's word on names, where somebody was faster than the form's look."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise ScenarioRefused(f"There is a scenario “{scenario.name}” here already. Take another name.") from error

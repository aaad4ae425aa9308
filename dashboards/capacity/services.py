"""Writes of capacity: what work takes, who is away, and how many customers are planned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import User
from config.history import recorded_as
from dashboards.models import Absence, CapacityTerms, Holiday, PlannedCustomers, RenewalHours


def save_terms(
    *, by: User, terms: Mapping[str, Any], hours: Mapping[tuple[int | None, int | None], Decimal | None]
) -> None:
    """Set the terms, and the hours of a renewal by segment and stage (None: all others); no hours: none of its own."""
    _require_admin(by, "what work takes")
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        row = CapacityTerms.objects.select_for_update().first() or CapacityTerms(pk=1)
        if row._state.adding or any(getattr(row, name) != value for name, value in terms.items()):
            for name, value in terms.items():
                setattr(row, name, value)
            row.full_clean()
            row.save()
        known = {(one.segment_id, one.stage_id): one for one in RenewalHours.objects.select_for_update()}
        for (segment_id, stage_id), value in hours.items():
            one = known.get((segment_id, stage_id))
            if value is None:
                if one is not None:
                    one.delete()
            elif one is None:
                RenewalHours.objects.create(segment_id=segment_id, stage_id=stage_id, hours=value)
            elif one.hours != value:
                one.hours = value
                one.save(update_fields=["hours"])


def add_absence(*, by: User, person: User, first_on: dt.date, last_on: dt.date, note: str = "") -> Absence:
    """Raises PermissionDenied where `by` does not keep this person's absences."""
    if person.pk not in absent_people_of(by):
        raise PermissionDenied("You keep your own absences; a manager those of the team, an admin everybody's.")
    absence = Absence(person=person, first_on=first_on, last_on=last_on, note=note)
    absence.full_clean()
    with transaction.atomic(), recorded_as(user_id=by.pk, how="page"):
        absence.save()
    return absence


def absent_people_of(user: User) -> set[int]:
    """The people whose absences a user keeps."""
    people = User.objects.filter(is_active=True)
    if user.role == User.Role.ADMIN:
        return set(people.values_list("pk", flat=True))
    if user.role == User.Role.MANAGER and user.team_id is not None:
        return set(people.filter(team_id=user.team_id).values_list("pk", flat=True))
    return {user.pk} if user.role == User.Role.REP else set()


def remove_absence(*, by: User, absence: Absence) -> None:
    if not Absence.objects.editable_by(by).filter(pk=absence.pk).exists():
        raise PermissionDenied("You keep your own absences; a manager those of the team, an admin everybody's.")
    with transaction.atomic(), recorded_as(user_id=by.pk, how="page"):
        absence.delete()


def add_holiday(*, by: User, on: dt.date, name: str) -> Holiday:
    _require_admin(by, "holidays")
    holiday = Holiday(on=on, name=name)
    holiday.full_clean()
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        holiday.save()
    return holiday


def remove_holiday(*, by: User, holiday: Holiday) -> None:
    _require_admin(by, "holidays")
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        holiday.delete()


def plan_customers(*, by: User, month_on: dt.date, sales_count: int, marketing_count: int) -> None:
    """Set what a month aims at; nothing by either is no plan."""
    _require_admin(by, "the plan of new customers")
    with transaction.atomic(), recorded_as(user_id=by.pk, how="rule"):
        known = PlannedCustomers.objects.select_for_update().filter(month_on=month_on).first()
        if not sales_count and not marketing_count:
            if known is not None:
                known.delete()
            return
        row = known or PlannedCustomers(month_on=month_on)
        if (row.sales_count, row.marketing_count) == (sales_count, marketing_count):
            return
        row.sales_count, row.marketing_count = sales_count, marketing_count
        row.full_clean()
        row.save()


def _require_admin(by: User, what: str) -> None:
    if not by.is_admin:
        raise PermissionDenied(f"An admin sets {what}.")

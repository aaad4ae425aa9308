"""Each rule that the database keeps says in words what is wrong."""

from django.apps import apps
from django.db.models import CheckConstraint


def test_every_check_can_say_what_is_wrong() -> None:
    checks = [
        constraint
        for app in ("accounts", "renewals", "forecasting", "engagement", "dashboards")
        for model in apps.get_app_config(app).get_models()
        for constraint in model._meta.constraints
        if isinstance(constraint, CheckConstraint)
    ]
    assert len(checks) > 20
    assert all(check.get_violation_error_message() for check in checks)

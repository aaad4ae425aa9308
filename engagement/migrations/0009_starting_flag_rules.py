"""The flag rules that a new installation begins with; admins change them like their own."""

from typing import Any

from django.db import migrations

RULES = (
    ("High risk, decision within 90 days", {"risk": 60, "decision_days": 90}),
    ("Severe ticket open, due within 120 days", {"due_days": 120, "severe_tickets": 1}),
    ("Overdue and nobody in touch", {"timing": 2, "untouched_days": 14}),
    ("Decision within 45 days and silent", {"decision_days": 45, "untouched_days": 60}),
    ("The champion has left", {"due_days": 365, "champion_left": 1}),
    ("Asks about leaving", {"leaving_tickets": 1}),
    ("Payments failed or charged back", {"failed_payments": 2}),
    ("An invoice is 60 days late", {"unpaid_days": 60}),
    ("Poor health, due within half a year", {"due_days": 180, "health": 35}),
    ("Use has fallen by half", {"due_days": 270, "usage_fall": 50}),
)


def make_rules(apps: Any, schema_editor: Any) -> None:
    rules = apps.get_model("engagement", "FlagRule").objects
    rules.bulk_create(rules.model(name=name, conditions=conditions) for name, conditions in RULES)


class Migration(migrations.Migration):
    dependencies = [("engagement", "0008_flag_passes")]

    operations = [migrations.RunPython(make_rules, migrations.RunPython.noop)]

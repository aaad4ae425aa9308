"""The alert rules that a new installation begins with; admins change them like their own."""

from typing import Any

from django.db import migrations

RULES = (
    ("Risk jumped", "risk_jump", {"points": 12, "least_risk": 25, "step": 10}),
    ("Decision within two weeks", "decision_near", {"days": 14, "step": 7}),
    ("Overdue", "overdue", {"days": 1, "step": 14}),
    ("Severe ticket, due within 120 days", "severe_ticket", {"days": 120}),
    ("The champion has left", "champion_left", {"days": 365}),
    ("Confidence cut", "confidence_cut", {"points": 20, "days": 7, "step": 15}),
    ("Forecast below target", "below_target", {"percent": 5, "step": 5}),
)


def make_rules(apps: Any, schema_editor: Any) -> None:
    rules = apps.get_model("engagement", "AlertRule").objects
    rules.bulk_create(rules.model(name=name, kind=kind, parameters=parameters) for name, kind, parameters in RULES)
    apps.get_model("engagement", "AlertPass").objects.create(pk=1)


class Migration(migrations.Migration):
    # Its history is written by a function that pghistory brings.
    dependencies = [("engagement", "0010_alerts"), ("pghistory", "0007_auto_20250421_0444")]

    operations = [migrations.RunPython(make_rules, migrations.RunPython.noop)]

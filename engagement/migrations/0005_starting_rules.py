"""The rules of flags and of alerts that a new installation begins with; admins change them like their own."""

import json

from django.db import migrations

FLAG_RULES = (
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


ALERT_RULES = (
    ("Risk jumped", "risk_jump", {"points": 12, "least_risk": 25, "step": 10}),
    ("Decision within two weeks", "decision_near", {"days": 14, "step": 7}),
    ("Overdue", "overdue", {"days": 1, "step": 14}),
    ("Severe ticket, due within 120 days", "severe_ticket", {"days": 120}),
    ("The champion has left", "champion_left", {"days": 365}),
    ("Confidence cut", "confidence_cut", {"points": 20, "days": 7, "step": 15}),
    ("Forecast below target", "below_target", {"percent": 5, "step": 5}),
)
FLAG_RULE = "INSERT INTO engagement_flagrule (name, conditions, is_active) VALUES (%s, %s, true)"
ALERT_RULE = "INSERT INTO engagement_alertrule (name, kind, parameters, is_active) VALUES (%s, %s, %s, true)"
# They were made by nobody: the log tells of what people change of them.
FORGET = "DELETE FROM engagement_{}ruleevent WHERE pgh_label = 'after_insert' AND pgh_context IS NULL"


class Migration(migrations.Migration):
    dependencies = [("engagement", "0004_starting_playbooks")]
    operations = [
        migrations.RunSQL(
            [
                *((FLAG_RULE, (name, json.dumps(conditions))) for name, conditions in FLAG_RULES),
                *((ALERT_RULE, (name, kind, json.dumps(parameters))) for name, kind, parameters in ALERT_RULES),
                FORGET.format("flag"),
                FORGET.format("alert"),
                "INSERT INTO engagement_alertpass (id, observed_run_id) VALUES (1, 0)",
            ],
            migrations.RunSQL.noop,
        )
    ]

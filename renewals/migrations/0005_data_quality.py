"""Data quality: what its tables follow, and the rules that a new installation starts with; an admin changes all of them."""

from typing import Any

from django.db import migrations

# name, condition, parameters, severity (1 info, 2 warning, 3 error), who is asked, suggested fix
RULES = [
    ("Impossible dates", "impossible_dates", {}, 3, "owner", ""),
    ("Missing dates", "missing_dates", {}, 2, "owner", ""),
    ("Contract ended without a renewal", "ended_without_renewal", {"days": 0}, 3, "admin", ""),
    ("Overdue without an outcome", "open_past_due", {"days": 0}, 2, "owner", ""),
    ("Confidence contradicts the stage", "confidence_against_stage", {"points": 30}, 2, "owner", "stage_confidence"),
    (
        "No forecast amount",
        "field_empty",
        {"field": "forecast_amount", "rows": "open", "due_within_days": 180},
        2,
        "owner",
        "baseline_forecast",
    ),
    ("No offer", "field_empty", {"field": "offer", "rows": "open", "due_within_days": 90}, 2, "owner", ""),
    ("No owner, or one who left", "no_active_owner", {}, 3, "manager", "account_owner"),
    ("Account looks like another", "duplicate_account", {}, 2, "admin", ""),
    ("Forecast above the uplift cap", "forecast_above_cap", {}, 3, "owner", "capped_forecast"),
    ("Stale next step", "stale_next_step", {"days": 14}, 1, "owner", "next_step_date"),
    ("Currency missing or without a rate", "currency_without_rate", {}, 3, "admin", ""),
]
# What deletes renewals, contracts or accounts, in bulk and in SQL too, need not know of these tables.
CASCADE = """
ALTER TABLE renewals_renewalquality ADD CONSTRAINT renewal_quality_of_renewal
    FOREIGN KEY (renewal_id) REFERENCES renewals_renewal ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE renewals_accountbreach ADD CONSTRAINT account_breach_of_account
    FOREIGN KEY (account_id) REFERENCES accounts_account ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE renewals_accountbreach ADD CONSTRAINT account_breach_of_contract
    FOREIGN KEY (contract_id) REFERENCES renewals_contract ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
"""
DROP = """
ALTER TABLE renewals_renewalquality DROP CONSTRAINT renewal_quality_of_renewal;
ALTER TABLE renewals_accountbreach DROP CONSTRAINT account_breach_of_account;
ALTER TABLE renewals_accountbreach DROP CONSTRAINT account_breach_of_contract;
"""


def create_rules(apps: Any, schema_editor: Any) -> None:
    rules = apps.get_model("renewals", "DataRule").objects
    for name, condition, parameters, severity, asked, fix in RULES:
        rules.create(name=name, condition=condition, parameters=parameters, severity=severity, asked=asked, fix=fix)


class Migration(migrations.Migration):
    dependencies = [("renewals", "0002_starting_rules")]
    operations = [
        migrations.RunSQL(CASCADE, DROP),
        migrations.RunPython(create_rules, migrations.RunPython.noop, elidable=False),
    ]

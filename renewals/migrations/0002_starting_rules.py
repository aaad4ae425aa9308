"""Rules that a new installation starts with; an admin changes all of them."""

import datetime as dt
from typing import Any

from django.db import migrations

# A renewal that is imported with its past had a stage before this installation was made.
LONG_AGO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
STAGES = [
    ("Not started", 40, "pipeline"),
    ("In contact", 55, "pipeline"),
    ("Proposal", 65, "best_case"),
    ("Negotiation", 75, "best_case"),
    ("Verbal yes", 90, "commit"),
    ("Will not renew", 5, "omitted"),
]
CHURN_REASONS = [
    ("Price", True),
    ("Champion left", True),
    ("Low usage", True),
    ("Competitor", True),
    ("Product gap", True),
    ("Support", True),
    ("Merged or acquired", False),
    ("Out of business", False),
    ("Unknown", True),
]
# key, label, weight, stale after days, what makes it risky
FACTORS = [
    ("usage_trend", "Product usage", 20, 60, "Use of the product against the 90 days before; falling is risky."),
    (
        "days_since_touch",
        "Last touch",
        10,
        None,
        "Days since anybody talked to the customer; 90 and more is all of it.",
    ),
    ("severe_tickets", "Support", 12, 60, "Severe tickets open, and how often tickets are reopened."),
    ("satisfaction", "Satisfaction", 12, 365, "CSAT and NPS."),
    ("payment_behaviour", "Payments", 12, 180, "Invoices settled late, payments failed or charged back."),
    ("contract_age", "Contract age", 4, None, "First terms are the riskiest."),
    ("past_lateness", "Past lateness", 8, None, "Share of the account's earlier renewals that came late or were lost."),
    ("price_rise", "Price rise", 8, None, "The forecast above the baseline; 20 % and more is all of it."),
    ("champion_left", "Champion left", 8, 365, "The person who wanted the product has gone."),
    ("size_change", "Size change", 6, 120, "Seats given back."),
    ("stage_pace", "Stage and days left", 10, None, "How far the work has come against the days that are left."),
]


def create_starting_rules(apps: Any, schema_editor: Any) -> None:
    def model(name: str) -> Any:
        return apps.get_model("renewals", name).objects

    for position, (name, confidence, category) in enumerate(STAGES, 1):
        model("Stage").create(
            name=name, position=position, default_confidence=confidence, forecast_category=category, created_at=LONG_AGO
        )
    for name, is_avoidable in CHURN_REASONS:
        model("ChurnReason").create(name=name, is_avoidable=is_avoidable)
    for position, (key, label, _, stale_days, explanation) in enumerate(FACTORS):
        model("RiskFactor").create(
            key=key, label=label, position=position, stale_days=stale_days, explanation=explanation
        )
    model("RiskWeightVersion").create(weights={key: weight for key, _, weight, _, _ in FACTORS})
    model("TimingPolicyVersion").create(
        policy=model("TimingPolicy").create(),
        effective_from=dt.date(1970, 1, 1),
        early_days=30,
        grace_days=0,
        late_days=60,
    )


class Migration(migrations.Migration):
    dependencies = [("renewals", "0001_schema")]
    operations = [migrations.RunPython(create_starting_rules, migrations.RunPython.noop, elidable=False)]

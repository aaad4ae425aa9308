"""What health is made of in a new installation; an admin changes all of it."""

import json

from django.db import migrations

# key, label, weight, worst at, best at, missing after days, what it says
FACTORS = [
    ("usage_change_rate", "Product usage", 22, -0.4, 0.1, 120, "Use of the product against the 90 days before."),
    ("login_change_rate", "Logins", 8, -0.4, 0.1, 120, "Logins against the 90 days before."),
    ("seat_change_rate", "Seats", 8, -0.25, 0.05, 180, "Seats against the 90 days before."),
    ("csat_score", "CSAT", 12, 2.5, 4.75, 365, "How content people are with the support, 1 to 5."),
    ("nps_score", "NPS", 10, -50, 60, 365, "Whether they would recommend the product, -100 to 100."),
    ("sentiment_score", "Sentiment", 10, 1, 5, 120, "What the rep makes of the customer's mood, 1 to 5."),
    ("severe_ticket_count", "Severe tickets", 10, 4, 0, 90, "Severe tickets that are open."),
    ("reopened_ticket_rate", "Tickets reopened", 4, 0.3, 0, 180, "Share of the resolved tickets that came back."),
    ("late_payment_days", "Days late in paying", 6, 45, 0, 180, "Mean days late of the settled invoices."),
    ("failed_payment_count", "Failed payments", 3, 3, 0, 180, "Payments that failed."),
    ("chargeback_count", "Chargebacks", 2, 1, 0, 180, "Payments that were charged back."),
    ("has_champion_left", "Champion", 10, 1, 0, 365, "Whether the person who wanted the product is still there."),
]


FACTOR = """
INSERT INTO accounts_healthfactor
    (key, label, position, worst_value, best_value, stale_days, explanation, is_custom)
VALUES (%s, %s, %s, %s, %s, %s, %s, false)
"""
WEIGHTS = """
INSERT INTO accounts_healthweightversion (weights, healthy_from, watch_from, created_at) VALUES (%s, 75, 60, now())
"""
ROWS = [
    (FACTOR, (key, label, position, worst, best, stale_days, explanation))
    for position, (key, label, _, worst, best, stale_days, explanation) in enumerate(FACTORS)
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0012_health")]
    operations = [
        migrations.RunSQL(
            [*ROWS, (WEIGHTS, (json.dumps({key: weight for key, _, weight, *_ in FACTORS}),))], migrations.RunSQL.noop
        )
    ]

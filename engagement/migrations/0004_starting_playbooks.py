"""Playbooks that a new installation starts with: for use by hand until an admin lets their rules start plans."""

from django.db import migrations

# title, guidance, owner, relative to, days, minutes, checks, outcome, choices, waits for
PROTECT = [
    (
        "Ask {account} what is wrong",
        "Call the champion, or who decides there. Listen first: no offer yet.",
        "renewal", "start", 3, 45,
        ["Read the risk factors, the open tickets and the last touches", "Agreed on the next talk"],
        "touch", [], [],
    ),
    (
        "Write down the cause",
        "One cause, the first that would have to go. It decides who has to help.",
        "renewal", "start", 5, 15, [],
        "choice",
        ["Low use", "Product gap", "Support", "Price", "Champion left", "Their business changed", "No risk after all"],
        [1],
    ),
    (
        "Agree on a recovery plan with {account}",
        "What we do, what they do, by when, and by what both sides see that it worked. Send it in writing.",
        "renewal", "start", 14, 60,
        ["Each point has a person and a day", "The customer said yes to it"],
        "text", [], [2],
    ),
    (
        "Look at the plan together",
        "Does the cause fit what is being done? Who has to be asked for help?",
        "manager", "start", 30, 30, [],
        "text", [], [3],
    ),
    (
        "See whether it got better",
        "Compare use, tickets and satisfaction with the day on which the plan began.",
        "renewal", "start", 60, 30,
        ["Use looked at", "Open tickets looked at"],
        "choice", ["Better", "Same", "Worse"], [3],
    ),
]  # fmt: skip
RENEWAL = [
    (
        "Check contract, people and dates",
        "What cannot be right now costs weeks later. Say how sure you are of the renewal.",
        "renewal", "due", -150, 30,
        ["Term and amount are those of the contract", "Who decides and who signs is known", "Notice period is known"],
        "confidence", [], [],
    ),
    (
        "Review with {account} what it was worth",
        "Their aims of a year ago, what came of them, and the aims of next year.",
        "renewal", "due", -120, 90,
        ["Figures of use prepared", "Aims of next year written down"],
        "touch", [], [1],
    ),
    (
        "Choose the offer", "What fits the aims of next year, and what it costs.",
        "renewal", "due", -90, 30, [], "offer", [], [2],
    ),
    (
        "Send the offer, before {decision_on}",
        "The customer has to say no by the decision date: the offer is there a month before.",
        "renewal", "decision", -30, 45,
        ["Price within the uplift cap", "Approved where it has to be"],
        "touch", [], [3],
    ),
    (
        "Settle price and term", "What is still open, and what they need for a yes.",
        "renewal", "decision", -10, 60, [], "text", [], [4],
    ),
    (
        "Have the order",
        "Enter it at the renewal: the plan then closes by itself.",
        "renewal", "due", -7, 30, [],
        "choice", ["Order is in", "Order is promised", "They leave"], [5],
    ),
]  # fmt: skip
SHORT = [
    ("Write to {account}: the contract ends on {due_on}", "", "renewal", "start", 2, 15, [], "touch", [], []),
    ("Choose the offer and send it", "", "renewal", "start", 7, 20, [], "offer", [], [1]),
    (
        "Follow up until there is an answer", "", "renewal", "due", -14, 20, [],
        "choice", ["Order is in", "Order is promised", "They leave"], [2],
    ),
]  # fmt: skip
# name, kind, at risk from, due within days
PLAYBOOKS = [
    ("Protect an account at risk", "protect", 40, None, PROTECT),
    ("Renew in 180 days", "renewal", None, 180, RENEWAL),
    ("Renew in 60 days, the short way", "renewal", None, 60, SHORT),
]
PLAYBOOK = """
WITH playbook AS (INSERT INTO engagement_playbook (name, kind, use) VALUES (%s, %s, 'hand') RETURNING id)
INSERT INTO engagement_playbookversion (playbook_id, number, risk_from, within_days) SELECT id, 1, %s, %s FROM playbook
"""
STEP = """
INSERT INTO engagement_playbookstep (version_id, number, title, guidance, owner_is, due_from, days, estimated_minutes,
    checks, outcome, choices, waits_for)
SELECT version.id, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s::smallint[]
FROM engagement_playbookversion version JOIN engagement_playbook playbook ON playbook.id = playbook_id WHERE name = %s
"""
# They were made by nobody: the log tells of what people change of them.
FORGET = "DELETE FROM engagement_playbookevent WHERE pgh_label = 'after_insert' AND pgh_context IS NULL"
MADE = [(PLAYBOOK, (name, kind, risk_from, within_days)) for name, kind, risk_from, within_days, _ in PLAYBOOKS]
STEPS = [
    (STEP, (number, *step, name)) for name, *_, steps in PLAYBOOKS for number, step in enumerate(steps, 1)
]


class Migration(migrations.Migration):
    dependencies = [("engagement", "0003_notifications_go_with_alerts")]
    operations = [migrations.RunSQL([*MADE, *STEPS, FORGET], migrations.RunSQL.noop)]

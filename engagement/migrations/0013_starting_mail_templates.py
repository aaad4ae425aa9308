"""Templates that a new installation starts with, and the rule of notices: proposed, never sent without asking."""

from typing import Any

from django.db import migrations

NOTICE = (
    "Renewal notice",
    "Your contract {contract.number} with {company.name}: a decision by {renewal.decision_on}",
    """Dear {contact.first_name},

your contract {contract.number} runs until {renewal.due_on}. If nothing changes on your side, there is nothing to do now;
if you want to change or end it, please tell me by {renewal.decision_on}.

I would be glad to talk about how the past term went and what you need for the next one. Would a call in the coming days
suit you?

Kind regards
{rep.name}
{company.name}
""",
)
OTHERS = (
    (
        "Renewal offer",
        "Renewing {contract.number}",
        """Dear {contact.first_name},

your contract {contract.number} ends on {renewal.due_on}. The recurring value is {renewal.baseline_amount} a year.

May I send you the order form for the next term? If anything should change, seats, products or term, tell me and I will
prepare it.

Kind regards
{rep.name}
{company.name}
""",
    ),
    (
        "Checking in",
        "How are things at {account.name}?",
        """Dear {contact.first_name},

we have not spoken for a while, and I would like to know how things are going at {account.name}. Is there anything that
does not work as it should, or that you miss?

Do you have half an hour this week or next?

Kind regards
{rep.name}
{company.name}
""",
    ),
)


def create_templates(apps: Any, schema_editor: Any) -> None:
    templates, rules = apps.get_model("engagement", "MailTemplate"), apps.get_model("engagement", "NoticeRule")
    name, subject, text = NOTICE
    notice = templates.objects.create(name=name, subject=subject, text=_flowing(text))
    for name, subject, text in OTHERS:
        templates.objects.create(name=name, subject=subject, text=_flowing(text))
    rules.objects.create(pk=1, template=notice)


def _flowing(text: str) -> str:
    """One line per paragraph, as mail programs want it; a signature keeps its lines."""
    *paragraphs, signature = text.strip().split("\n\n")
    return "\n\n".join([*(paragraph.replace("\n", " ") for paragraph in paragraphs), signature])


class Migration(migrations.Migration):
    # Their history is written by a function that pghistory brings.
    dependencies = [("engagement", "0012_mail_to_customers"), ("pghistory", "0007_auto_20250421_0444")]

    operations = [migrations.RunPython(create_templates, migrations.RunPython.noop, elidable=False)]

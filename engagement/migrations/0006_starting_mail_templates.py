"""Templates that a new installation starts with, and the rule of notices: proposed, never sent without asking."""

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


def _flowing(text: str) -> str:
    """One line per paragraph, as mail programs want it; a signature keeps its lines."""
    *paragraphs, signature = text.strip().split("\n\n")
    return "\n\n".join([*(paragraph.replace("\n", " ") for paragraph in paragraphs), signature])


# The rule writes notices with the first of them.
TEMPLATE = "INSERT INTO engagement_mailtemplate (name, subject, text, is_active, updated_at) VALUES (%s, %s, %s, true, now())"
NOTICE_RULE = """
INSERT INTO engagement_noticerule (id, is_on, is_automatic, days_before, updated_at, template_id)
SELECT 1, true, false, 21, now(), id FROM engagement_mailtemplate WHERE name = %s
"""
# They were made by nobody: the log tells of what people change of them.
FORGET = "DELETE FROM engagement_{}event WHERE pgh_label = 'after_insert' AND pgh_context IS NULL"


class Migration(migrations.Migration):
    dependencies = [("engagement", "0005_starting_rules")]
    operations = [
        migrations.RunSQL(
            [
                *((TEMPLATE, (name, subject, _flowing(text))) for name, subject, text in (NOTICE, *OTHERS)),
                (NOTICE_RULE, NOTICE[:1]),
                FORGET.format("mailtemplate"),
                FORGET.format("noticerule"),
            ],
            migrations.RunSQL.noop,
        )
    ]

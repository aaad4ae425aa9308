"""Mail to customers, its templates and its rule. The renewal is the rep's."""

from collections.abc import Callable

from django.utils import timezone

from accounts.models import Contact
from engagement.mail.services import send_mail_to_customer
from engagement.models import CustomerMail, MailTemplate, OutgoingMail
from renewals.models import Renewal
from tests.cast import Cast, make_renewal
from tests.permissions import Row, everybody, only

READERS = everybody(200, outsider=404, other_manager=404)
EDITORS = only("rep", "manager", "admin", outsider=404, other_manager=404)
WRITERS = only("rep", "manager", "admin", status=302, outsider=404, other_manager=404)
INVALID = EDITORS | {"rep": 422, "manager": 422, "admin": 422}
ADMIN = only("admin")


def renewal(cast: Cast) -> int:
    return (Renewal.objects.filter(owner=cast.rep).first() or make_renewal(owner=cast.rep)).pk


def contact(cast: Cast) -> int:
    account_id = Renewal.objects.get(pk=renewal(cast)).account_id
    return Contact.objects.get_or_create(account_id=account_id, name="Ana", email="ana@example.com")[0].pk


def proposal(cast: Cast) -> int:
    row = Renewal.objects.get(pk=renewal(cast))
    template = MailTemplate.objects.get(name="Renewal notice")
    values = {"state": "proposed", "account": row.account, "template": template, "notice_for_on": row.decision_on}
    return CustomerMail.objects.get_or_create(renewal=row, defaults=values)[0].pk


def sent(state: str) -> Callable[[Cast], int]:
    def made(cast: Cast) -> int:
        mail = send_mail_to_customer(
            user=cast.rep, renewal_id=renewal(cast), contact_ids=[contact(cast)], subject="Hello", text="Text",
            key="once", now=timezone.now(),
        )  # fmt: skip
        OutgoingMail.objects.filter(pk=mail.outgoing_id).update(state=state)
        return mail.pk

    return made


def template(cast: Cast) -> int:
    return MailTemplate.objects.get(name="Renewal notice").pk


LETTER = {"to": contact, "subject": "Hello", "text": "Text", "key": "k1"}
TEMPLATE = {"name": "New", "subject": "Hello {account.name}", "text": "Text", "is_active": "on"}
NOTICES = {"is_on": "on", "days_before": "30", "template": template}
ROWS = [
    Row("mail:list", everybody(200)),
    Row("mail:list", everybody(405), method="post"),
    Row("mail:of_renewal", READERS, kwargs={"renewal_id": renewal}),
    Row("mail:of_renewal", everybody(404), kwargs={"renewal_id": 999_999_999}),
    Row("mail:write", EDITORS, kwargs={"renewal_id": renewal}),
    Row("mail:write", WRITERS, kwargs={"renewal_id": renewal}, method="post", data=LETTER | {"step": "send"}),
    Row("mail:write", EDITORS, kwargs={"renewal_id": renewal}, method="post", data=LETTER | {"step": "preview"}),
    Row("mail:write", INVALID, kwargs={"renewal_id": renewal}, method="post", data=LETTER | {"to": "999999999"}),
    Row("mail:write", everybody(404), kwargs={"renewal_id": 999_999_999}),
    Row("mail:dismiss", WRITERS, kwargs={"pk": proposal}, method="post"),
    Row("mail:dismiss", everybody(405), kwargs={"pk": proposal}),
    Row("mail:cancel", WRITERS, kwargs={"pk": sent("waiting")}, method="post"),
    Row("mail:cancel", everybody(404), kwargs={"pk": 999_999_999}, method="post"),
    Row("mail:retry", WRITERS, kwargs={"pk": sent("failed")}, method="post"),
    Row("mail:retry", everybody(405), kwargs={"pk": sent("failed")}),
    Row("mail:rules", ADMIN),
    Row("mail:notices", ADMIN),
    Row("mail:notices", only("admin", status=302), method="post", data=NOTICES),
    Row("mail:notices", only("admin", status=422), method="post", data=NOTICES | {"days_before": "0"}),
    Row("mail:new_template", ADMIN),
    Row("mail:new_template", only("admin", status=302), method="post", data=TEMPLATE),
    Row("mail:new_template", only("admin", status=422), method="post", data=TEMPLATE | {"text": "{account.secret}"}),
    Row("mail:edit_template", ADMIN, kwargs={"pk": template}),
    Row("mail:edit_template", only("admin", status=302), kwargs={"pk": template}, method="post", data=TEMPLATE),
    Row("mail:edit_template", everybody(403, admin=404), kwargs={"pk": 999_999_999}),
]

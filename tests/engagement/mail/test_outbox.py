"""What is let into the outbox."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from engagement.mail.outbox import PNG_SIGNATURE as PNG
from engagement.mail.outbox import InlineImage, MailRefused, queue_mail
from engagement.models import OutgoingMail

GOOD = {"to": ["a@example.com"], "subject": "Hello", "text": "Text"}


@pytest.mark.django_db
def test_the_first_of_one_key_is_kept_and_given_back() -> None:
    first, second = queue_mail(**GOOD, dedup_key="k"), queue_mail(**{**GOOD, "subject": "Other"}, dedup_key="k")
    assert (first.pk, second.subject, OutgoingMail.objects.count()) == (second.pk, "Hello", 1)
    queue_mail(**GOOD)
    queue_mail(**GOOD)
    assert OutgoingMail.objects.count() == 3


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_at_once_of_one_key_are_one_mail() -> None:
    def queue() -> None:
        try:
            queue_mail(**GOOD, dedup_key="k")
        finally:
            connection.close()

    other = threading.Thread(target=queue)
    with transaction.atomic():
        queue_mail(**GOOD, dedup_key="k")
        other.start()
        other.join(0.3)
        assert other.is_alive()  # it waits for what we make of ours
    other.join(10)
    assert OutgoingMail.objects.count() == 1


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"to": []}, "to", "A mail needs somebody to go to."),
        ({"to": ["a@b.com\nBcc: c@b.com"]}, "to", "'a@b.com\\nBcc: c@b.com' is no mail address."),
        ({"to": ["nobody"]}, "to", "'nobody' is no mail address."),
        ({"to": [f"a{n}@example.com" for n in range(21)]}, "to", "A mail goes to at most 20 addresses, not 21."),
        ({"subject": "Hello\nBcc: b@example.com"}, "subject", "A subject is one line."),
        ({"subject": "Hello\u2028Bcc: b@example.com"}, "subject", "A subject is one line."),
        ({"subject": "Hello\r"}, "subject", "A subject is one line."),
        ({"subject": "  "}, "subject", "A mail needs a subject."),
        ({"subject": "x" * 201}, "subject", "A subject has at most 200 characters, not 201."),
        ({"text": " \n"}, "text", "A mail needs a text."),
        ({"text": "x" * 100_001}, "text", "A mail has at most 100,000 characters, not 100,001."),
        ({"text": "a\x00b"}, "text", "A mail cannot hold the character with the code 0."),
        ({"reply_to": "x\ny@example.com"}, "reply_to", "'x\\ny@example.com' is no mail address."),
        ({"sender": "Rhea\nBcc: b@example.com <a@example.com>"}, "sender", "A sender is one line."),
        ({"sender": "Rhea"}, "sender", "'Rhea' is no mail address."),
        ({"images": [InlineImage("a>b", PNG)]}, "images",
         "A picture is named by letters, digits and hyphens, not 'a>b'."),
        ({"images": [InlineImage("a", b"GIF89a")]}, "images", "The picture 'a' is no PNG."),
        ({"images": [InlineImage("a", PNG)] * 2}, "images", "Two pictures of a mail have the same name."),
        ({"images": [InlineImage("a", PNG + bytes(5 * 2**20))]}, "images",
         "The pictures of a mail have at most 5,242,880 bytes, not 5,242,888."),
    ],
)  # fmt: skip
def test_what_cannot_be_mailed_is_refused_with_its_reason(values: dict[str, object], field: str, message: str) -> None:
    with pytest.raises(MailRefused) as refused:
        queue_mail(**{**GOOD, **values})
    assert (refused.value.field, str(refused.value)) == (field, message)


@pytest.mark.django_db
def test_a_domain_beyond_ascii_is_written_as_servers_read_it() -> None:
    mail = queue_mail(**{**GOOD, "to": ["a@bücher.example", "a@bücher.example"]})
    assert mail.to == ["a@xn--bcher-kva.example"]

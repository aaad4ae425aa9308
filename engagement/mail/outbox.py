"""Putting mail into the outbox: a row in the caller's transaction, sent exactly if the rest is kept."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parseaddr

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.encoding import punycode

from accounts.models import User
from engagement.models import MailImage, OutgoingMail

SUBJECT_LENGTH = 200
TEXT_LENGTH = 100_000
MOST_RECIPIENTS = 20
# Of all pictures of a mail together; servers commonly refuse mails of 10 MB, and base64 takes a third more.
IMAGE_BYTES = 5 * 2**20
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class MailRefused(ValueError):
    """This cannot be mailed; the message says why, `field` names what is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class InlineImage:
    """A picture that the HTML of a mail shows by its `url`; `key` is letters, digits and hyphens."""

    key: str
    png: bytes

    @property
    def content_id(self) -> str:
        return f"{self.key}@perennial"

    @property
    def url(self) -> str:
        return f"cid:{self.content_id}"


def queue_mail(
    *,
    to: Sequence[str],
    subject: str,
    text: str,
    html: str = "",
    reply_to: str = "",
    sender: str = "",
    dedup_key: str = "",
    user: User | None = None,
    images: Sequence[InlineImage] = (),
) -> OutgoingMail:
    """Write a mail into the outbox; a beat task hands it to the mail server within seconds of the commit.

    Args:
        to: addresses without names; each sees the others.
        sender: as in From, with or without a name; blank is the installation's own address.
        dedup_key: of two mails with the same one, only the first is kept, and given back for both.
        user: on whose behalf; None for the installation's own.
        images: pictures that go with the HTML.

    Raises:
        MailRefused: an address is none, a line break stands where a header ends, it is too long or empty, or a picture
            is none.
    """
    mail = OutgoingMail(
        to=_checked_recipients(to),
        subject=_checked_subject(subject),
        text=_checked_text(text, html).replace("\r\n", "\n"),
        html=html,
        reply_to=_checked_address(reply_to, "reply_to") if reply_to else "",
        sender=_checked_sender(sender) if sender else "",
        message_id=f"<{uuid.uuid4()}@{_domain()}>",
        dedup_key=dedup_key,
        user=user,
    )
    _check_images(images)
    with transaction.atomic():
        if dedup_key:
            # Waits for somebody who queues the same at this moment, and then sees theirs.
            OutgoingMail.objects.bulk_create([mail], ignore_conflicts=True)
            kept = OutgoingMail.objects.get(dedup_key=dedup_key)
            if kept.message_id != mail.message_id:
                return kept
            mail = kept
        else:
            mail.save(force_insert=True)
        MailImage.objects.bulk_create(
            MailImage(mail=mail, content_id=one.content_id, name=f"{one.key}.png", content=one.png) for one in images
        )
    return mail


def _check_images(images: Sequence[InlineImage]) -> None:
    for one in images:
        if not one.key.isascii() or not one.key.replace("-", "").isalnum():
            raise MailRefused("images", f"A picture is named by letters, digits and hyphens, not {one.key!r}.")
        if not one.png.startswith(PNG_SIGNATURE):
            raise MailRefused("images", f"The picture {one.key!r} is no PNG.")
    if len({one.key for one in images}) < len(images):
        raise MailRefused("images", "Two pictures of a mail have the same name.")
    size = sum(len(one.png) for one in images)
    if size > IMAGE_BYTES:
        raise MailRefused("images", f"The pictures of a mail have at most {IMAGE_BYTES:,} bytes, not {size:,}.")


def _checked_recipients(to: Sequence[str]) -> list[str]:
    if not to:
        raise MailRefused("to", "A mail needs somebody to go to.")
    if len(to) > MOST_RECIPIENTS:
        raise MailRefused("to", f"A mail goes to at most {MOST_RECIPIENTS} addresses, not {len(to)}.")
    return list(dict.fromkeys(_checked_address(address, "to") for address in to))


def _checked_address(address: str, field: str) -> str:
    """As mail servers read it: a domain with letters beyond ASCII becomes its punycode."""
    name, at, domain = address.strip().rpartition("@")
    try:
        ascii_only = f"{name}{at}{punycode(domain)}"
        validate_email(ascii_only)
    except (ValidationError, UnicodeError):
        raise MailRefused(field, f"{address!r} is no mail address.") from None
    return ascii_only


def _checked_sender(sender: str) -> str:
    if _breaks_line(sender):
        raise MailRefused("sender", "A sender is one line.")
    _checked_address(parseaddr(sender)[1], "sender")
    return sender


def _checked_subject(subject: str) -> str:
    """Without it, a second line would become a header of its own."""
    if _breaks_line(subject):
        raise MailRefused("subject", "A subject is one line.")
    if not subject.strip():
        raise MailRefused("subject", "A mail needs a subject.")
    if len(subject) > SUBJECT_LENGTH:
        raise MailRefused("subject", f"A subject has at most {SUBJECT_LENGTH} characters, not {len(subject)}.")
    return subject.strip()


def _checked_text(text: str, html: str) -> str:
    if not text.strip():
        raise MailRefused("text", "A mail needs a text.")
    if "\x00" in text + html:
        raise MailRefused("text", "A mail cannot hold the character with the code 0.")
    if len(text) + len(html) > TEXT_LENGTH:
        raise MailRefused("text", f"A mail has at most {TEXT_LENGTH:,} characters, not {len(text) + len(html):,}.")
    return text


def _breaks_line(text: str) -> bool:
    """Any character that a mail program or server may take for the end of a line."""
    return len(text.splitlines()) > 1 or text != text.strip("\r\n\v\f\x1c\x1d\x1e\x85\u2028\u2029") or "\x00" in text


def _domain() -> str:
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"

"""Notes beside a renewal, and the people who are called to them by an @ before their name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from config.history import recorded_as
from renewals.forms import shown
from renewals.models import Mention, Note, Renewal

TEXT_LENGTH = 4000
# An @ at the start of a word: one inside an email address calls nobody.
CALL = re.compile(r"(?<![\w@.])@(?=\w)")
WORD = re.compile(r"[\w.'-]+")


class NoteRefused(ValueError):
    """The text cannot be a note; the message says why."""


@dataclass(frozen=True)
class Written:
    note: Note
    mentioned: list[User]
    ignored: list[str]  # what stood behind an @ and is nobody who could be told

    @property
    def message(self) -> str:
        told = f" {_names(self.mentioned)} will see it." if self.mentioned else ""
        ignored = ", ".join(f"@{name}" for name in self.ignored)
        return f"Note saved.{told}" + (
            f" Nobody was told for {ignored}: no such person sees this row." if ignored else ""
        )


def _names(people: Sequence[User]) -> str:
    return ", ".join(str(person) for person in people)


def readers_of(renewal: Renewal) -> QuerySet[User]:
    """The active people who may see a row: the other side of RenewalQuerySet.visible_to."""
    may_see = Q(role=User.Role.ADMIN) | Q(sees_whole_book=True)
    owner = renewal.owner
    if owner is not None:
        may_see |= Q(pk=owner.pk) if owner.team_id is None else Q(team_id=owner.team_id)
    return User.objects.filter(may_see, is_active=True).order_by("name", "pk")


def find_mentions(text: str, readers: Iterable[User]) -> tuple[list[User], list[str]]:
    """Whom a text calls, by name or by the part of the email before its @; and what calls nobody. Where one name
    begins with another, the longer one is meant; of two people with one name, neither is: their emails tell them apart.
    """
    by_call: dict[str, list[User]] = {}
    for reader in readers:
        for call in {reader.name.casefold(), reader.email.partition("@")[0].casefold()} - {""}:
            by_call.setdefault(call, []).append(reader)
    longest_first = sorted(by_call, key=len, reverse=True)
    found, ignored = dict[int, User](), dict[str, None]()
    folded = text.casefold() if len(text.casefold()) == len(text) else text.lower()
    for match in CALL.finditer(text):
        rest = folded[match.end() :]
        call = next((one for one in longest_first if rest.startswith(one) and not _goes_on(rest, len(one))), "")
        people = by_call.get(call, [])
        if len(people) == 1:
            found[people[0].pk] = people[0]
        else:
            ignored[call or WORD.match(text, match.end()).group()] = None  # type: ignore[union-attr]
    return list(found.values()), [shown(one) for one in ignored]


def _goes_on(rest: str, length: int) -> bool:
    return length < len(rest) and (rest[length].isalnum() or rest[length] == "_")


def may_write_notes(user: User) -> bool:
    """Whoever sees the row and works: a viewer looks only."""
    return user.role != User.Role.VIEWER


def may_delete(user: User, note: Note) -> bool:
    return user.is_admin or (note.author_id == user.pk and may_write_notes(user))


def write_note(*, renewal: Renewal, author: User, text: str) -> Written:
    if not may_write_notes(author):
        raise PermissionDenied("You may look, not write.")
    text = _cleaned(text)
    with transaction.atomic(), recorded_as(user_id=author.pk, how="page"):
        note = Note.objects.create(renewal=renewal, author=author, text=text)
        return _call(note, renewal)


def edit_note(*, note: Note, user: User, text: str) -> Written:
    """The author's own words stay the author's: nobody else edits them. Who was called before stays called."""
    if note.author_id != user.pk or not may_write_notes(user):
        raise PermissionDenied("Only its author edits a note.")
    text = _cleaned(text)
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        note = Note.objects.select_for_update().get(pk=note.pk)
        if text != note.text:
            note.text, note.edited_at = text, timezone.now()
            note.save(update_fields=["text", "edited_at"])
        return _call(note, note.renewal)


def delete_note(*, note: Note, user: User) -> None:
    """It goes from the page and stays in history."""
    if not may_delete(user, note):
        raise PermissionDenied("Only its author or an admin deletes a note.")
    with transaction.atomic(), recorded_as(user_id=user.pk, how="page"):
        note.delete()


def mark_read(*, user: User, note_id: int | None = None) -> int:
    """Of one note, or of all; how many were unread."""
    mine = Mention.objects.filter(user=user).unread()
    return (mine if note_id is None else mine.filter(note=note_id)).update(read_at=timezone.now())


def _cleaned(text: str) -> str:
    text = text.replace("\x00", "").replace("\r\n", "\n").strip()
    if not text:
        raise NoteRefused("A note needs a text.")
    if len(text) > TEXT_LENGTH:
        raise NoteRefused(f"A note has at most {TEXT_LENGTH:,} characters, not {len(text):,}.")
    return text


def _call(note: Note, renewal: Renewal) -> Written:
    found, ignored = find_mentions(note.text, readers_of(renewal))
    called = [person for person in found if person.pk != note.author_id]
    mentions = [Mention(note=note, user=person) for person in called]
    Mention.objects.bulk_create(mentions, ignore_conflicts=True)
    return Written(note, called, ignored)


def notes_of(renewal: Renewal) -> QuerySet[Note]:
    return Note.objects.filter(renewal=renewal).select_related("author").order_by("-made_at", "-pk")

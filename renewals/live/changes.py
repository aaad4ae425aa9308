"""Which rows of an open page are no longer as it shows them, and who made them so."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection

from accounts.models import User
from renewals.history.kinds import RENEWAL
from renewals.live.versions import DERIVED_VERSION, NEWEST_EVENT
from renewals.models import Renewal, RenewalQuerySet

MOST_ROWS = 200  # an open page asks about those on the screen and near it
MOST_NEW = 100  # counted; beyond it a page says "100+"
VERSION = re.compile(r"([0-9]{1,18})-([0-9]{1,18})-([0-9]{1,18})")
AUTHORS = f"""
SELECT DISTINCT ON (seen.id) seen.id, coalesce(u.name, 'Somebody'), e.pgh_created_at
FROM unnest(%s::bigint[], %s::bigint[]) AS seen (id, event)
JOIN {RENEWAL.event_table} e ON e.pgh_obj_id = seen.id AND e.pgh_id > seen.event
LEFT JOIN accounts_user u ON u.id = (e.pgh_context ->> 'user')::bigint
WHERE (e.pgh_context ->> 'user')::bigint IS DISTINCT FROM %s
ORDER BY seen.id, e.pgh_id DESC
"""


@dataclass(frozen=True)
class Version:
    event: int
    derived: int


@dataclass(frozen=True)
class Edit:
    """The newest change that somebody else made of a row since the page read it."""

    by: str
    at: dt.datetime


class UnreadableVersions(Exception):
    """The versions that a page sent are none."""


def read_versions(text: str) -> dict[int, Version]:
    """`12-340-981.13-0-981`: of each row its id, its newest event and the version of what is derived.

    Raises:
        UnreadableVersions: it reads otherwise, or has more rows than a page.
    """
    parts = text.split(".") if text else []
    if len(parts) > MOST_ROWS:
        raise UnreadableVersions(f"A look asks about at most {MOST_ROWS} rows, not {len(parts):,}.")
    versions = {}
    for place, part in enumerate(parts, 1):
        found = VERSION.fullmatch(part)
        if not found:
            raise UnreadableVersions(f"Version {place}: “{part[:60]}” is not a row, its event and its score.")
        pk, event, derived = map(int, found.groups())
        versions[pk] = Version(event, derived)
    return versions


def read_present(user: User, ids: list[int]) -> dict[int, Version]:
    """The versions of those of these rows that the user may see; of the others nothing is told. One statement."""
    rows = Renewal.objects.visible_to(user).filter(pk__in=ids).order_by()
    found = rows.annotate(event=NEWEST_EVENT, derived=DERIVED_VERSION).values_list("pk", "event", "derived")
    return {pk: Version(event, derived) for pk, event, derived in found}


def read_edits(user: User, seen: Mapping[int, Version]) -> dict[int, Edit]:
    """Of these rows, those that somebody else wrote in since the version that was seen."""
    with connection.cursor() as cursor:
        cursor.execute(AUTHORS, [list(seen), [version.event for version in seen.values()], user.pk])
        return {pk: Edit(by, at) for pk, by, at in cursor.fetchall()}


def count_new(matching: RenewalQuerySet, since: int) -> int:
    """How many of the rows made after the one with this id match, up to MOST_NEW."""
    return matching.filter(pk__gt=since).order_by()[:MOST_NEW].count()


def newest_id() -> int:
    """The id of the newest row of the book; where a page begins to look for new ones."""
    return Renewal.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

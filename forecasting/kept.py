"""What was set of a page, kept by the process under a key that changes with everything that it was made of.

Names (of segments, teams, accounts) are no part of a key: after a change of one the old name is shown for at most
KEPT_SECONDS.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final

from django.db import connection
from django.utils.safestring import SafeString

from accounts.models import User
from forecasting.models import MrrRollUp

KEPT_SECONDS: Final = 30
MOST_CHARACTERS: Final = 32 * 2**20

_kept: OrderedDict[Hashable, tuple[float, SafeString]] = OrderedDict()  # the newest at the end
_lock: Final = Lock()


def kept(key: Hashable, make: Callable[[], SafeString]) -> SafeString:
    """What is kept under a key, or what `make` makes, which is kept then."""
    key, now = (connection.settings_dict["NAME"], key), time.monotonic()
    with _lock:
        found = _kept.get(key)
        if found is not None and now - found[0] <= KEPT_SECONDS:
            return found[1]
    made = make()
    with _lock:
        _kept[key] = (now, made)
        _kept.move_to_end(key)
        for other in [other for other, (at, _) in _kept.items() if now - at > KEPT_SECONDS]:
            del _kept[other]
        while sum(len(text) for _, text in _kept.values()) > MOST_CHARACTERS:
            _kept.popitem(last=False)
    return made


def forget() -> None:
    """Let go of everything: the next page is set anew."""
    with _lock:
        _kept.clear()


def audience_of(user: User) -> Hashable:
    """People of one audience see the same rows (docs/architecture.md section 5)."""
    return "all" if user.sees_all else f"team {user.team_id}" if user.team_id else user.pk


def version_of_recurring() -> Hashable:
    """Changes with every movement of recurring revenue: their roll-up is dated anew by whoever changes any."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT run_id, rolled_up_at FROM {MrrRollUp._meta.db_table} ORDER BY id LIMIT 1")
        found: Hashable = cursor.fetchone()
    return found

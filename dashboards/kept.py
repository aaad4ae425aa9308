"""What was set of a dashboard, kept by the process while nothing under it changes.

Drawing eight charts takes twenty times what reading their sums does. Names (of segments, teams, accounts) are no part
of the version: after a change of one the old name is shown for at most KEPT_SECONDS.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final

from django.db import connection
from django.db.models import Max
from django.utils.safestring import SafeString

from dashboards.models import RollUp
from forecasting.models import MrrLine, MrrRollUp

KEPT_SECONDS: Final = 30
MOST_CHARACTERS: Final = 32 * 2**20

_kept: OrderedDict[Hashable, tuple[float, SafeString]] = OrderedDict()  # the newest at the end
_lock: Final = Lock()


def version(roll_up: RollUp) -> Hashable:
    """Changes with every sum that a dashboard is read from: cells, and movements of recurring revenue."""
    recurring = MrrRollUp.objects.values_list("run_id", "rolled_up_at").first()
    newest_line = MrrLine.objects.aggregate(newest=Max("pk"))["newest"]
    name = connection.settings_dict["NAME"]
    return (name, roll_up.run_id, roll_up.rolled_up_at, recurring, newest_line)


def kept(key: Hashable, make: Callable[[], SafeString]) -> SafeString:
    now = time.monotonic()
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

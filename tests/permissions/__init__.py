"""Who gets what answer from which address: a list of rows per part of the site, asked by tests/test_permissions.py."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.cast import Cast

ROLES = ("anonymous", "admin", "auditor", "manager", "rep", "team_mate", "viewer", "outsider", "other_manager")
SIGN_IN = 302  # for somebody anonymous a redirect always has to lead to the sign-in page

Value = Any | Callable[[Cast], Any]


@dataclass(frozen=True)
class Row:
    """One address, one method, and the status that each role gets.

    Values of `kwargs` and `data` may be callables that take the cast and make what the address is about: its pk, or the
    text a form would send. `expect` names every role; `everybody` and `only` write the usual ones.
    """

    name: str
    expect: dict[str, int]
    kwargs: dict[str, Value] = field(default_factory=dict)
    method: str = "get"
    data: dict[str, Value] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.method} {self.name}"


def everybody(status: int, *, anonymous: int = SIGN_IN, **others: int) -> dict[str, int]:
    """The same status for every role, but for the ones named."""
    return dict.fromkeys(ROLES, status) | {"anonymous": anonymous} | others


def only(*roles: str, status: int = 200, denied: int = 403, **others: int) -> dict[str, int]:
    """These roles get the status, every other one is denied, somebody anonymous is sent to sign in."""
    return everybody(denied, **dict.fromkeys(roles, status), **others)

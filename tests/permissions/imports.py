"""Imports are for admins and managers; a manager knows of the imports of their own team only."""

from typing import Any

from accounts.models import User
from renewals.imports.services import import_now, receive_file
from renewals.models import ImportBatch
from tests.cast import Cast
from tests.permissions import Row, only

MAPPING: dict[str, Any] = {"rows": "accounts", "account": {"external_id": "Account id", "name": "Account"}}
IMPORTERS = ("admin", "manager", "other_manager")
# An import that EMEA's manager asked for: the admin and that manager; another manager must not learn of it.
OF_THE_TEAM = ("admin", "manager")


def make_batch(user: User, *, is_checked: bool) -> ImportBatch:
    batch = receive_file(file_name="a.csv", chunks=[b"Account id,Account\nA1,Acme\n,\nA2,'=x\n"], user=user)
    if is_checked:
        import_now(batch=batch, mapping=MAPPING, name="Accounts", is_check=True, is_all_or_nothing=False)
    return batch


def uploaded(cast: Cast) -> int:
    return make_batch(cast.manager, is_checked=False).pk


def checked(cast: Cast) -> int:
    return make_batch(cast.manager, is_checked=True).pk


def team(status: int = 200, **others: int) -> dict[str, int]:
    return only(*OF_THE_TEAM, status=status, other_manager=404) | others


ROWS = [
    Row("imports:list", only(*IMPORTERS)),
    Row("imports:list", only(*IMPORTERS, status=422), method="post"),
    Row("imports:blank", only(*IMPORTERS), kwargs={"name": "contracts"}),
    Row("imports:blank", only(*IMPORTERS, status=404), kwargs={"name": "county_register"}),
    Row("imports:batch", team(), kwargs={"pk": uploaded}),
    Row("imports:batch", team(), kwargs={"pk": checked}),
    Row("imports:progress", team(), kwargs={"pk": checked}),
    Row("imports:mapping", team(302), kwargs={"pk": uploaded}, method="post", data={"mapping": "accounts"}),
    Row("imports:reading", team(302), kwargs={"pk": uploaded}, method="post", data={"header_row": "1"}),
    Row("imports:reading", team(422), kwargs={"pk": uploaded}, method="post", data={"header_row": "0"}),
    Row("imports:mapping", team(422), kwargs={"pk": uploaded}, method="post", data={"mapping": "nonsense"}),
    Row("imports:columns", team(manager=403), kwargs={"pk": uploaded}),
    Row(
        "imports:columns",
        team(302, manager=403),
        kwargs={"pk": uploaded},
        method="post",
        data={"column:account.external_id": "Account id"},
    ),
    Row("imports:confirm", team(302), kwargs={"pk": checked}, method="post", data={"mode": "good"}),
    Row("imports:confirm", team(422), kwargs={"pk": checked}, method="post"),
    Row("imports:confirm", team(409), kwargs={"pk": uploaded}, method="post", data={"mode": "good"}),
    Row("imports:cancel", team(302), kwargs={"pk": checked}, method="post"),
    Row("imports:findings", team(), kwargs={"pk": checked}),
    Row("imports:fix", team(), kwargs={"pk": checked}),
]

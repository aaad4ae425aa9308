"""Payments of an account: for those who see the account."""

from tests.cast import Cast, make_account
from tests.permissions import Row, everybody


def account(cast: Cast) -> int:
    return make_account(owner=cast.rep).pk


ROWS = [
    Row("payments:overview", everybody(200)),
    Row("payments:page", everybody(200, outsider=404, other_manager=404), kwargs={"pk": account}),
]

"""Support: everybody sees the accounts of their own scope."""

from tests.permissions import Row, everybody

ROWS = [Row("support:list", everybody(200))]

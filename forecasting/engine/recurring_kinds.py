"""What a movement of recurring revenue is called. Apart from its arithmetic, so that the models load no NumPy."""

from enum import IntEnum


class Kind(IntEnum):
    """Amounts are 0 or more; contraction and churn are taken off."""

    OPENING = 0
    NEW = 1
    EXPANSION = 2
    REACTIVATION = 3
    CONTRACTION = 4
    CHURN = 5


class State(IntEnum):
    ACTUAL = 0  # in effect on the day of the report
    COMMITTED = 1  # signed, in effect later
    EXPECTED = 2  # open: by probability

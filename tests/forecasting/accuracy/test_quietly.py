"""Work at a lower priority: in a thread of its own, which ends with it."""

import os
import sys
import threading

import pytest

from forecasting.accuracy.quietly import NICENESS, run_quietly


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux alone")
def test_the_work_steps_back_and_the_process_does_not() -> None:
    before, seen = niceness(), list[int]()
    run_quietly(lambda: seen.append(niceness()))
    assert seen == [min(before + NICENESS, 19)]
    assert niceness() == before


def test_what_the_work_raises_is_raised() -> None:
    def fail() -> None:
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        run_quietly(fail)

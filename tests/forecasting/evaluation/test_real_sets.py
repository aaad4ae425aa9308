"""The labelled sets of others; skipped where they are not. `make evaluate` judges all of them against every bar."""

import io
import json

import pytest
from django.core.management import call_command

from forecasting.management.commands.try_real import real_data

FOLDER = real_data() / "labelled"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the labelled sets are not at {FOLDER}; see PERENNIAL_REAL_DATA"
)


def evaluated(name, *arguments):
    answer = io.StringIO()
    call_command("evaluate", str(FOLDER / f"{name}.csv.gz"), *arguments, "--books=10", "--json", stdout=answer)
    return json.loads(answer.getvalue())


def test_a_set_without_a_signal_is_recognised():
    told = evaluated("saas_null", "--test=2024-03-31,2024-06-30,2024-09-30", "--segment=f_tier")
    for split in told["splits"]:
        assert split["is_signal"] is False
        assert split["reason"].startswith("The signals carry no information: the simple rate is used")
    assert abs(told["brier"] - told["base_brier"]) < 0.0005


def test_a_small_book_with_a_strong_signal():
    told = evaluated("saas_sample", "--random=0", "--history=200")
    assert told["splits"][0]["trained_count"] == 200
    assert told["skill"] > 0.15
    assert told["splits"][0]["is_signal"] is True

import csv
import io
import json

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from forecasting.engine.fitted import fit
from forecasting.engine.log_odds import expit
from forecasting.evaluation.files import read_labelled
from forecasting.management.commands import evaluate

FEW_BOOKS = "--books=20"


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """600 renewals in five quarters; usage matters."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("labelled") / "book.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "cohort", "amount", "y", "f_usage", "f_plan", "later"])
        for number in range(600):
            usage, plan = rng.normal(), rng.choice(["basic", "pro"])
            came = int(rng.random() < expit(1 + usage + (plan == "pro")))
            quarter = f"2024-0{1 + number % 5}"
            writer.writerow([number, quarter, round(rng.lognormal(7, 1), 2), came, round(usage, 4), plan, came])
    return path


def evaluated(*arguments):
    answer = io.StringIO()
    call_command("evaluate", *map(str, arguments), FEW_BOOKS, "--json", stdout=answer)
    return json.loads(answer.getvalue())


def test_a_cohort_is_forecast_from_older_ones_by_the_very_fit_of_the_product(book, tmp_path):
    out = tmp_path / "predictions.csv"
    told = evaluated(book, "--test=2024-05", "--segment=f_plan", "--out", out)
    file = read_labelled(book, ("f_plan",))
    older, newest = (np.flatnonzero(is_in) for is_in in (file.rows.cohorts < 4, file.rows.cohorts == 4))
    p = fit(file.rows.take(older)).likelihood(file.rows.take(newest))
    with out.open(encoding="utf-8") as written:
        rows = list(csv.DictReader(written))
    assert [float(row["p"]) for row in rows] == p.tolist()
    assert [row["cohort"] for row in rows] == ["2024-05"] * 120
    assert [int(row["y"]) for row in rows] == file.rows.is_renewed[newest].astype(int).tolist()
    assert [float(row["amount"]) for row in rows] == (file.amounts[newest] / 100).tolist()
    assert told["row_count"] == 120
    assert told["brier"] == pytest.approx(np.mean((p - file.rows.is_renewed[newest]) ** 2), abs=1e-6)
    assert told["skill"] > 0.05
    (split,) = told["splits"]
    assert (split["name"], split["trained_count"], split["is_signal"]) == ("2024-05", 480, True)
    assert split["reason"].startswith(("A logistic", "Half segment rates"))
    assert told["books"]["of 50"]["count"] == 20
    assert 0.5 < told["books"]["of 50"]["coverage"] <= 1.0
    assert told["books"]["of 200"]["count"] == 0
    assert told["books"]["of one segment"]["count"] == 2


def test_a_gap_leaves_cohorts_out(book):
    told = evaluated(book, "--test=2024-04,2024-05", "--gap=1")
    assert [(split["name"], split["trained_count"]) for split in told["splits"]] == [("2024-04", 240), ("2024-05", 360)]


def test_random_splits_are_the_same_each_time(book):
    told = evaluated(book, "--random=0,1")
    assert [split["name"] for split in told["splits"]] == ["seed 0", "seed 1"]
    assert [split["test_count"] for split in told["splits"]] == [180, 180]
    again = evaluated(book, "--random=0,1")
    assert told["brier"] == again["brier"]
    assert told["splits"][0]["brier"] != told["splits"][1]["brier"]


def test_a_small_history_is_drawn_several_times(book):
    told = evaluated(book, "--test=2024-05", "--history=50")
    assert [split["trained_count"] for split in told["splits"]] == [50] * 10
    assert told["row_count"] == 1_200
    once = evaluated(book, "--test=2024-05", "--history=50", "--draws=1")
    assert once["row_count"] == 120


def test_what_is_printed(book):
    answer = io.StringIO()
    call_command("evaluate", str(book), "--test=2024-05", FEW_BOOKS, stdout=answer)
    text = answer.getvalue()
    assert text.startswith("book.csv: 120 renewals forecast, ")
    for word in ("AUC", "Brier", "skill", "ECE", "error of the total", "P10 to P90 held", "learned on 480"):
        assert word in text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--test=2031-01",), r"cohort 2031-01 is not in book\.csv; it has 2024-01, 2024-02"),
        (
            ("--test=2024-05", "--segment=f_none"),
            r"segment f_none is not a column of book\.csv; it has f_usage, f_plan",
        ),
        ((), "one of the arguments --test --random is required"),
        (("--test=2024-05", "--random=1"), "not allowed with argument"),
        (
            ("--test=2024-01",),
            r"cohort 2024-01 has no cohort more than 0 before it to learn from: book\.csv begins with",
        ),
        (("--test=2024-03", "--gap=2"), "cohort 2024-03 has no cohort more than 2 before it"),
        (("--test=,",), "',' names nothing"),
        (("--test=2024-05", "--books=0"), "0 is not a whole number of 1 or more"),
        (("--test=2024-05", "--out=/nowhere/p.csv"), "/nowhere/p.csv cannot be written: /nowhere is no folder"),
        (("--test=2024-05", "--out=/tmp"), "/tmp cannot be written: it is a folder"),
        (("--test=2024-05", "--draws=2"), "--draws says how often --history draws: name both"),
        (("--test=2024-05,2024-05",), "--test names 2024-05 2 times"),
        (("--random=1,1",), "--random names 1 2 times"),
        (("--test=2024-05", "--gap=99999999999999999999"), "no cohort more than 99999999999999999999 before it"),
        (("--random=x",), "'x' is not a whole number of 0 or more"),
    ],
)
def test_what_is_wrong_is_named(book, arguments, told):
    with pytest.raises(CommandError, match=told):
        call_command("evaluate", str(book), *arguments)


def test_a_book_of_one_outcome_and_nothing_known_is_measured(tmp_path):
    path = tmp_path / "alike.csv"
    rows = [f"{number},{2020 + number % 3},0,1,,7,A{number}" for number in range(90)]
    path.write_text("\n".join(["id,cohort,amount,y,f_never,f_same,f_id", *rows]), encoding="utf-8")
    told = evaluated(path, "--test=2022")
    assert (told["auc"], told["total_error"], told["brier"] < 0.001) == (None, None, True)
    assert told["splits"][0]["reason"].startswith("All 60 decided renewals ended alike")
    assert evaluated(path, "--random=0", "--history=50")["splits"][0]["trained_count"] == 50


def test_nothing_is_written_where_writing_fails(book, tmp_path, monkeypatch):
    out = tmp_path / "predictions.csv"
    out.write_text("kept", encoding="utf-8")
    with pytest.raises(CommandError, match="it is the file that is read"):
        call_command("evaluate", str(book), "--test=2024-05", "--out", str(book))
    monkeypatch.setattr(evaluate, "_write_rows", _break_off)
    with pytest.raises(CommandError, match="No space left"):
        call_command("evaluate", str(book), "--test=2024-05", FEW_BOOKS, "--out", str(out))
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.csv"]
    assert out.read_text(encoding="utf-8") == "kept"


def _break_off(file, *_):
    file.write("cohort,amo")
    raise OSError(28, "No space left on device")


def test_what_was_read_otherwise_is_said(tmp_path):
    rng = np.random.default_rng(0)
    lines = ["id,cohort,amount,y,f_usage"]
    for number in range(100):
        usage = "broken" if number == 7 else f"{rng.normal():.3f}"
        lines.append(f"{number},{'old' if number < 60 else 'young'},{10 ** (number % 16)},{number % 2},{usage}")
    path = tmp_path / "book.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    told = evaluated(path, "--test=young")
    assert told["cohorts"] == ["old", "young"]
    assert told["notes"] == [
        "the names of the cohorts tell no time: taken in this order: old, young",
        "f_usage: 1 of 100 values are no numbers and count as missing, such as 'broken'",
    ]
    answer = io.StringIO()
    call_command("evaluate", str(path), "--test=young", FEW_BOOKS, stdout=answer)
    assert "2 cohorts in this order: old, young\n  Note: the names of the cohorts" in answer.getvalue()

import gzip

import numpy as np
import pytest

from forecasting.engine.fitted import Categories, Numbers
from forecasting.evaluation.files import LabelledFileRejected, read_labelled

GOOD = (
    "id,cohort,amount,y,f_seats,f_plan,other\nA,2024-06,10.5,1,3,pro,9\nB,2024-03,20,0,,basic,8\nA,2024-09,5,1,4,,7\n"
)


def written(folder, text, name="book.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_becomes_rows(tmp_path):
    file = read_labelled(written(tmp_path, GOOD), ("f_plan",))
    assert file.cohorts == ("2024-03", "2024-06", "2024-09")
    assert file.amounts.tolist() == [1050, 2000, 500]
    assert file.rows.cohorts.tolist() == [1, 0, 2]
    assert file.rows.is_renewed.tolist() == [True, False, True]
    assert file.rows.accounts.tolist() == [0, 1, 0]
    assert list(file.rows.columns) == ["f_seats", "f_plan"]  # `other` is not known at the time
    seats, plan = file.rows.columns["f_seats"], file.rows.columns["f_plan"]
    assert isinstance(seats, Numbers)
    assert np.array_equal(seats.values, [3, np.nan, 4], equal_nan=True)
    assert isinstance(plan, Categories)
    assert (plan.codes.tolist(), plan.names) == ([0, 1, -1], ("pro", "basic"))


def test_a_packed_file_and_a_segment_of_numbers(tmp_path):
    path = tmp_path / "book.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(GOOD)
    seats = read_labelled(path, ("f_seats",)).rows.columns["f_seats"]
    assert (seats.codes.tolist(), seats.names) == ([0, -1, 1], ("3.0", "4.0"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.replace(",1,3,pro", ",2,3,pro"), "row 1: y 2 is not 0 or 1"),
        (GOOD.replace(",0,,basic", ",,,basic"), "row 2: y nan is not 0 or 1"),
        (GOOD.replace("2024-09,5,", "2024-09,-5,"), "row 3: amount -5.0 is not an amount of 0 or more"),
        (GOOD.replace("2024-09,5,", "2024-09,much,"), "row 3: amount much is not an amount of 0 or more"),
        (GOOD.replace("A,2024-06", "A,"), "row 1: cohort nan is blank"),
        (
            GOOD.replace("cohort", "quarter"),
            "book.csv has no column cohort; it needs id, cohort, amount, y and f_* columns",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, told):
    with pytest.raises(LabelledFileRejected) as refused:
        read_labelled(written(tmp_path, text))
    assert str(refused.value) == told


def test_a_segment_that_is_not_there(tmp_path):
    with pytest.raises(
        LabelledFileRejected, match=r"segment f_region is not a column of book\.csv; it has f_seats, f_plan"
    ):
        read_labelled(written(tmp_path, GOOD), ("f_region",))


def test_no_file(tmp_path):
    with pytest.raises(LabelledFileRejected, match=r"none\.csv cannot be read"):
        read_labelled(tmp_path / "none.csv")

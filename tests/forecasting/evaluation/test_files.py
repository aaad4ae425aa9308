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
        (GOOD.replace(",0,,basic", ",,,basic"), "row 2: y (blank) is not 0 or 1"),
        (GOOD.replace("2024-09,5,", "2024-09,-5,"), "row 3: amount -5.0 is not an amount of 0 to 1,000,000,000,000"),
        (GOOD.replace("2024-09,5,", "2024-09,much,"), "row 3: amount much is not an amount of 0 to 1,000,000,000,000"),
        (GOOD.replace("2024-09,5,", "2024-09,,"), "row 3: amount (blank) is not an amount of 0 to 1,000,000,000,000"),
        (GOOD.replace("2024-09,5,", "2024-09,inf,"), "row 3: amount inf is not an amount of 0 to 1,000,000,000,000"),
        (GOOD.replace("A,2024-06", "A,"), "row 1: cohort (blank) is not the name of a period"),
        (GOOD.splitlines()[0], "book.csv has no rows"),
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


@pytest.mark.parametrize("text", ["\ufeff" + GOOD, GOOD.replace("\n", "\r\n"), GOOD.replace("\n", "\r")])
def test_marks_and_line_ends_of_other_programs(tmp_path, text):
    path = tmp_path / "book.csv"
    path.write_bytes(text.encode())
    file = read_labelled(path)
    assert (file.cohorts, file.amounts.tolist()) == (("2024-03", "2024-06", "2024-09"), [1050, 2000, 500])


def test_quoted_commas_lines_and_numbers(tmp_path):
    text = 'id,cohort,amount,y,f_plan,f_seats\n"a, b",2024,"10.5","1","pro, ""plus""","3"\n"c\nd",2024,1,0,x,"4.5"\n'
    columns = read_labelled(written(tmp_path, text)).rows.columns
    assert columns["f_plan"].names == ('pro, "plus"', "x")
    assert columns["f_seats"].values.tolist() == [3.0, 4.5]


def test_cohorts_are_in_the_order_of_their_numbers_and_keep_their_names(tmp_path):
    names = ["2024-10", "2024-9", "2023-12", "007"]
    text = "id,cohort,amount,y\n" + "".join(f"{place},{name},1,0\n" for place, name in enumerate(names))
    file = read_labelled(written(tmp_path, text))
    assert file.cohorts == ("007", "2023-12", "2024-9", "2024-10")
    assert file.rows.cohorts.tolist() == [3, 2, 1, 0]


def test_a_date_is_a_number_of_days(tmp_path):
    text = "id,cohort,amount,y,f_start,f_word\n1,a,1,0,1970-01-03,1970-01-03\n2,a,1,1,,x\n"
    columns = read_labelled(written(tmp_path, text)).rows.columns
    assert np.array_equal(columns["f_start"].values, [2.0, np.nan], equal_nan=True)
    assert columns["f_word"].names == ("1970-01-03", "x")
    assert read_labelled(written(tmp_path, text), ("f_start",)).rows.columns["f_start"].names == ("1970-01-03",)

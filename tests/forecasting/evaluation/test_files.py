import gzip

import numpy as np
import pytest

from forecasting.engine.fitted import Categories, Numbers
from forecasting.evaluation.files import LabelledFileRejected, in_whole_units, read_labelled

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
    assert (seats.codes.tolist(), seats.names) == ([0, -1, 1], ("3", "4"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.replace(",1,3,pro", ",2,3,pro"), "row 1: y 2 is not 0 or 1"),
        (GOOD.replace(",0,,basic", ",,,basic"), "row 2: y (blank) is not 0 or 1"),
        (GOOD.replace("2024-09,5,", "2024-09,-5,"), "row 3: amount -5 is not an amount of 0 to 1,000,000,000,000,000"),
        (
            GOOD.replace("2024-09,5,", "2024-09,much,"),
            "row 3: amount much is not an amount of 0 to 1,000,000,000,000,000",
        ),
        (
            GOOD.replace("2024-09,5,", "2024-09,,"),
            "row 3: amount (blank) is not an amount of 0 to 1,000,000,000,000,000",
        ),
        (
            GOOD.replace("2024-09,5,", "2024-09,inf,"),
            "row 3: amount inf is not an amount of 0 to 1,000,000,000,000,000",
        ),
        (GOOD.replace("A,2024-06", "A,"), "row 1: cohort (blank) is not the name of a period"),
        (GOOD.splitlines()[0], "book.csv has no rows"),
        (
            GOOD.replace("cohort", "quarter"),
            "book.csv has no column cohort; it needs id, cohort, amount, y and f_* columns, separated by commas, "
            "and has id, quarter, amount, y, f_seats, f_plan, other",
        ),
        (
            GOOD.replace("2024-09,5,", "2024-09,1e16,"),
            "row 3: amount 1e16 is not an amount of 0 to 1,000,000,000,000,000",
        ),
        (GOOD.replace("f_plan", "f_seats"), "book.csv has 2 columns f_seats: which one is meant?"),
        (GOOD.replace("2024-06,10.5,1,3,pro,9", "2024-06"), "row 1: y (blank) is not 0 or 1"),
        (GOOD.replace("pro,9", "pro,9,9"), "book.csv row 1: more fields than the heading has names"),
        (
            GOOD.replace("-", "/")
            .replace("2024/06", "3/4/24")
            .replace("2024/03", "5/3/24")
            .replace("2024/09", "1/9/24"),
            "cohorts such as 1/9/24 can be read in two ways: write 2024-03 or 2024-03-31",
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


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (gzip.compress(GOOD.encode(), mtime=0)[:40], "Compressed file ended"),
        (GOOD.replace("pro", "prö").encode("latin-1"), "it is not in UTF-8"),
        ((GOOD + '"D,2024-06,1,1,1,x,1\n').encode(), "EOF inside string"),
        ((GOOD + "D,2024-06,1,1,1,x,1,2,3\n").encode(), "Expected 7 fields in line 5, saw 9"),
        (b"", "has no column id"),
        (GOOD.replace(",", ";").encode(), "separated by commas, and has id;cohort;amount;y;"),
    ],
)
def test_what_is_no_csv_is_refused(tmp_path, content, told):
    path = tmp_path / "book.csv"
    path.write_bytes(content)
    with pytest.raises(LabelledFileRejected, match=told):
        read_labelled(path)


def test_a_packed_file_is_known_by_its_content(tmp_path):
    path = tmp_path / "book.csv"
    path.write_bytes(gzip.compress(GOOD.encode(), mtime=0))
    assert read_labelled(path).amounts.tolist() == [1050, 2000, 500]


def test_outcomes_as_words_and_rows_without_an_account(tmp_path):
    text = "id,cohort,amount,y\n,2024,1,TRUE\nA,2024,1,false\n ,2024,1,1\nA,2024,1,0\n"
    rows = read_labelled(written(tmp_path, text)).rows
    assert rows.is_renewed.tolist() == [True, False, True, False]
    assert np.unique(rows.accounts, return_index=True)[1].tolist() == [1, 0, 2]  # A once, the blank ones apart


@pytest.mark.parametrize(
    ("amounts", "units", "scale"),
    [
        ([10.5, 0, 3.01], [1050, 0, 301], 100.0),
        ([0, 0], [0, 0], 100.0),
        ([0.001, 0.0025], [1_000_000_000, 2_500_000_000], 1e12),
        ([1e15, 1e15, 5], [10**15, 10**15, 5], 1.0),
        ([1e15] * 10, [10**14] * 10, 0.1),
    ],
)
def test_amounts_of_any_size_become_whole_units(amounts, units, scale):
    found, by = in_whole_units(np.array(amounts))
    assert (found.tolist(), by) == (units, scale)


def test_a_segment_of_many_numbers_is_a_number_too(tmp_path):
    text = "id,cohort,amount,y,f_age\n" + "".join(f"{n},2024,1,0,{n / 8}\n" for n in range(20))
    rows = read_labelled(written(tmp_path, text), ("f_age",)).rows
    assert rows.segments == ("f_age as a segment",)
    assert isinstance(rows.columns["f_age"], Numbers)
    assert len(rows.columns["f_age as a segment"].names) == 20


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

"""Values through the COPY protocol: what PostgreSQL holds is what NumPy gets, whatever shares a word with it."""

import numpy as np
import pytest
from django.db import connection

from forecasting.engine.arrays import NO_DAY
from forecasting.frames import (
    Column,
    copy_in_rows,
    copy_out,
    encode_rows,
    encoded_field,
    encoded_rows,
)

pytestmark = pytest.mark.django_db


def read(*columns: tuple[str, str], source: str = "(VALUES (1)) one") -> dict[str, list[object]]:
    with connection.cursor() as cursor:
        found = copy_out(cursor, [Column(f"c{place}", *column) for place, column in enumerate(columns)], source)
    return {name: values.tolist() for name, values in found.items()}


@pytest.mark.parametrize("second", [-(2**31), -1, 0, 1, 2**31 - 1])
@pytest.mark.parametrize("first", [-(2**31), -1, 0, 2**31 - 1])
def test_two_numbers_in_a_word_keep_their_signs(first: int, second: int) -> None:
    assert read(("int4", str(first)), ("small_id", str(second))) == {"c0": [first], "c1": [second]}


def test_small_numbers_of_any_mix_come_back_as_they_were() -> None:
    kinds = ("int2", "int4", "int2", "int8", "bool", "int2", "float8", "int4", "bool", "int2", "float4")
    values = ("-32768", "-7", "32767", "-9000000000", "TRUE", "-1", "0.1", "2147483647", "FALSE", "5", "0.5")
    found = read(*zip(kinds, values, strict=True))
    assert [column for (column,) in found.values()] == [
        -32768, -7, 32767, -9_000_000_000, True, -1, 0.1, 2147483647, False, 5, 0.5
    ]  # fmt: skip


def test_days_and_counts_know_what_is_blank() -> None:
    source = (
        "(VALUES (DATE '1970-01-02', 3, true), ('1969-12-31', 0, false), ('9999-12-31', NULL, NULL), (NULL, 7, NULL))"
    )
    found = read(("date", "d"), ("count", "n"), ("count", "f"), source=f"{source} v (d, n, f)")
    assert found["c0"] == [1, -1, 2_932_896, NO_DAY]
    np.testing.assert_array_equal(found["c1"], [3, 0, np.nan, 7])
    np.testing.assert_array_equal(found["c2"], [1, 0, np.nan, np.nan])


@pytest.mark.parametrize("beside", ["int4", "int8"])
def test_null_is_an_error_that_names_the_columns(beside: str) -> None:
    with pytest.raises(ValueError, match="holds NULL: c0, c1"):
        read(("int4", "NULL"), (beside, "1"))


def test_arrays_of_a_size_come_back_as_rows_of_a_matrix() -> None:
    columns = [
        Column("a", "int2", "n"),
        Column("b", "int8", "ARRAY[n, -n, 9000000000]::int8[]", size=3),
        Column("c", "int4", "7"),
    ]
    with connection.cursor() as cursor:
        found = copy_out(cursor, columns, "generate_series(1, 2) AS n")
        assert {name: values.tolist() for name, values in found.items()} == {
            "a": [1, 2],
            "b": [[1, -1, 9_000_000_000], [2, -2, 9_000_000_000]],
            "c": [7, 7],
        }
        assert copy_out(cursor, columns, "generate_series(1, 0) AS n")["b"].shape == (0, 3)
        with pytest.raises(ValueError, match="holds NULL"):
            copy_out(cursor, [Column("b", "int8", "ARRAY[1, NULL]::int8[]", size=2)], "(VALUES (1)) one")


def test_number_that_does_not_fit_is_refused_by_the_database() -> None:
    with pytest.raises(Exception, match="integer out of range"):
        read(("small_id", "3000000000"), ("int4", "1"))


def test_parameters_follow_their_columns_wherever_these_travel() -> None:
    columns = [Column("a", "int2", "%s", (1,)), Column("b", "int8", "%s", (2,)), Column("c", "int4", "%s", (3,))]
    with connection.cursor() as cursor:
        found = copy_out(cursor, columns, "generate_series(1, %s)", [2])
    assert {name: values.tolist() for name, values in found.items()} == {"a": [1, 1], "b": [2, 2], "c": [3, 3]}


def test_field_of_encoded_rows_is_read_and_written_where_it_lies() -> None:
    arrays = {"a": np.arange(5, 8), "b": np.ones((3, 2), dtype=np.int16), "c": np.array([1, 2, 3], dtype=np.int32)}
    rows = memoryview(bytearray(encode_rows(arrays)))
    assert encoded_field(rows, 0, np.dtype(np.int64)).tolist() == [5, 6, 7]
    encoded_field(rows, 2, np.dtype(np.int32))[:] += 10
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE encoded (a bigint, b smallint[], c int)")
        copy_in_rows(cursor, "encoded", ("a", "b", "c"), encoded_rows(rows)[[0, 2]].tobytes())
        cursor.execute("SELECT * FROM encoded")
        assert cursor.fetchall() == [(5, [1, 1], 11), (7, [1, 1], 13)]

"""PostgreSQL's binary COPY format, read and written as NumPy arrays.

Every column has a fixed width and no NULL (the query coalesces them), so a whole result is one structured array and no
value passes through Python. Format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".

What takes PostgreSQL's time is the number of fields, not of bytes: small numbers therefore travel by two to four in one
bigint. Its bytes are those of the numbers side by side, so NumPy reads them as if they had come alone.
"""

import struct
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from forecasting.engine.arrays import NO_DAY, Integers

Arrays: TypeAlias = dict[str, NDArray[Any]]

HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER: Final = b"\xff\xff"
INT2_OID: Final = 21
WORD_BYTES: Final = 8


class Kind(NamedTuple):
    """How a value travels (`wire`, made by `cast` from a column's SQL), and what it is in memory."""

    wire: str
    native: type[np.generic]
    cast: str


KINDS: Final = {
    "int2": Kind(">i2", np.int16, "({})::int2"),
    "int4": Kind(">i4", np.int32, "({})::int4"),
    "int8": Kind(">i8", np.int64, "({})::int8"),
    "float4": Kind(">f4", np.float32, "({})::float4"),
    "float8": Kind(">f8", np.float64, "({})::float8"),
    # Ids of what a company has few of (owners, stages, segments); PostgreSQL refuses one that does not fit.
    "small_id": Kind(">i4", np.int64, "({})::int4"),
    # Days since 1970-01-01, as the engine counts them; NULL becomes NO_DAY.
    "date": Kind(">i4", np.int32, f"COALESCE(({{}}) - DATE '1970-01-01', {NO_DAY})"),
    # A number of things, which may be unknown: NULL becomes NaN.
    "count": Kind(">i4", np.float32, "COALESCE(({})::int4, -1)"),
    "bool": Kind(">i2", np.bool_, "({})::int4"),
}


class Column(NamedTuple):
    """`kind` is a key of KINDS; `sql` yields that type and never NULL, but for the kinds that say what it becomes.

    With a `size` it yields arrays of so many of that type, none of them NULL, as they are.
    """

    name: str
    kind: str
    sql: str
    parameters: tuple[object, ...] = ()
    size: int = 0

    @property
    def wire(self) -> np.dtype[Any]:
        wire = np.dtype(KINDS[self.kind].wire)
        return _array(self.size, wire) if self.size else wire

    @property
    def is_small(self) -> bool:
        return self.wire.kind == "i" and self.wire.itemsize < WORD_BYTES

    @property
    def value(self) -> str:
        return self.sql if self.size else KINDS[self.kind].cast.format(self.sql)


def copy_out(cursor: Any, columns: Sequence[Column], source: str, parameters: Sequence[object] = ()) -> Arrays:
    """One contiguous array per column of `SELECT columns FROM source`, in the type of its kind; [rows, size] of arrays.

    `source` is everything after FROM; `parameters` fill its placeholders. Raises ValueError when a value was NULL.
    """
    words = _words(columns)
    select = ", ".join(_word_sql(word) for word in words)
    values = [value for word in words for column in word for value in column.parameters]
    query = cursor.mogrify(f"SELECT {select} FROM {source}", [*values, *parameters]).decode()
    buffer = BytesIO()
    cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", buffer)
    wire = np.dtype(
        [("field_count", ">i2"), *(field for place, word in enumerate(words) for field in _wire(place, word))]
    )
    size = buffer.tell() - len(HEADER) - len(TRAILER)
    rows = np.frombuffer(buffer.getbuffer(), dtype=wire, count=size // wire.itemsize, offset=len(HEADER))
    if size % wire.itemsize or (rows["field_count"] != len(words)).any():
        raise ValueError(f"A column of {source} holds NULL: {', '.join(column.name for column in columns)}")
    held = {one.name: rows[one.name]["elements"]["value"] if one.size else rows[one.name] for one in columns}
    return {column.name: native(held[column.name], column.kind) for column in columns}


def _words(columns: Sequence[Column]) -> list[list[Column]]:
    """The fields of a row: small numbers share a word as long as it has room, the larger ones first."""
    words = [[column] for column in columns if not column.is_small]
    shared: list[list[Column]] = []
    for column in sorted((column for column in columns if column.is_small), key=lambda column: -column.wire.itemsize):
        for word in shared:
            if sum(other.wire.itemsize for other in word) + column.wire.itemsize <= WORD_BYTES:
                word.append(column)
                break
        else:
            shared.append([column])
    return words + shared


def _word_sql(word: Sequence[Column]) -> str:
    """The bigint of several columns, the first in its highest bits; a column by itself as it is."""
    if len(word) == 1:
        column = word[0]
        return f"({column.value})::int{column.wire.itemsize}" if column.is_small else column.value
    shift = 8 * WORD_BYTES
    parts: list[str] = []
    for column in word:
        bits = 8 * column.wire.itemsize
        shift -= bits
        value = f"({column.value})::int8"
        if parts:  # without the sign, which would fill the bits of those before it
            value = f"({value} & {(1 << bits) - 1})"
        parts.append(f"({value} << {shift})" if shift else value)
    return f"({' | '.join(parts)})"


def _wire(place: int, word: Sequence[Column]) -> list[tuple[str, Any]]:
    fields: list[tuple[str, Any]] = [(f"length {place}", ">i4"), *((column.name, column.wire) for column in word)]
    unused = WORD_BYTES - sum(column.wire.itemsize for column in word)
    return [*fields, (f"unused {place}", f"V{unused}")] if unused and len(word) > 1 else fields


def native(values: NDArray[Any], kind: str) -> NDArray[Any]:
    """What travelled, as it is in memory."""
    held = values.astype(KINDS[kind].native)
    if kind == "count":
        held[held < 0] = np.nan
    return held


def copy_in(cursor: Any, table: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Append n rows to a table; each array's dtype must be its column's type, an int16[n, k] becomes smallint[]."""
    copy_in_rows(cursor, table, tuple(arrays), encode_rows(arrays))


def encode_rows(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """n rows as they travel, for `copy_in_rows`."""
    count = len(next(iter(arrays.values())))
    fields: list[Any] = [("field_count", ">i2")]
    for name, values in arrays.items():
        fields.append((f"{name}.length", ">i4"))
        wire = values.dtype.newbyteorder(">")
        fields.append((name, _array(values.shape[1], wire) if values.ndim == 2 else wire))
    rows = np.zeros(count, dtype=np.dtype(fields))
    rows["field_count"] = len(arrays)
    for name, values in arrays.items():
        rows[f"{name}.length"] = rows.dtype[name].itemsize
        if values.ndim == 2:
            _fill_smallint_array(rows[name], values)
        else:
            rows[name] = values
    return rows.tobytes()


def encoded_rows(rows: memoryview) -> NDArray[Any]:
    """Encoded rows, which are all as wide as the first, one by one; they share the memory."""
    return np.frombuffer(rows, dtype=f"V{_field_places(rows)[-1]}")


def encoded_field(rows: memoryview, position: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """One field of encoded rows as an array that shares their memory: what is written to it is written to the rows."""
    *places, width = _field_places(rows)
    wire = dtype.newbyteorder(">")
    return np.ndarray(len(rows) // width, dtype=wire, buffer=rows, offset=places[position], strides=(width,))


def _field_places(rows: memoryview) -> list[int]:
    """Where each value of the first row begins, and last where the row ends."""
    place, (field_count,) = 2, struct.unpack_from(">h", rows)
    places = []
    for _ in range(field_count):
        places.append(place + 4)
        place += 4 + struct.unpack_from(">i", rows, place)[0]
    return [*places, place]


def copy_in_rows(
    cursor: Any, table: str, names: Sequence[str], rows: bytes | memoryview, *, is_frozen: bool = False
) -> None:
    """Append encoded rows, whose fields are the columns of these names, to a table.

    Frozen rows need no vacuum and no second look; the table must have been emptied in this very transaction.
    """
    content = BytesIO(b"".join((HEADER, rows, TRAILER)))
    options = "FORMAT binary, FREEZE" if is_frozen else "FORMAT binary"
    cursor.copy_expert(f"COPY {table} ({', '.join(names)}) FROM STDIN ({options})", content, size=1 << 20)


def copy_in_bytes(cursor: Any, table: str, rows: Sequence[Sequence[int | bytes]]) -> None:
    """Append rows of numbers and bytes to a table of bigint and bytea, without spelling the bytes out."""
    parts = [HEADER]
    for row in rows:
        parts.append(struct.pack(">h", len(row)))
        for value in row:
            content = struct.pack(">q", value) if isinstance(value, int) else value
            parts += [struct.pack(">i", len(content)), content]
    cursor.copy_expert(f"COPY {table} FROM STDIN (FORMAT binary)", BytesIO(b"".join([*parts, TRAILER])), size=1 << 20)


def copy_out_bytes(cursor: Any, query: str) -> memoryview:
    """The only value of a query, a bytea, without spelling the bytes out."""
    buffer = BytesIO()
    cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", buffer)
    before = len(HEADER) + struct.calcsize(">hi")
    return buffer.getbuffer()[before : buffer.tell() - len(TRAILER)]


def _array(width: int, wire: np.dtype[Any]) -> np.dtype[Any]:
    element = np.dtype([("length", ">i4"), ("value", wire)])
    head = [("dimensions", ">i4"), ("has_null", ">i4"), ("oid", ">i4"), ("size", ">i4"), ("first", ">i4")]
    return np.dtype([*head, ("elements", element, (width,))])


def _fill_smallint_array(target: NDArray[Any], values: Integers) -> None:
    target["dimensions"], target["oid"], target["size"], target["first"] = 1, INT2_OID, values.shape[1], 1
    target["elements"]["length"] = 2
    target["elements"]["value"] = values

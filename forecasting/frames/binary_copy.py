"""PostgreSQL's binary COPY format, read and written as NumPy arrays.

Every column has a fixed width and no NULL (the query coalesces them), so a whole result is one structured array and no
value passes through Python. Format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
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
# PostgreSQL counts days from 2000-01-01; the engine, as Unix does, from 1970-01-01.
DAYS_TO_2000: Final = 10_957

WIRE_TYPES: Final = {
    "int2": ">i2",
    "int4": ">i4",
    "int8": ">i8",
    "float4": ">f4",
    "float8": ">f8",
    "bool": ">i1",
    "date": ">i4",
}


class Column(NamedTuple):
    """`kind` is a key of WIRE_TYPES; `sql` yields that type and never NULL (for a date: '-infinity').

    With a `width` the column is an array of that many smallints, as int16[n, width].
    """

    name: str
    kind: str
    sql: str
    parameters: tuple[object, ...] = ()
    width: int = 0


def copy_out(cursor: Any, columns: Sequence[Column], source: str, parameters: Sequence[object] = ()) -> Arrays:
    """One contiguous array per column of `SELECT columns FROM source`. Dates are day numbers, '-infinity' is NO_DAY.

    `source` is everything after FROM; `parameters` fill its placeholders. Raises ValueError when a value was NULL.
    """
    select = ", ".join(f"({column.sql})::{column.kind}{'[]' if column.width else ''}" for column in columns)
    values = [value for column in columns for value in column.parameters] + list(parameters)
    query = cursor.mogrify(f"SELECT {select} FROM {source}", values).decode()
    buffer = BytesIO()
    cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", buffer)
    fields: list[Any] = [("field_count", ">i2")]
    for column in columns:
        wire_type = _smallint_array(column.width) if column.width else WIRE_TYPES[column.kind]
        fields += [(f"{column.name}.length", ">i4"), (column.name, wire_type)]
    wire = np.dtype(fields)
    size = buffer.tell() - len(HEADER) - len(TRAILER)
    rows = np.frombuffer(buffer.getbuffer(), dtype=wire, count=size // wire.itemsize, offset=len(HEADER))
    if size % wire.itemsize or (rows["field_count"] != len(columns)).any():
        raise ValueError(f"A column of {source} holds NULL or another width than {wire} expects")
    found = {column.name: rows[column.name] for column in columns}
    for column in columns:
        if column.width:
            found[column.name] = found[column.name]["elements"]["value"]
    return {column.name: _native(found[column.name], column.kind) for column in columns}


def _native(values: NDArray[Any], kind: str) -> NDArray[Any]:
    if kind == "bool":
        return values.astype(np.bool_)
    native = values.astype(values.dtype.newbyteorder("="))
    if kind == "date":
        native += np.where(native == NO_DAY, 0, DAYS_TO_2000).astype(np.int32)
    return native


def copy_in(cursor: Any, table: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Append n rows to a table; each array's dtype must be its column's type, an int16[n, k] becomes smallint[]."""
    count = len(next(iter(arrays.values())))
    fields: list[Any] = [("field_count", ">i2")]
    for name, values in arrays.items():
        fields.append((f"{name}.length", ">i4"))
        fields.append((name, _smallint_array(values.shape[1]) if values.ndim == 2 else values.dtype.newbyteorder(">")))
    wire = np.zeros(count, dtype=np.dtype(fields))
    wire["field_count"] = len(arrays)
    for name, values in arrays.items():
        wire[f"{name}.length"] = wire.dtype[name].itemsize
        if values.ndim == 2:
            _fill_smallint_array(wire[name], values)
        else:
            wire[name] = values
    names = ", ".join(arrays)
    content = BytesIO(b"".join((HEADER, wire.tobytes(), TRAILER)))
    cursor.copy_expert(f"COPY {table} ({names}) FROM STDIN (FORMAT binary)", content, size=1 << 20)


def copy_in_bytes(cursor: Any, table: str, key: int, content: bytes) -> None:
    """Append one row of a key and its bytes to a table (bigint, bytea), without spelling the bytes out."""
    head = HEADER + struct.pack(">hiqi", 2, 8, key, len(content))
    cursor.copy_expert(f"COPY {table} FROM STDIN (FORMAT binary)", BytesIO(head + content + TRAILER), size=1 << 20)


def _smallint_array(width: int) -> np.dtype[Any]:
    element = np.dtype([("length", ">i4"), ("value", ">i2")])
    head = [("dimensions", ">i4"), ("has_null", ">i4"), ("oid", ">i4"), ("size", ">i4"), ("first", ">i4")]
    return np.dtype([*head, ("elements", element, (width,))])


def _fill_smallint_array(target: NDArray[Any], values: Integers) -> None:
    target["dimensions"], target["oid"], target["size"], target["first"] = 1, INT2_OID, values.shape[1], 1
    target["elements"]["length"] = 2
    target["elements"]["value"] = values

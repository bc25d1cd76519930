"""FlatBuffers as described in `schema`: a reader that trusts nothing, and a writer.

A FlatBuffer is a root offset, and tables that point to a list of field positions (their vtable). The reader checks
every offset and length against the file before it follows it, copies nothing, and takes no memory that the file does
not itself occupy; a file that breaks a rule gives InputError, never another exception.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError

from .schema import FILE_IDENTIFIER, OPTIONS, TABLES

__all__ = ["Table", "read_root", "write_root"]

_MOST_TABLES = 20_000
_LONGEST_TEXT = 4096
_DTYPES = {code: np.dtype(f"<{code}") for code in ("i1", "u1", "i4", "u4", "i8", "u8", "f4")}
_BUFFER_ALIGNMENT = 16


class Table:
    """A table of the file, read field by field with `table[name]`.

    Scalars come as int or float, vectors of scalars as read-only numpy views, text as str, tables as Table, vectors
    of tables as a list; a vector, text or table that is absent as an empty one, "" or None.
    """

    def __init__(self, content: bytes, position: int, kind: str) -> None:
        self._content = content
        self._position = position
        self.kind = kind
        vtable = position - self._scalar(position, "i4")
        if not 0 <= vtable <= len(content) - 4:
            raise self._broken(f"its vtable lies at {vtable}")
        size = int(self._scalar(vtable, "u4")) & 0xFFFF
        if size < 4 or size % 2 or vtable + size > len(content):
            raise self._broken(f"its vtable claims {size} bytes")
        self._vtable = vtable
        self._slots = (size - 4) // 2

    def _broken(self, problem: str) -> InputError:
        where = f"table {self.kind} at byte {self._position}"
        return InputError(where, f"{problem}; the file has {len(self._content)} bytes", "The file is damaged")

    def _scalar(self, position: int, code: str) -> Any:
        dtype = _DTYPES[code]
        if not 0 <= position <= len(self._content) - dtype.itemsize:
            raise self._broken(f"points to byte {position}")
        return np.frombuffer(self._content, dtype, 1, position)[0].item()

    def _target(self, position: int) -> int:
        target = position + int(self._scalar(position, "u4"))
        if target > len(self._content) - 4:
            raise self._broken(f"points to byte {target}")
        return target

    def _length(self, vector: int, item_bytes: int, most: int) -> int:
        length = int(self._scalar(vector, "u4"))
        if length * item_bytes > len(self._content) - vector - 4 or length > most:
            raise self._broken(f"claims a vector of {length} items")
        return length

    def __getitem__(self, name: str) -> Any:
        field = TABLES[self.kind].get(name)
        if field is None:
            raise self._broken(f"is asked for {name}, which no {self.kind} has: an operator has options of another")
        offset = 0
        if field.slot < self._slots:
            slot = self._vtable + 4 + 2 * field.slot
            offset = int.from_bytes(self._content[slot : slot + 2], "little")
        kind = field.kind
        if kind in _DTYPES:
            return self._scalar(self._position + offset, kind) if offset else field.default
        if not offset:
            return [] if kind[0] == "[" and kind[1:-1] not in _DTYPES else self._absent(kind)
        target = self._target(self._position + offset)
        if kind == "text":
            length = self._length(target, 1, _LONGEST_TEXT)
            return self._content[target + 4 : target + 4 + length].decode("utf-8", "replace")
        if kind == "options":
            member = OPTIONS.get(self["builtin_options_type"])
            return Table(self._content, target, member) if member else None
        if kind[0] != "[":
            return Table(self._content, target, kind)
        item = kind[1:-1]
        if item in _DTYPES:
            dtype = _DTYPES[item]
            return np.frombuffer(self._content, dtype, self._length(target, dtype.itemsize, 2**31), target + 4)
        count = self._length(target, 4, _MOST_TABLES)
        return [Table(self._content, self._target(target + 4 + 4 * index), item) for index in range(count)]

    @staticmethod
    def _absent(kind: str) -> Any:
        if kind[0] == "[":
            return np.zeros(0, _DTYPES[kind[1:-1]])
        return "" if kind == "text" else None


def read_root(content: bytes) -> Table:
    """The root table of a .tflite file; InputError where it is not one."""
    if len(content) < 12 or content[4:8] != FILE_IDENTIFIER:
        raise InputError("header", f"no {FILE_IDENTIFIER.decode()} identifier in a file of {len(content)} bytes")
    (root,) = struct.unpack_from("<I", content)
    return Table(content, root, "Model")


def write_root(model: Mapping[str, Any]) -> bytes:
    """The bytes of a .tflite file whose root table holds these fields.

    Tables are dicts of fields, vectors of scalars numpy arrays or sequences, text str. The union `builtin_options` is
    written as the member that `builtin_options_type` names. Equal dicts give equal bytes.
    """
    from flatbuffers import Builder

    builder = Builder(4096)
    builder.Finish(_write_table(builder, "Model", model), FILE_IDENTIFIER)
    return bytes(builder.Output())


def _write_vector(builder: Any, item: str, values: npt.ArrayLike) -> int:
    array = np.ascontiguousarray(values, _DTYPES[item]).ravel()
    if item == "u1":
        builder.StartVector(1, array.size, _BUFFER_ALIGNMENT)
        builder.head -= array.size
        builder.Bytes[builder.head : builder.head + array.size] = array.tobytes()
        return int(builder.EndVector())
    return int(builder.CreateNumpyVector(array))


def _write_table(builder: Any, kind: str, values: Mapping[str, Any]) -> int:
    fields = TABLES[kind]
    offsets: dict[str, int] = {}
    for name, value in values.items():
        field_kind = fields[name].kind
        if field_kind == "options":
            offsets[name] = _write_table(builder, OPTIONS[int(values["builtin_options_type"])], value)
        elif field_kind == "text":
            offsets[name] = builder.CreateString(value)
        elif field_kind[0] == "[" and field_kind[1:-1] in _DTYPES:
            offsets[name] = _write_vector(builder, field_kind[1:-1], value)
        elif field_kind[0] == "[":
            offsets[name] = _write_tables(builder, field_kind[1:-1], value)
        elif field_kind not in _DTYPES:
            offsets[name] = _write_table(builder, field_kind, value)
    builder.StartObject(max((field.slot for field in fields.values()), default=-1) + 1)
    for name, value in values.items():
        field = fields[name]
        if name in offsets:
            builder.PrependUOffsetTRelativeSlot(field.slot, offsets[name], 0)
        else:
            _PREPEND[field.kind](builder, field.slot, value, field.default)
    return int(builder.EndObject())


def _write_tables(builder: Any, kind: str, tables: Sequence[Mapping[str, Any]]) -> int:
    offsets = [_write_table(builder, kind, table) for table in tables]
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


_PREPEND = {
    "i1": lambda builder, *slot: builder.PrependInt8Slot(*slot),
    "u1": lambda builder, *slot: builder.PrependUint8Slot(*slot),
    "i4": lambda builder, *slot: builder.PrependInt32Slot(*slot),
    "u4": lambda builder, *slot: builder.PrependUint32Slot(*slot),
    "u8": lambda builder, *slot: builder.PrependUint64Slot(*slot),
    "f4": lambda builder, *slot: builder.PrependFloat32Slot(*slot),
}

"""How much a protobuf message holds, counted before it is parsed.

An empty submessage takes two bytes in a file and about eighty in memory: a small file can fill any memory when a
protobuf library parses it. The library is called only after this has counted the fields.
"""

from __future__ import annotations

from typing import Any

from ...errors import InputError

__all__ = ["check_extent"]

_MOST_FIELDS = 200_000
_MOST_PACKED_BYTES = 2**26
_DEEPEST = 40


def check_extent(content: bytes, descriptor: Any, where: str) -> None:
    """Walk a message's wire format without building anything.

    Parameters
    ----------
    descriptor : the `Descriptor` of the message's type: says which fields are messages themselves.

    Raises
    ------
    InputError : the bytes are no such message, or it has too many fields, or nests too deep.
    """
    fields = packed = 0
    stack = [(0, len(content), descriptor, 0)]
    while stack:
        position, end, kind, depth = stack.pop()
        while position < end:
            key, position = _variable_integer(content, position, end, where)
            number, wire = key >> 3, key & 7
            fields += 1
            if fields > _MOST_FIELDS:
                raise InputError(where, f"holds more than {_MOST_FIELDS} protobuf fields")
            if wire == 0:
                _, position = _variable_integer(content, position, end, where)
            elif wire in (1, 5):
                position += 8 if wire == 1 else 4
            elif wire == 2:
                length, position = _variable_integer(content, position, end, where)
                field = kind.fields_by_number.get(number)
                if length > end - position:
                    raise InputError(
                        where, f"is not a whole ONNX file: a field of {length} bytes where {end - position} are left"
                    )
                if field is not None and field.message_type is not None:
                    if depth == _DEEPEST:
                        raise InputError(where, f"nests deeper than {_DEEPEST} protobuf messages")
                    stack.append((position, position + length, field.message_type, depth + 1))
                elif field is not None and field.type not in (field.TYPE_BYTES, field.TYPE_STRING):
                    packed += length
                    if packed > _MOST_PACKED_BYTES:
                        raise InputError(
                            where, f"holds more than {_MOST_PACKED_BYTES} bytes of numbers outside raw data"
                        )
                position += length
            else:
                raise InputError(where, "is not an ONNX file", "Export the model with torch.onnx.export")
            if number == 0 or position > end:
                raise InputError(where, "is not a whole ONNX file", "Export the model with torch.onnx.export")


def _variable_integer(content: bytes, position: int, end: int, where: str) -> tuple[int, int]:
    """An integer of up to ten bytes, seven bits each, and the position behind it."""
    value = shift = 0
    while position < end and shift < 70:
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise InputError(where, "is not a whole ONNX file", "Export the model with torch.onnx.export")

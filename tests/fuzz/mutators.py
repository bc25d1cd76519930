"""Damage that gets past the door: containers stay whole (lengths, CRCs, offsets), what they hold changes."""

from __future__ import annotations

import copy
import io
import json
import random
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

__all__ = ["JUNK", "bytes_of", "in_zip", "mutated", "protobuf", "safetensors", "text_of", "tree", "words"]

JUNK: list[Any] = [
    *(None, True, False, -1, 0, 1, 2, 7, 8, 9, 31, 32, 255, 256, 2**15, 2**16, 2**31 - 1, 2**31, 2**32, 2**62, 2**63),
    *(-(2**31), -(2**63), 2**64, 10**40, 0.5, -0.0, 1e300, 5e-324, float("nan"), float("inf"), "", "x", "input", "\0"),
    *("\x1b[31m", "../../etc/passwd", "é" * 200, "a" * 10_000, [], {}, [[]], [None], [1, 2, 3], [2**62] * 3, [-1]),
    *([[[[[[]]]]]], {"a": {"a": {}}}, ["input"], [True], [1.5]),
]
"""Values of the wrong kind, sign or size."""

_WORDS = (0, 1, 2, 3, 4, 7, 8, 16, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 2**31 - 1, 2**31, 2**32 - 1)


def bytes_of(content: bytes, chance: random.Random) -> bytes:
    """`content` with a few bytes flipped, cut, doubled, moved or overwritten."""
    result = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        if not result:
            break
        at, length = chance.randrange(len(result)), chance.randint(1, 8)
        kind = chance.randrange(7)
        if kind == 0:
            result[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            result[at : at + length] = chance.randbytes(length)
        elif kind == 2:
            del result[at : at + length]
        elif kind == 3:
            result[at:at] = result[at : at + length]
        elif kind == 4:
            result[at] = chance.choice((0, 0xFF, 0x7F, 0x80))
        elif kind == 5:
            other = chance.randrange(len(result))
            result[at : at + length] = result[other : other + length]
        elif chance.randrange(4) == 0:
            del result[at:]
    return bytes(result)


def words(content: bytes, chance: random.Random) -> bytes:
    """`content` with little-endian numbers of 2, 4 or 8 bytes replaced: offsets, lengths, counts."""
    result = bytearray(content)
    for _ in range(chance.randint(1, 3)):
        size = chance.choice((2, 4, 4, 4, 8))
        if len(result) < size:
            break
        at = chance.randrange(0, len(result) - size + 1, chance.choice((1, 2, 4)) if len(result) > 16 else 1)
        old = int.from_bytes(result[at : at + size], "little")
        new = chance.choice(
            (chance.choice(_WORDS), old + chance.randint(-9, 9), len(result), len(result) - at, old * 2)
        )
        result[at : at + size] = (new % 2 ** (8 * size)).to_bytes(size, "little")
    return bytes(result)


def text_of(text: str, chance: random.Random) -> str:
    """`text` with tokens replaced, doubled or removed."""
    marks = ["\0", '"', "'", ",", ";", "\t", "\n", "\r", "\ufeff", "nan", "inf", "1e999", "-", "²", "[", "]", "=", "{"]
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(text) + 1), chance.randint(0, 12)
        new = chance.choice([*marks, "9" * chance.choice((1, 30, 5000)), text[at : at + length] * 2, ""])
        text = text[:at] + new + text[at + length :]
    return text


def tree(structure: Any, chance: random.Random) -> Any:
    """A structure of dictionaries and lists with one to three places replaced, removed, doubled or exchanged."""
    result = copy.deepcopy(structure)
    for _ in range(chance.randint(1, 3)):
        place = _place(result, chance)
        if place is None:
            break
        holder, key = place
        kind = chance.randrange(6)
        if kind == 0:
            del holder[key]
        elif kind == 1 and isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        elif kind == 2:
            other = _place(result, chance)
            if other is not None:
                holder[key] = copy.deepcopy(other[0][other[1]])
        elif kind == 3 and type(holder[key]) in (int, float):
            holder[key] = chance.choice((holder[key] + 1, holder[key] - 1, -holder[key], holder[key] * 2))
        elif kind == 4 and isinstance(holder, dict):
            holder[chance.choice(("x", "", "input", "a" * 300))] = holder.pop(key)
        else:
            holder[key] = copy.deepcopy(chance.choice(JUNK))
    return result


def _place(structure: Any, chance: random.Random) -> tuple[Any, Any] | None:
    """A holder and a key or index in it, found by a walk down from the root; long lists of numbers weigh no more."""
    holder, key = None, None
    while isinstance(structure, (dict, list)) and structure:
        if holder is not None and chance.randrange(4) == 0:
            break
        holder = structure
        key = chance.choice(list(holder)) if isinstance(holder, dict) else chance.randrange(len(holder))
        structure = holder[key]
    return None if holder is None else (holder, key)


def json_text(content: bytes, chance: random.Random) -> bytes:
    """A JSON document, its structure changed; once in a while its text."""
    if chance.randrange(8) == 0:
        return text_of(content.decode("utf-8", "replace"), chance).encode("utf-8", "replace")
    if chance.randrange(40) == 0:
        return b"[" * 100_000
    try:
        structure = json.loads(content)
    except ValueError:  # an earlier change broke the text
        return bytes_of(content, chance)
    return json.dumps(tree(structure, chance)).encode()


def in_zip(content: bytes, chance: random.Random, change: Callable[[str, bytes, random.Random], bytes]) -> bytes:
    """A zip file with one or two members changed, and valid CRCs; or with members doubled, missing, packed, renamed."""
    with zipfile.ZipFile(io.BytesIO(content)) as source:
        members = [(info.filename, source.read(info)) for info in source.infolist()]
    method = zipfile.ZIP_STORED
    for _ in range(chance.randint(1, 2)):
        at = chance.randrange(len(members))
        name, inner = members[at]
        kind = chance.randrange(20)
        if kind == 0:
            members.append((name, inner))
        elif kind == 1 and len(members) > 1:
            del members[at]
        elif kind == 2:
            members[at] = (chance.choice(("x", "../x", "/x", "x/", name + "x", name.upper())), inner)
        elif kind == 3:
            other = chance.randrange(len(members))
            members[at] = (name, members[other][1])
        elif kind == 4:
            method = chance.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
        else:
            members[at] = (name, change(name, inner, chance))
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as target:
        warnings.simplefilter("ignore")
        for name, inner in members:
            target.writestr(name, inner)
    return buffer.getvalue()


def safetensors(content: bytes, chance: random.Random) -> bytes:
    """Header or numbers of a safetensors file changed, its length field right; JSON inside the metadata too."""
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    kind = chance.randrange(6)
    metadata = header.get("__metadata__", {})
    if kind <= 2 and metadata:
        key = chance.choice(sorted(metadata))
        metadata[key] = json.dumps(tree(json.loads(metadata[key]), chance))
    elif kind == 3:
        header = tree(header, chance)
    elif kind == 4:
        data = words(data, chance) if chance.randrange(2) else bytes_of(data, chance)
    else:
        names = [name for name in header if name != "__metadata__"]
        a, b = (header[chance.choice(names)] for _ in range(2))
        field = chance.choice(("data_offsets", "shape", "dtype"))
        a[field] = chance.choice((b[field], [0, 2**62], [-1, 4], [2**40], [0], [], "F64", "BF16", "I64", "BOOL", "U8"))
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text) if chance.randrange(30) else 2 ** chance.randrange(64)) + text + data


def npy(content: bytes, chance: random.Random) -> bytes:
    """The header of a `.npy` changed, its length right; or its data cut or lengthened."""
    (length,) = struct.unpack("<H", content[8:10])
    text, data = content[10 : 10 + length].decode("latin-1").strip(), content[10 + length :]
    kind = chance.randrange(8)
    if kind == 0:
        text = text_of(text, chance)
    elif kind == 1:
        data = bytes_of(data, chance)
    else:
        shapes = ["(3,)", "()", "(0,)", "(-1, 4)", "(2, 2, 2)", f"({2**62}, 4)", "(0, 4611686018427387903, 9)", "[3]"]
        types = ["'<U0'", "'<U4'", "'|O'", "'>f8'", "'<f2'", "'|b1'", "'<M8[s]'", "'f8,f8'", "[('a', '<f4')]", "'<c16'"]
        text = "{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}".format(
            chance.choice([*types, *["'<f8'", "'<f4'", "'|i1'", "'<u8'", "'<f16'"] * 3]),
            chance.choice(("False", "False", "False", "True", "True", "None")),
            chance.choice([*shapes, f"({len(data) // 8},)", f"({len(data) // 4}, 1)", f"(1, {len(data)})"]),
        )
    encoded = text.encode("latin-1", "replace") + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(encoded) % 2**16) + encoded + data


def protobuf(message: Any, chance: random.Random) -> Any:
    """A protobuf message with one to three fields changed, and still a message of its kind."""
    result = type(message)()
    result.CopyFrom(message)
    for _ in range(chance.randint(1, 3)):
        owner = result
        while chance.randrange(4):
            inner = [
                value
                for field, found in owner.ListFields()
                if field.message_type is not None
                for value in (found if _repeated(field) else [found])
            ]
            if not inner:
                break
            owner = chance.choice(inner)
        _change_field(owner, chance)
    return result


def _repeated(field: Any) -> bool:
    if hasattr(field, "is_repeated"):  # protobuf 6.30 and later
        return bool(field.is_repeated)
    return bool(field.label == field.LABEL_REPEATED)


def _change_field(owner: Any, chance: random.Random) -> None:
    set_fields = [field for field, _ in owner.ListFields()]
    every = list(owner.DESCRIPTOR.fields)
    field = chance.choice(set_fields if set_fields and chance.randrange(4) else every)
    if chance.randrange(8) == 0:
        owner.ClearField(field.name)
        return
    if _repeated(field):
        values = getattr(owner, field.name)
        kind = chance.randrange(4)
        if kind == 0 and len(values):
            del values[chance.randrange(len(values))]
        elif field.message_type is not None:
            if len(values) and chance.randrange(3):
                values.add().CopyFrom(values[chance.randrange(len(values))])
            elif len(values) > 1:
                a, b = chance.randrange(len(values)), chance.randrange(len(values))
                kept = type(values[a])()
                kept.CopyFrom(values[a])
                values[a].CopyFrom(values[b])
                values[b].CopyFrom(kept)
            else:
                values.add()
        elif kind == 1 and len(values):
            values[chance.randrange(len(values))] = _scalar(field, chance, values[0])
        else:
            values.append(_scalar(field, chance, values[0] if len(values) else None))
    elif field.message_type is not None:
        getattr(owner, field.name).SetInParent()
    else:
        setattr(owner, field.name, _scalar(field, chance, getattr(owner, field.name)))


def _scalar(field: Any, chance: random.Random, old: Any) -> Any:
    if field.enum_type is not None:
        return chance.choice([value.number for value in field.enum_type.values])
    kind = field.cpp_type
    if kind == field.CPPTYPE_STRING:
        if field.type == field.TYPE_BYTES:
            return chance.choice((b"", b"x", bytes_of(old or b"abc", chance), (old or b"") * 2, bytes(64)))
        return chance.choice(("", "x", "input", "Relu", "Gemm", "Reshape", "../x", "a" * 300, "é\0", old or "y"))
    if kind in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE):
        return chance.choice((0.0, -1.0, 1e-38, 3e38, float("nan"), float("inf"), 0.5))
    if kind == field.CPPTYPE_BOOL:
        return bool(chance.randrange(2))
    unsigned = kind in (field.CPPTYPE_UINT32, field.CPPTYPE_UINT64)
    bits = 31 if kind in (field.CPPTYPE_INT32, field.CPPTYPE_UINT32) else 63
    numbers = [0, 1, 2, 3, 7, 8, 16, 255, 2**bits - 1, 2**20, 2**30, (old or 0) + 1]
    return min(chance.choice(numbers if unsigned else [*numbers, -1, -(2**bits), -2]), 2**bits - 1)


def frames(content: bytes, chance: random.Random) -> bytes:
    """A payload of the hardware-in-the-loop protocol with its CRC made right again, mostly."""
    changed = words(content, chance) if chance.randrange(2) else bytes_of(content, chance)
    return changed + zlib.crc32(changed).to_bytes(4, "little") if chance.randrange(4) else changed


def mutated(content: bytes, chance: random.Random, change: Callable[[bytes, random.Random], bytes]) -> bytes:
    """Mostly `change`; once in a while bytes or words of the whole file."""
    kind = chance.randrange(16)
    return bytes_of(content, chance) if kind == 0 else words(content, chance) if kind == 1 else change(content, chance)

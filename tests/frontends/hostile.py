"""Files that mean harm: mutations with a seed, pickles that would leave a mark if they ran, archives rewritten."""

from __future__ import annotations

import copy
import io
import pickle
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edgeml.errors import InputError
from edgeml.frontends import load_model

__all__ = ["JUNK", "expect_error_or_model", "malicious_pickle", "malicious_torch_file", "mutated_bytes", "mutated_json"]

JUNK: list[Any] = [
    None, True, -1, 0, 1, 2**31, 2**63, 10**40, -(2**70), 0.5, float("nan"), float("inf"), "", "x", "as_int",
    "\x00\x1b[31m",
    "../../etc/passwd", "a" * 10_000, [], {}, [[]], [None], {"as_int": -5}, {"as_int": 2**62}, {"as_name": "x"},
    {"as_tensor": {"name": "x"}}, {"as_none": True}, [1, 2, 3], [[[[[[]]]]]],
]  # fmt: skip
"""Values of the wrong kind, sign or size."""


class _Marker:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def malicious_pickle(mark: Path) -> bytes:
    """A pickle that creates the file `mark` when it is loaded."""
    return pickle.dumps(_Marker(mark), protocol=2)


def malicious_torch_file(mark: Path) -> bytes:
    """What torch.save writes, its pickle replaced by a malicious one."""
    import torch

    buffer = io.BytesIO()
    torch.save({"fc.weight": torch.zeros(2, 2)}, buffer)
    return rewritten(
        buffer.getvalue(), lambda name, content: malicious_pickle(mark) if name.endswith("data.pkl") else content
    )


def rewritten(
    archive: bytes, change: Callable[[str, bytes], bytes | None], extra: dict[str, bytes] | None = None
) -> bytes:
    """A zip file with its members changed (None: left out), in the order in which they were; `extra` behind them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as target:
        for info in source.infolist():
            content = change(info.filename, source.read(info))
            if content is not None:
                target.writestr(info.filename, content)
        for name, content in (extra or {}).items():
            target.writestr(name, content)
    return buffer.getvalue()


def mutated_bytes(content: bytes, count: int, seed: int) -> Iterator[bytes]:
    """`count` versions of `content` with bytes flipped, cut, doubled or overwritten."""
    generator = np.random.default_rng(seed)
    for _ in range(count):
        result = bytearray(content)
        for _ in range(int(generator.integers(1, 6))):
            if not result:
                break
            at = int(generator.integers(len(result)))
            length = int(generator.integers(1, 9))
            kind = generator.integers(6)
            if kind == 0:
                result[at] ^= 1 << int(generator.integers(8))
            elif kind == 1:
                result[at : at + length] = generator.bytes(length)
            elif kind == 2:
                del result[at : at + length]
            elif kind == 3:
                result[at:at] = result[at : at + length]
            elif kind == 4:
                result[at : at + 1] = b"\xff"
            else:
                del result[at:]
        yield bytes(result)


def mutated_json(structure: Any, count: int, seed: int) -> Iterator[Any]:
    """`count` versions of a JSON structure, in each one to three places replaced by junk, removed or doubled."""
    generator = np.random.default_rng(seed)
    places = list(_places(structure, ()))
    for _ in range(count):
        result = copy.deepcopy(structure)
        for _ in range(int(generator.integers(1, 4))):
            path = places[int(generator.integers(len(places)))]
            holder = result
            try:
                for key in path[:-1]:
                    holder = holder[key]
                kind = generator.integers(4)
                if kind == 0:
                    del holder[path[-1]]
                elif kind == 1 and isinstance(holder, list):
                    holder.insert(path[-1], copy.deepcopy(holder[path[-1]]))
                elif kind == 2:
                    other = places[int(generator.integers(len(places)))]
                    value = structure
                    for key in other:
                        value = value[key]
                    holder[path[-1]] = copy.deepcopy(value)
                else:
                    holder[path[-1]] = copy.deepcopy(JUNK[int(generator.integers(len(JUNK)))])
            except (KeyError, IndexError, TypeError):
                continue  # an earlier change took this place away
        yield result


def _places(structure: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    items = (
        structure.items()
        if isinstance(structure, dict)
        else enumerate(structure)
        if isinstance(structure, list)
        else ()
    )
    for key, value in items:
        yield (*path, key)
        yield from _places(value, (*path, key))


def expect_error_or_model(source: Any, **options: Any) -> bool:
    """Load `source`: either an InputError with a printable message, or a model that passed its check. Anything else
    that escapes (another exception, a model that was misread) fails the test. Says whether a model came out."""
    try:
        load_model(source, **options)
    except InputError as error:
        found = error
    else:
        return True
    assert found.exit_code == 2
    assert str(found).isprintable(), repr(str(found))
    assert len(str(found)) < 3000
    return False

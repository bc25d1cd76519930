"""`.pt2` files of a few kilobytes that would take hours or gigabytes: refused at once, before either is taken."""

from __future__ import annotations

import resource
import time
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.frontends.reading.raw_tensor import RawTensor

from .hostile import rewritten

PROGRAM = Path(__file__).with_name("programs") / "torch_2.6.pt2"


def nested_pairs(depth: int, around: bytes) -> bytes:
    """A pickle of a tuple of two tuples of two tuples …, `depth` deep, every one stored once; `around` uses it."""
    content = b"\x80\x02)q\x00"
    for level in range(depth):
        content += b"h" + bytes([level]) + b"h" + bytes([level]) + b"\x86q" + bytes([level + 1])
    return content + around.replace(b"@", b"h" + bytes([depth])) + b"."


@pytest.mark.parametrize(
    "around",
    [
        b"}@Ns",  # as a key
        b"}(@Nu",
        b"}X\x01\x00\x00\x00a@s",  # as a value
        b"@",  # as the whole
        b"@Q",  # as a reference to a storage
        b"ccollections\nOrderedDict\n@R",  # as arguments
        b"}@b",
        b"ctorch._utils\n_rebuild_tensor_v2\n@R",
        b"@}Ns",  # filled as if it were a dictionary
    ],
)
def test_tuples_that_hold_each_other_hang_nothing(tmp_path: Path, around: bytes) -> None:
    pickle = nested_pairs(60, around)

    def change(name: str, content: bytes) -> bytes:
        if not name.endswith("serialized_state_dict.pt"):
            return content
        return rewritten(content, lambda inner, old: pickle if inner.endswith("data.pkl") else old)

    path = tmp_path / "m.pt2"
    path.write_bytes(rewritten(PROGRAM.read_bytes(), change))
    start = time.process_time()
    with pytest.raises(InputError):
        load_model(path)
    assert time.process_time() - start < 5


@pytest.mark.parametrize("sizes", [(6, 22_000_000), (2**16 + 1,), (2**31, 2**31), (2**62, 4)])
def test_a_stride_of_zero_makes_no_memory_of_a_few_numbers(sizes: tuple[int, ...]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="beyond reason"):
        RawTensor("t", bytes(96), "float32", sizes, (0,) * len(sizes)).array()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**16  # kilobytes


def test_a_number_that_is_repeated_within_reason_is_read() -> None:
    tensor = RawTensor("t", np.array([2.5], "<f4").tobytes(), "float32", (3, 100), (0, 0))
    assert np.array_equal(tensor.array(), np.full((3, 100), 2.5))

"""Answers as bytes: a hello is taken whole, or not at all."""

from __future__ import annotations

import struct

import pytest

from edgeml.errors import CheckFailed
from edgeml.hil.messages import parse_hello

HELLO = struct.pack("<HB32sIIIHI", 1, 1, bytes(range(32)), 12, 4, 30, 9, 1_000_000) + b"\x09quantized" + b"\x03net"


def test_a_hello_says_all_of_the_device() -> None:
    found = parse_hello(HELLO, "port")
    assert (found.inputs, found.outputs, found.trace_size, found.most_samples) == (12, 4, 30, 9)
    assert (found.form, found.name, found.can_trace, found.counts_per_second) == ("quantized", "net", True, 1_000_000)
    assert found.model_hash == bytes(range(32)).hex()


@pytest.mark.parametrize("body", [HELLO + b"\0", HELLO + b"more", HELLO[:-1], HELLO[:50], b"", b"\x01"], ids=len)
def test_a_hello_with_bytes_too_many_or_too_few_is_refused(body: bytes) -> None:
    with pytest.raises(CheckFailed):
        parse_hello(body, "port")

"""The requests to a device and its answers, as bytes. `firmware_stubs/c/hil/edgeml_hil.h` is the other side's."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import CheckFailed

__all__ = [
    "ADAPTED",
    "BENCHMARK",
    "CALIBRATE",
    "HELLO",
    "INFER",
    "LEARN",
    "LOAD",
    "PROTOCOL_VERSION",
    "REHEARSE",
    "RESET",
    "SAVE",
    "SELF_TEST",
    "TRACE",
    "Answer",
    "DeviceInfo",
    "parse_answer",
    "parse_hello",
    "request",
]

PROTOCOL_VERSION = 1
HELLO, INFER, SELF_TEST, BENCHMARK, TRACE = 1, 2, 3, 4, 5
LEARN, CALIBRATE, REHEARSE, ADAPTED, SAVE, LOAD, RESET = 6, 7, 8, 9, 10, 11, 12
"""Of networks that adapt; `firmware_stubs/c/hil/edgeml_hil_learning.h` is the other side's."""
_ANSWER = 128
_STATUS = {
    1: "the device computes another model",
    2: "the device says that the sizes of the request do not fit its model",
    3: "the device's firmware was built without a trace",
    4: "nothing of the device's network adapts so",
}
_HEADER = struct.Struct("<BI")
_HELLO = struct.Struct("<HB32sIIIHI")
_MOST = 2**24


@dataclass(frozen=True)
class DeviceInfo:
    """What a device says of itself.

    Parameters
    ----------
    model_hash : SHA-256 of its network in hexadecimal.
    inputs, outputs, trace_size : numbers of integers.
    most_samples : of a frame.
    counts_per_second : of the device's counter; 0 if unknown.
    form, name : of the model; text of the device's, for people.
    """

    model_hash: str
    inputs: int
    outputs: int
    trace_size: int
    can_trace: bool
    most_samples: int
    counts_per_second: int
    form: str
    name: str


@dataclass(frozen=True)
class Answer:
    """An answer's status and what follows it."""

    type: int
    sequence: int
    status: int
    body: bytes

    def checked(self, where: str) -> bytes:
        """The body of an answer without an error; CheckFailed with the device's complaint else."""
        if self.status:
            reason = _STATUS.get(self.status, f"the device answers with status {self.status}")
            remedy = "Flash the firmware of this bundle" if self.status == 1 else ""
            raise CheckFailed(where, reason, remedy)
        return self.body


def request(kind: int, sequence: int, model_hash: str = "", number: int | None = None, inputs: bytes = b"") -> bytes:
    """A request's payload. All but hello name the model by the first eight bytes of its hash."""
    content = _HEADER.pack(kind, sequence)
    if kind != HELLO:
        content += bytes.fromhex(model_hash)[:8]
    if number is not None:
        content += number.to_bytes(2, "little")
    return content + inputs


def parse_answer(payload: bytes) -> Answer | None:
    """The answer in a frame's payload, or None where it is none."""
    if len(payload) < _HEADER.size + 1:
        return None
    kind, sequence = _HEADER.unpack_from(payload)
    if kind < _ANSWER:
        return None
    return Answer(kind - _ANSWER, sequence, payload[_HEADER.size], payload[_HEADER.size + 1 :])


def parse_hello(body: bytes, where: str) -> DeviceInfo:
    """What a hello's answer says; CheckFailed where it is not this protocol's."""
    if len(body) < 2:
        raise CheckFailed(where, "answers, but not as an edgeml device does")
    version = int.from_bytes(body[:2], "little")
    if version != PROTOCOL_VERSION:
        raise CheckFailed(where, f"speaks version {version} of the protocol, this edgeml {PROTOCOL_VERSION}")
    try:
        _, flags, digest, inputs, outputs, trace_size, most, rate = _HELLO.unpack_from(body)
        texts = []
        position = _HELLO.size
        for _ in range(2):
            length = body[position]
            texts.append(body[position + 1 : position + 1 + length].decode("utf-8", "replace"))
            position += 1 + length
    except (struct.error, IndexError) as error:
        raise CheckFailed(where, "answers hello with too few bytes") from error
    if position != len(body) or not (0 < inputs <= _MOST and 0 < outputs <= _MOST and trace_size <= _MOST and most):
        raise CheckFailed(where, f"states impossible sizes: {inputs} inputs, {outputs} outputs, {most} samples")
    form, name = ("".join(c if c.isprintable() else "?" for c in text) for text in texts)
    return DeviceInfo(digest.hex(), inputs, outputs, trace_size, bool(flags & 1), most, rate, form, name)


def integers(body: bytes, count: int) -> npt.NDArray[np.int32]:
    """`count` int32 of an answer's body."""
    return np.frombuffer(body, "<i4", count).astype(np.int32)

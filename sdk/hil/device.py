"""A device behind a link: asks, checks, asks again."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import CheckFailed, InputError, ToolFailed
from ..network import Network
from ..network.network_file import model_hash
from .frames import FrameReader, frame
from .link import Link
from .messages import (
    BENCHMARK,
    HELLO,
    INFER,
    SELF_TEST,
    TRACE,
    Answer,
    DeviceInfo,
    integers,
    parse_answer,
    parse_hello,
    request,
)

__all__ = ["Device", "Inference"]

_COUNT_BYTES = 4
_LONGEST_HELLO = 1024


@dataclass(frozen=True, eq=False)
class Inference:
    """What a device computed for samples.

    Parameters
    ----------
    outputs : int32 [samples, outputs].
    count : of all samples together, by the device's counter (see `report.UNITS`); 0 where it has none.
    seconds : from the request's first byte to the answer's last.
    attempts : how often it was asked.
    trace : int32 [trace integers], or None.
    """

    outputs: npt.NDArray[np.int32]
    count: int
    seconds: float
    attempts: int
    trace: npt.NDArray[np.int32] | None = None


class Device:
    """A device that computes `network`, checked when connected.

    Every request carries a number that its answer repeats, and whatever is not the answer to the pending request is
    dropped. No request of this class changes the device, so each may be asked again, with the same number, until an
    answer comes through: whichever of the answers it is, it is the right one. Those of `learning.LearningDevice` do,
    and the device does each number once.

    Parameters
    ----------
    link : to the device; stays the caller's to close.
    timeout : seconds to wait for an answer before asking again.
    attempts : how often to ask at most.
    first_number : of the requests; random by default, so that answers to an earlier session are not taken.
    clock : for tests; seconds that only grow.

    Raises
    ------
    CheckFailed : the device computes another model, or states other sizes. ToolFailed : no answer comes, or the link
        is lost.
    """

    def __init__(
        self,
        link: Link,
        network: Network,
        *,
        timeout: float = 1.0,
        attempts: int = 8,
        first_number: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.network = network
        self._link, self._timeout, self._attempts, self._clock = link, timeout, attempts, clock
        self._number = secrets.randbits(32) if first_number is None else first_number
        self._dtype = np.int8 if network.quantizer.signed else np.uint8
        self._hash = model_hash(network)
        self._reader = FrameReader(_LONGEST_HELLO)
        self.retries = 0
        self.info = self._hello()

    @property
    def name(self) -> str:
        """For messages: the port and the model on it."""
        return self._link.name

    def _hello(self) -> DeviceInfo:
        answer, _, _ = self._ask(HELLO)
        info = parse_hello(answer.checked(self.name), self.name)
        if info.model_hash != self._hash:
            raise CheckFailed(
                self.name,
                f"computes model {info.model_hash[:16]}… ({info.name}), the bundle's is {self._hash[:16]}…",
                "Flash the firmware of this bundle",
            )
        if (info.inputs, info.outputs) != (self.network.input_size, self.network.output_size):
            raise CheckFailed(self.name, f"states {info.inputs} inputs and {info.outputs} outputs")
        most = 4 * (info.outputs * info.most_samples + info.outputs + info.trace_size) + 64
        if self.network.adaptation is not None:
            most += len(self.network.adapting().state())
        self._reader = FrameReader(most + most // 200 + 16)
        return info

    def _ask(self, kind: int, length: int | None = None, **fields: object) -> tuple[Answer, float, int]:
        """The answer to a request (whose body, if it has no error, must be `length` bytes), the seconds it took and
        the attempts."""
        self._number = (self._number + 1) & 0xFFFFFFFF
        # The zero in front ends whatever noise the device may hold for the start of a frame.
        content = b"\0" + frame(request(kind, self._number, self._hash, **fields))  # type: ignore[arg-type]
        for attempt in range(1, self._attempts + 1):
            start = self._clock()
            self._link.write(content)
            while (left := start + self._timeout - self._clock()) > 0:
                received = self._link.read(left)
                if not received:
                    break
                for found in self._reader.feed(received):
                    answer = parse_answer(found)
                    if answer is None or (answer.type, answer.sequence) != (kind, self._number):
                        continue
                    if not answer.status and length is not None and len(answer.body) != length:
                        continue
                    return answer, self._clock() - start, attempt
            self.retries += 1
        raise ToolFailed(
            self.name,
            f"does not answer: asked {self._attempts} times, {self._timeout:g} s each",
            "Check the port, the baud rate, and that the firmware with hil/ is running; --timeout waits longer",
        )

    def ask(self, kind: int, length: int | None, number: int = 0, content: bytes = b"") -> bytes:
        """The body of the answer to a request with a number and bytes behind it; CheckFailed where the device refuses.

        length : of the body, bytes; an answer of another length is dropped.
        """
        answer, _, _ = self._ask(kind, length, number=number, inputs=content)
        return answer.checked(self.name)

    def infer(self, q: npt.NDArray[np.integer]) -> Inference:
        """Run q [samples, inputs], no more samples than `info.most_samples`."""
        q = self.network.check_input(q)
        if not 0 < len(q) <= self.info.most_samples:
            raise InputError(self.name, f"takes 1 to {self.info.most_samples} samples at once, found {len(q)}")
        length = _COUNT_BYTES + 4 * self.info.outputs * len(q)
        answer, seconds, attempts = self._ask(
            INFER, length, number=len(q), inputs=np.ascontiguousarray(q, self._dtype).tobytes()
        )
        body = answer.checked(self.name)
        outputs = integers(body[_COUNT_BYTES:], len(q) * self.info.outputs).reshape(len(q), -1)
        return Inference(outputs, int.from_bytes(body[:_COUNT_BYTES], "little"), seconds, attempts)

    def run(self, q: npt.NDArray[np.integer], *, stream: bool = True) -> npt.NDArray[np.int32]:
        """Outputs int32 [samples, outputs] for any number of samples; with `stream`, as many in a frame as fit."""
        step = self.info.most_samples if stream else 1
        parts = [self.infer(q[start : start + step]).outputs for start in range(0, len(q), step)]
        return np.concatenate(parts) if parts else np.zeros((0, self.info.outputs), np.int32)

    def trace(self, q: npt.NDArray[np.integer]) -> Inference:
        """Run one sample q [inputs] and also give the integers of every layer in turn."""
        q = self.network.check_input(np.asarray(q)[None, :])
        length = _COUNT_BYTES + 4 * (self.info.outputs + self.info.trace_size)
        answer, seconds, attempts = self._ask(
            TRACE, length, number=1, inputs=np.ascontiguousarray(q, self._dtype).tobytes()
        )
        body = answer.checked(self.name)
        values = integers(body[_COUNT_BYTES:], self.info.outputs + self.info.trace_size)
        outputs, layers = values[None, : self.info.outputs], values[self.info.outputs :]
        return Inference(outputs, int.from_bytes(body[:_COUNT_BYTES], "little"), seconds, attempts, layers)

    def self_test(self) -> int:
        """Run the device's self-test: 0 if its constants and its golden vectors are right."""
        answer, _, _ = self._ask(SELF_TEST, 4)
        return int.from_bytes(answer.checked(self.name), "little", signed=True)

    def benchmark(self, repeats: int = 16) -> tuple[int, int]:
        """Least and most counts of the device's counter for an inference of zeros."""
        answer, _, _ = self._ask(BENCHMARK, 8, number=repeats)
        body = answer.checked(self.name)
        return int.from_bytes(body[:4], "little"), int.from_bytes(body[4:], "little")

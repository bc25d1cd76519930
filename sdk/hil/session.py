"""Runs a bundle's test vectors against a device."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import InputError
from ..network import Network
from ..network import trace as golden_trace
from .boards import counter_unit, start_board
from .device import Device
from .link import Link, open_port
from .report import HilReport, Mismatch, spread

if TYPE_CHECKING:
    from ..bundle import Bundle
    from ..plugins import Progress

__all__ = ["connect", "link_to", "outputs", "run", "traced_layers"]

_SHOWN = 10


def _silent(stage: str, done: int, total: int, values: Mapping[str, float]) -> None:
    pass


def link_to(bundle: Bundle, port: str | None, emulate: str | None, baud: int = 115200) -> Link:
    """The link to a real device at `port` or to the emulated board `emulate`, exactly one of which is given."""
    if bool(port) == bool(emulate):
        raise InputError("hil", "needs either a port or an emulated board", "Pass --port PORT or --emulate NAME")
    return open_port(port, baud) if port else start_board(str(emulate), bundle)


@contextmanager
def connect(
    bundle: Bundle,
    *,
    port: str | None = None,
    emulate: str | None = None,
    baud: int = 115200,
    timeout: float = 2.0,
    attempts: int = 5,
) -> Iterator[Device]:
    """The device at `port`, or the emulated board `emulate`, connected and checked to compute the bundle's network."""
    link = link_to(bundle, port, emulate, baud)
    try:
        yield Device(link, bundle.network, timeout=timeout, attempts=attempts)
    finally:
        link.close()


def traced_layers(bundle: Bundle, size: int) -> tuple[str, ...]:
    """The layers, in order, whose integers a trace of `size` integers holds; empty where the bundle does not tell."""
    names = bundle.target_metrics.trace or ()
    sizes = bundle.network.sizes
    if not all(name in sizes for name in names):
        return ()
    return names if sum(sizes[name] for name in names) == size else ()


def _mismatch(
    device: Device, layers: tuple[str, ...], index: int, q: npt.NDArray[np.int32], found: npt.NDArray[np.int32]
) -> Mismatch:
    """Where vector `index` first differs."""
    network: Network = device.network
    expected = golden_trace(network, q[None, :])
    values: list[tuple[str, npt.NDArray[np.int32]]] = []
    if layers:
        inference = device.trace(q)
        assert inference.trace is not None
        ends = np.cumsum([network.sizes[name] for name in layers])
        values = list(zip(layers, np.split(inference.trace, ends[:-1]), strict=True))
    values.append((network.nodes[-1].name, found))
    for name, integers in values:
        wrong = np.flatnonzero(integers != expected[name][0])
        if wrong.size:
            at = int(wrong[0])
            return Mismatch(index, name, at, int(expected[name][0][at]), int(integers[at]))
    raise InputError(device.name, f"gave other integers for vector {index} the first time than the second")


def run(
    bundle: Bundle,
    *,
    port: str | None = None,
    emulate: str | None = None,
    baud: int = 115200,
    timeout: float = 2.0,
    attempts: int = 5,
    vectors: int | None = None,
    progress: Progress = _silent,
) -> HilReport:
    """Run the bundle's test vectors (at most `vectors` of them), one inference each, and the self-test.

    Raises
    ------
    InputError : the port cannot be opened, the board is unknown. MissingTool : pyserial or an emulator is missing.
    CheckFailed : another model on the device. ToolFailed : no answer, or the link is lost.
    Mismatches are no error here: see `HilReport.passed`.
    """
    q, expected = bundle.golden()
    q, expected = q[:vectors], expected[:vectors]
    with connect(bundle, port=port, emulate=emulate, baud=baud, timeout=timeout, attempts=attempts) as device:
        self_test = device.self_test()
        layers = traced_layers(bundle, device.info.trace_size) if device.info.can_trace else ()
        seconds, counts = np.zeros(len(q)), np.zeros(len(q), np.int64)
        wrong = 0
        first: list[Mismatch] = []
        for index in range(len(q)):
            inference = device.infer(q[index : index + 1])
            seconds[index], counts[index] = inference.seconds, inference.count
            if not np.array_equal(inference.outputs[0], expected[index]):
                wrong += 1
                if len(first) < _SHOWN:
                    first.append(_mismatch(device, layers, index, q[index], inference.outputs[0]))
            progress("vectors", index + 1, len(q), {"mismatches": float(wrong)})
        counted: dict[str, int] = {}
        if len(q) and counts.any():
            values = {"minimum": counts.min(), "median": np.median(counts), "maximum": counts.max()}
            counted = {key: int(value) for key, value in values.items()}
        return HilReport(
            emulate or str(port),
            device.info.model_hash,
            device.info.name,
            len(q),
            wrong,
            tuple(first),
            {key: round(1e6 * value, 1) for key, value in spread(seconds).items()} if len(q) else {},
            counted,
            counter_unit(emulate),
            device.info.counts_per_second,
            self_test,
            device.retries,
            layers,
            dict(bundle.target_metrics.modelled),
        )


def outputs(bundle: Bundle, q: npt.NDArray[np.int32], options: Mapping[str, Any]) -> tuple[npt.NDArray[np.int32], str]:
    """Outputs of q on the device that `options` name (`port` or `emulate`, `baud`, `timeout`), and its name."""
    known = {"port", "emulate", "baud", "timeout", "attempts"}
    if unknown := sorted(set(options) - known):
        raise InputError(f"option {unknown[0]!r}", "is not one of hil", f"Known: {', '.join(sorted(known))}")
    with connect(bundle, **dict(options)) as device:
        return device.run(q), device.name

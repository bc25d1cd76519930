"""Frames one after another, from an interface (python-can) or a log, through a detector until it ends or is stopped."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgeml.errors import InputError, MissingTool
from edgeml.extras import install_extra

from .detector import Alarm, Detector
from .frames import FRAME, Frames
from .readers import read_log

if TYPE_CHECKING:
    import can

__all__ = ["Summary", "frames_of_bus", "frames_of_file", "monitor", "record", "stop_on_signals"]

_RECEIVE_SECONDS = 0.2
"""How long one call waits for a frame, and so how long a stop can take."""
_PYTHON_CAN_ENDINGS = (".asc", ".blf", ".trc")


@dataclass(frozen=True)
class Summary:
    """What a monitor saw: frames, windows that the network judged, those it called an attack, alarms."""

    frames: int
    windows: int
    called: int
    alarms: int


def monitor(
    frames: Iterator[Frames], detector: Detector, show: Callable[[Alarm], None], stop: threading.Event | None = None
) -> Summary:
    """Run every frame through the detector, and `show` its alarms, until there are no more or `stop` is set."""
    raised = 0
    for frame in frames:
        if (alarm := detector.see(frame)) is not None:
            raised += 1
            show(alarm)
        if stop is not None and stop.is_set():
            break
    return Summary(detector.frames, detector.windows, detector.called, raised)


def _python_can() -> Any:
    try:
        import can
    except ImportError as error:
        raise MissingTool("monitor", "needs python-can", install_extra("examples")) from error
    return can


def record(message: can.Message) -> Frames | None:
    """A python-can message as FRAME [1]; None for what is not a classic frame (CAN FD, error frames)."""
    if message.is_error_frame or message.is_fd or message.dlc > 8:
        return None
    frame = np.zeros(1, FRAME)
    frame["time"], frame["identifier"] = message.timestamp, message.arbitration_id
    frame["extended"], frame["remote"], frame["length"] = message.is_extended_id, message.is_remote_frame, message.dlc
    if not message.is_remote_frame:
        frame["data"][0, : message.dlc] = list(message.data[: message.dlc])
    return frame


def frames_of_bus(channel: str, interface: str, stop: threading.Event, bitrate: int | None = None) -> Iterator[Frames]:
    """Frames of an interface of python-can's (`socketcan`, `virtual`, `pcan` …), as they arrive, until `stop` is set.

    Raises InputError where it cannot be opened, or fails.
    """
    can = _python_can()
    options = {} if bitrate is None else {"bitrate": bitrate}
    where = f"interface {channel} ({interface})"
    try:
        bus = can.Bus(channel=channel, interface=interface, **options)
    except (can.CanError, OSError, ValueError, NotImplementedError) as error:
        remedy = "Name a log, or an interface that is up: ip link set can0 up type can bitrate 500000"
        raise InputError(where, f"cannot be opened ({error})", remedy) from error
    return _received(bus, where, stop, can.CanError)


def _received(bus: can.BusABC, where: str, stop: threading.Event, failure: type[Exception]) -> Iterator[Frames]:
    try:
        while not stop.is_set():
            message = bus.recv(_RECEIVE_SECONDS)
            if message is not None and (frame := record(message)) is not None:
                yield frame
    except (failure, OSError) as error:
        raise InputError(where, f"failed ({error})") from error
    finally:
        bus.shutdown()


def frames_of_file(path: Path, attack: str = "") -> Iterator[Frames]:
    """Frames of a log: of a format that `readers` reads, or `.asc`, `.blf`, `.trc` by python-can."""
    if path.suffix.lower() not in _PYTHON_CAN_ENDINGS:
        # A log of injected frames needs a name for them to be read, and the monitor does not use it.
        frames = read_log(path, attack or "attack").frames
        return (frames[i : i + 1] for i in range(len(frames)))
    return _played(path, _python_can())


def _played(path: Path, can: Any) -> Iterator[Frames]:
    number = 0
    try:
        with can.LogReader(str(path)) as reader:
            for number, message in enumerate(reader, start=1):  # noqa: B007
                if (frame := record(message)) is not None:
                    yield frame
    except OSError as error:
        raise InputError(str(path), f"cannot be read ({error.strerror or error})") from error
    except Exception as error:  # python-can's parsers raise whatever a damaged file makes them raise
        raise InputError(f"{path}, after message {number}", f"is damaged, python-can says: {error}") from error


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set; the handlers of before come back at the end."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

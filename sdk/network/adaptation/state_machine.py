"""A network that adapts: the state machine that the device's C follows step by step. The definition is this one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ..layers.dense import Dense
from ..layers.threshold import Threshold
from ..network import Network
from ..network_file import model_hash
from .definition import Adaptation
from .packed_levels import pack_levels, packed_bytes, unpack_levels
from .state_image import packed, read_state, unpacked

__all__ = ["AdaptingNetwork"]

_Integers = npt.NDArray[np.int64]


class AdaptingNetwork:
    """A network and what it has adapted: what `Network.adapting()` gives, in its factory state.

    Every integer of the state is bounded by its type, whatever is learned or loaded; `Offsets.check` and
    `LastLayer.check` prove when the network is made that no sum of them passes 32 bits. Nothing is random.

    state : offsets int16, by layer; while means are taken their sums, int32 of one layer, else the kept
    levels of labelled windows, which have the same place: levels of before are worth nothing once offsets change;
    weights, biases; windows learned of each class; the layer whose means are being taken; windows summed so far.
    """

    def __init__(self, network: Network) -> None:
        if network.adaptation is None:
            raise InputError(
                f"network {network.name}",
                "states nothing that adapts",
                "Convert the model with --adapt offsets,last-layer",
            )
        self.network = network
        self._adaptation: Adaptation = network.adaptation
        self._hash = model_hash(network)
        self._offsets, self._last = self._adaptation.offsets, self._adaptation.last_layer
        self._names = list(self._offsets.means) if self._offsets else []
        self._spans = [network.sizes[name] for name in self._names]
        self._final = network.nodes[-1]
        self._source = self._final.inputs[0]
        dense, thresholds = network.of_kind(Dense), network.of_kind(Threshold)
        self._layer = dense.get(self._final.name)
        self._threshold = thresholds.get(self._source)
        self.reset()

    def reset(self) -> None:
        """Back to the factory state: nothing shifted, nothing learned, nothing kept."""
        self._shifts = {name: np.zeros(size, np.int64) for name, size in zip(self._names, self._spans, strict=True)}
        self._phase = len(self._names)
        self._count = 0
        self._sums = np.zeros(max(self._spans, default=0), np.int64)
        if self._last is not None and self._layer is not None:
            outputs, inputs = self._layer.weight.shape
            self._weight = self._layer.weight.astype(np.int64) << self._last.fraction
            self._bias = self._layer.bias.astype(np.int64) << self._last.fraction
            self._learned = np.zeros(outputs, np.int64)
            self._kept = np.zeros((self._last.slots, outputs, inputs), np.uint8)

    @property
    def calibrating(self) -> bool:
        """Whether means are being taken: nothing can be learned meanwhile."""
        return self._phase < len(self._names)

    @property
    def offsets(self) -> dict[str, npt.NDArray[np.int64]]:
        """δ of each layer, by name."""
        return {name: shift.copy() for name, shift in self._shifts.items()}

    def trace(self, q: npt.NDArray[Any]) -> dict[str, npt.NDArray[np.int32]]:
        """The integers of every node as adapted; of layers with offsets the sums before these are taken from them."""
        values = {self.network.nodes[0].name: self.network.check_input(np.asarray(q))}
        shifted = dict(values)
        for node in self.network.layers:
            inputs = [shifted[name] for name in node.inputs]
            learned = node is self._final and self._last is not None
            values[node.name] = self._outputs(inputs[0]) if learned else node.layer.evaluate(*inputs)
            offset = self._shifts.get(node.name)
            shifted[node.name] = values[node.name] if offset is None else (values[node.name] - offset).astype(np.int32)
        return values

    def outputs(self, q: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Output integers int32 [samples, outputs] for input integers q [samples, inputs], as adapted."""
        return self.trace(q)[self._final.name]

    def predict(self, q: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """The class of each sample of q [samples, inputs]: the largest output, the lowest of equals."""
        found: npt.NDArray[np.int64] = self.outputs(q).argmax(axis=1)
        return found

    def _outputs(self, levels: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """(S >> F) · h + (B >> F) for levels [samples, inputs]."""
        assert self._last is not None
        assert self._layer is not None
        h = levels.astype(np.int64) - self._layer.input_zero_point
        sums: _Integers = h @ (self._weight >> self._last.fraction).T + (self._bias >> self._last.fraction)
        return sums.astype(np.int32)

    # Learning

    def learn(self, x: npt.NDArray[Any], label: int) -> int:
        """Keep a window x [inputs] of class `label`, and one step on it; the class that it was taken for before.

        Raises InputError where nothing learns, means are being taken, or there is no such class.
        """
        last = self._learning()
        classes = len(self._learned)
        if isinstance(label, bool) or not isinstance(label, (int, np.integer)) or not 0 <= label < classes:
            raise InputError("class", f"must be 0 … {classes - 1}, found {label!r}")
        levels = self.trace(np.asarray(x)[None, :])[self._source]
        found = int(self._outputs(levels)[0].argmax())
        assert self._threshold is not None
        stored = (levels[0] - self._threshold.base).astype(np.uint8)
        count = int(self._learned[label])
        self._kept[count % last.slots, label] = stored
        self._learned[label] = count + 1 if count + 1 < 2 * last.slots else last.slots
        self._step(stored, int(label))
        return found

    def rehearse(self) -> int:
        """One step on every kept window and on every replayed one in turn; on how many weights changed.

        The order: the first window of each class, the second, and so on; behind each place a replayed window, as long
        as there are any. Raises as `learn`.
        """
        last, (slots, classes) = self._learning(), self._kept.shape[:2]
        changed = 0
        for place in range(max(slots * classes, len(last.replay_classes))):
            slot, label = divmod(place, classes)
            if slot < min(int(self._learned[label]), slots):
                changed += self._step(self._kept[slot, label], label)
            if place < len(last.replay_classes):
                changed += self._step(last.replay_levels[place], int(last.replay_classes[place]))
        return changed

    def _learning(self) -> Any:
        if self._last is None:
            raise InputError(
                f"network {self.network.name}", "has no layer that learns", "Convert with --adapt last-layer"
            )
        if self.calibrating:
            raise InputError("calibration", "is under way", "Give it the windows that it wants, or reset it")
        return self._last

    def _step(self, stored: npt.NDArray[np.uint8], label: int) -> bool:
        """A step on stored levels [inputs]; whether anything changed."""
        assert self._last is not None
        assert self._layer is not None
        assert self._threshold is not None
        h = stored.astype(np.int64) + self._threshold.base - self._layer.input_zero_point
        outputs = (self._weight >> self._last.fraction) @ h + (self._bias >> self._last.fraction)
        others = outputs.copy()
        others[label] = np.iinfo(np.int64).min
        rival = int(others.argmax())
        if outputs[label] - outputs[rival] >= self._last.margin:
            return False
        weight_end, bias_end = 1 << (self._last.weight_bits - 1), 1 << (self._last.bias_bits - 1)
        for row, sign in ((label, 1), (rival, -1)):
            self._weight[row] = np.clip(self._weight[row] + sign * h, -weight_end, weight_end - 1)
            self._bias[row] = np.clip(self._bias[row] + sign, -bias_end, bias_end - 1)
        return True

    # Offsets

    @property
    def windows_wanted(self) -> int:
        """Windows that a calibration still takes to its end; of none under way, that one takes in all."""
        if self._offsets is None:
            return 0
        layers = len(self._names) - (self._phase if self.calibrating else 0)
        return layers * self._offsets.windows - self._count

    def calibrate(self, windows: npt.NDArray[Any]) -> int:
        """Take windows [samples, inputs], without labels, into the means of the layer whose turn it is.

        Without a calibration under way one begins: kept windows are forgotten. After 2^k windows the layer's offsets
        are set and the next layer follows; the same windows may be given again. Returns how many are still wanted; 0:
        the calibration has ended, and windows beyond its end are not looked at. InputError where there are no offsets.
        """
        if self._offsets is None:
            raise InputError(f"network {self.network.name}", "has no offsets", "Convert with --adapt offsets")
        windows = self.network.check_input(np.asarray(windows))
        taken = 0
        while taken < len(windows):
            if not self.calibrating:
                if taken:
                    break
                self._begin()
            name = self._names[self._phase]
            part = windows[taken : taken + self._offsets.windows - self._count]
            sums = self.trace(part)[name].astype(np.int64).sum(axis=0)
            self._sums[: sums.size] += sums
            self._count += len(part)
            taken += len(part)
            if self._count == self._offsets.windows:
                self._shift(name)
        return self.windows_wanted if self.calibrating else 0

    def _begin(self) -> None:
        self._phase = 0
        self._count = 0
        self._sums[:] = 0
        if self._last is not None:
            self._learned[:] = 0
            self._kept[:] = 0

    def _shift(self, name: str) -> None:
        """Set the offsets of a layer whose sums are complete, and go on to the next one."""
        assert self._offsets is not None
        source = self._offsets.means[name].astype(np.int64)
        distance = (self._sums[: source.size] >> self._offsets.windows_log2) - source
        if self._phase == 0:
            for shift in self._shifts.values():
                shift[:] = 0
        if self._phase == 0 and int(np.abs(distance).sum()) <= self._offsets.limit:
            self._phase = len(self._names)
        else:
            most = self._offsets.most(self.network.ranges[name])
            self._shifts[name][:] = np.clip((distance * self._offsets.numerator + 8) >> 4, -most, most)
            self._phase += 1
        self._count = 0
        self._sums[:] = 0

    # Saving

    @property
    def state_bytes(self) -> int:
        """Bytes of the state: of a saved image, which has a header and a CRC around it, less these."""
        return len(self._state())

    def state(self, sequence: int = 1) -> bytes:
        """The state as the bytes of an image, see `state_image`; sequence : of the save, modulo 2^32."""
        return packed(self._state(), self._hash, sequence)

    def load(self, image: bytes) -> None:
        """Take the state of an image. InputError where it is damaged, of another model or version, or holds a value
        that no state of this network has; nothing is changed then."""
        content, _ = unpacked(image, self._hash, self.state_bytes)
        parts = read_state(content, self._fields())
        self._check(parts)
        position = 0
        for shift in self._shifts.values():
            shift[:] = parts["offsets"][position : position + shift.size]
            position += shift.size
        self._phase, self._count = int(parts["phase"][0]), int(parts["count"][0])
        shared = parts["shared"]
        if self.calibrating:
            self._sums[:] = shared[: 4 * self._sums.size].view("<i4")
        else:
            self._sums[:] = 0
        if self._last is not None:
            self._weight[:] = parts["weights"].reshape(self._weight.shape)
            self._bias[:] = parts["biases"]
            self._learned[:] = parts["learned"]
            self._kept[:] = 0 if self.calibrating else self._windows(shared)

    def _fields(self) -> dict[str, tuple[str, int]]:
        """The parts of a state in order: their type and number."""
        fields: dict[str, tuple[str, int]] = {}
        if self._offsets is not None:
            fields["offsets"] = ("<i2", sum(self._spans))
        kept = 0
        if self._last is not None and self._threshold is not None:
            window = packed_bytes(self._threshold.channels, self._threshold.levels)
            kept = self._last.slots * len(self._learned) * window
        fields["shared"] = ("u1", max(4 * self._sums.size, kept))
        if self._last is not None:
            fields["weights"] = (f"<i{self._last.weight_bits // 8}", self._weight.size)
            fields["biases"] = (f"<i{self._last.bias_bits // 8}", self._bias.size)
            fields["learned"] = ("u1", self._learned.size)
        return {**fields, "phase": ("u1", 1), "count": ("<u2", 1)}

    def _state(self) -> bytes:
        shared = b""
        if self.calibrating:
            shared = self._sums.astype("<i4").tobytes()
        elif self._last is not None and self._threshold is not None:
            shared = pack_levels(self._kept.reshape(-1, self._threshold.channels), self._threshold.levels).tobytes()
        values: dict[str, Any] = {
            "shared": np.frombuffer(shared, np.uint8),
            "phase": [self._phase],
            "count": [self._count],
        }
        if self._offsets is not None:
            values["offsets"] = np.concatenate(list(self._shifts.values()))
        if self._last is not None:
            values |= {"weights": self._weight.ravel(), "biases": self._bias, "learned": self._learned}
        content = b""
        for name, (dtype, count) in self._fields().items():
            content += np.asarray(values[name]).astype(dtype).tobytes().ljust(np.dtype(dtype).itemsize * count, b"\0")
        return content

    def _windows(self, shared: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """The kept levels in their place of a state."""
        assert self._threshold is not None
        channels, levels = self._threshold.channels, self._threshold.levels
        windows = self._kept.shape[0] * self._kept.shape[1]
        packed_windows = shared[: windows * packed_bytes(channels, levels)].reshape(windows, -1)
        return unpack_levels(packed_windows, levels, channels).reshape(self._kept.shape)

    def _check(self, parts: dict[str, npt.NDArray[Any]]) -> None:
        """InputError where a value is none that a state can have."""
        phase, count, shared = int(parts["phase"][0]), int(parts["count"][0]), parts["shared"]
        calibrating = phase < len(self._names)
        windows = self._offsets.windows if self._offsets is not None else 1
        sound = phase <= len(self._names) and count < windows and (calibrating or count == 0)
        if self._offsets is not None:
            position = 0
            for name, size in zip(self._names, self._spans, strict=True):
                most = self._offsets.most(self.network.ranges[name])
                sound &= bool(np.all(np.abs(parts["offsets"][position : position + size].astype(np.int64)) <= most))
                position += size
        if self._last is not None:
            sound &= bool(np.all(parts["learned"] < 2 * self._last.slots))
        used = 0
        if sound and calibrating:
            low, high = self.network.ranges[self._names[phase]].bounds
            used, sums = 4 * self._spans[phase], shared[: 4 * self._spans[phase]].view("<i4").astype(np.int64)
            sound &= bool(np.all(np.abs(sums) <= count * max(-low, high, 1)))
        elif sound and self._last is not None and self._threshold is not None:
            kept = self._windows(shared).reshape(-1, self._threshold.channels)
            again = pack_levels(kept, self._threshold.levels).tobytes()
            used = len(again)
            sound &= bool(kept.max(initial=0) <= self._threshold.levels) and again == shared[:used].tobytes()
        if not sound or np.any(shared[used:]):
            raise InputError("saved state", "holds a value that no state of this network has", "Reset the device")

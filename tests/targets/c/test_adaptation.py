"""C of networks that adapt: golden's state, byte for byte, after each step; whatever happens to a saved state."""

from __future__ import annotations

import ctypes
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from edgeml.network.adaptation.lockstep import follow, steps_of
from edgeml.targets.c import generate
from edgeml.targets.cpu.dialect import CPU_DIALECT
from edgeml.targets.cpu.native_adaptation import NativeAdaptation
from tests import sweeps
from tests.network.adaptation.networks import KINDS, adapting_network, drifted, samples
from tests.network.adaptation.test_state_image import hostile_images, states
from tests.targets.cpu.bodies import the_compiler

_STRICT = ("-O0", "-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror")
_TRAP = ("-fsanitize=undefined", "-fsanitize-undefined-trap-on-error")
_READ = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_size_t)


def _native(kind: str, seed: int = 0) -> NativeAdaptation:
    """With undefined behaviour as a trap, and every warning an error."""
    return NativeAdaptation(adapting_network(kind, seed), the_compiler(), (*_STRICT, *_TRAP))


@pytest.mark.parametrize("kind", ["both", "wide"])
def test_each_step_gives_goldens_state(kind: str) -> None:
    network = adapting_network(kind)
    golden = network.adapting()
    assert follow(golden, _native(kind), steps_of(golden, *drifted(network, 7), 120, 7), "native") >= 120


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("kind", KINDS)
def test_a_thousand_steps_give_goldens_state(kind: str) -> None:
    for seed in sweeps.seeds(0, 2):
        network = adapting_network(kind, seed)
        golden = network.adapting()
        steps = steps_of(golden, *drifted(network, seed), 1000, seed)
        assert follow(golden, _native(kind, seed), steps, "native") >= 1000
    native = _native(kind)
    assert all(native.load(image) == 0 for image in states(kind))
    assert all(native.load(image) != 0 for image in hostile_images(kind))


@pytest.mark.parametrize("kind", ["both", "wide"])
def test_states_go_both_ways_and_hostile_ones_change_nothing(kind: str) -> None:
    native = _native(kind)
    for image in states(kind):
        assert native.load(image) == 0
        assert native.state(int.from_bytes(image[16:20], "little")) == image
    before = native.state()
    found = [native.load(image) for image in hostile_images(kind)]
    assert found[:9] == [1, 1, 1, 1, 1, 2, 2, 2, 3]
    assert set(found[9:]) == {4}
    assert native.state() == before


def test_what_cannot_be_learned_is_refused() -> None:
    native = _native("both")
    q, _ = drifted(native.network, 0)
    before = native.state()
    assert [native.learn(q[0], label) for label in (-1, 4, 2**31 - 1, -(2**31))] == [-1] * 4
    assert native.state() == before
    native.calibrate(q[:1])
    before = native.state()
    assert (native.learn(q[0], 0), native.rehearse()) == (-1, -1)
    assert native.state() == before


class _Storage(ctypes.Structure):
    _fields_ = (("read", _READ), ("write", _READ), ("context", ctypes.c_void_p))


class _Flash:
    """Two places of memory, whose power may fail: `left` bytes are still written then."""

    def __init__(self, size: int) -> None:
        self.places = [bytearray(b"\xff" * size), bytearray(b"\xff" * size)]
        self.left: int | None = None
        self.storage = _Storage(_READ(self._read), _READ(self._write), None)

    def _read(self, _: int, place: int, bytes_: int, count: int) -> int:
        ctypes.memmove(bytes_, bytes(self.places[place][:count]), count)
        return 0

    def _write(self, _: int, place: int, bytes_: int, count: int) -> int:
        given = ctypes.string_at(bytes_, count)
        kept = count if self.left is None else min(count, self.left)
        self.places[place][:kept] = given[:kept]
        return 0 if kept == count else 1


def _stored(native: NativeAdaptation, flash: _Flash) -> tuple[Callable[[], int], Callable[[], int]]:
    image = np.zeros(native.image_bytes, np.uint8)

    def save() -> int:
        return native.call("state_save", native.address, image.ctypes.data, ctypes.byref(flash.storage))

    def load() -> int:
        return native.call("state_load", native.address, image.ctypes.data, ctypes.byref(flash.storage))

    return save, load


def test_a_power_cut_anywhere_in_a_save_leaves_the_old_or_the_new_state() -> None:
    network = adapting_network("both")
    native, (q, y) = _native("both"), drifted(network, 1)
    flash = _Flash(native.image_bytes)
    save, load = _stored(native, flash)
    fresh = native.state()
    assert load() == 1
    for round_ in range(3):  # each of the two places is written over
        native.learn(q[round_], int(y[round_]))
        assert save() == 0
        old = native.state()
        native.learn(q[9 + round_], (int(y[9 + round_]) + 1) % 4)
        new = native.state()
        assert old != new
        before = [bytes(place) for place in flash.places]
        found = set()
        for flash.left in range(native.image_bytes + 1):
            flash.places = [bytearray(place) for place in before]
            assert native.load(new) == 0
            assert save() == (0 if flash.left == native.image_bytes else 5)
            assert native.load(fresh) == 0
            assert load() == 0
            found.add(native.state() == new)
            assert native.state() == (new if flash.left == native.image_bytes else old)
        assert found == {True, False}
        flash.left = None


def test_the_newest_state_is_loaded_when_the_number_begins_anew() -> None:
    network = adapting_network("both")
    native, (q, y) = _native("both"), drifted(network, 1)
    flash = _Flash(native.image_bytes)
    save, load = _stored(native, flash)
    flash.places[0][:] = native.state(0xFFFFFFFF)
    native.learn(q[0], (int(y[0]) + 1) % 4)
    learned = native.state()
    assert save() == 0
    assert flash.places[1][16:20] == b"\0\0\0\0"
    native.reset()
    assert load() == 0
    assert native.state() == learned


def test_networks_that_do_not_adapt_have_no_such_files() -> None:
    from dataclasses import replace

    plain = replace(adapting_network("both"), adaptation=None)
    program = generate(plain, CPU_DIALECT)
    assert not [name for name in program.files if "adaptation" in name]
    assert "adapt" not in program.files["net_both.c"]


@pytest.mark.parametrize("kind", ["both", "wide"])
def test_the_guard_and_the_ends_of_weights_are_goldens(kind: str) -> None:
    """Windows that have not shifted, and a state whose weights and biases lie at their ends."""
    network = adapting_network(kind)
    golden, native, (q, y) = network.adapting(), _native(kind), samples(network, 60, 0)
    wanted = golden.windows_wanted
    windows = q[np.linspace(0, 59, wanted // 2).astype(int)]
    for _ in range(2):
        assert golden.calibrate(windows) == native.calibrate(windows)
        assert golden.state() == native.state()
    assert not golden.calibrating
    assert any(np.any(each) for each in golden.offsets.values()) == (kind == "wide")  # it has no guard
    golden, native = network.adapting(), _native(kind)
    last, (outputs, inputs) = network.adaptation.last_layer, network.nodes[-1].layer.weight.shape
    weights = np.where(np.arange(outputs * inputs) % 2, 1, -1) * ((1 << (last.weight_bits - 1)) - 2)
    biases = np.where(np.arange(outputs) % 2, 1, -1) * ((1 << (last.bias_bits - 1)) - 1)
    content = bytearray(golden.state()[:-4])
    start = len(content) - 3 - outputs - outputs * last.bias_bits // 8 - outputs * inputs * last.weight_bits // 8
    ends = weights.astype(f"<i{last.weight_bits // 8}").tobytes() + biases.astype(f"<i{last.bias_bits // 8}").tobytes()
    content[start : start + len(ends)] = ends
    image = bytes(content) + zlib.crc32(content).to_bytes(4, "little")
    golden.load(image)
    assert native.load(image) == 0
    for row in range(60):
        golden.learn(q[row], (int(y[row]) + row) % 4)
        native.learn(q[row], (int(y[row]) + row) % 4)
        assert golden.state() == native.state()

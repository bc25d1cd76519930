"""The C as a function on arrays and tensors in place: integers, errors, threads."""

from __future__ import annotations

import ctypes
import threading

import numpy as np
import pytest
import torch

import edgeml
from edgeml.bundle import Bundle
from edgeml.errors import InputError
from edgeml.network import Network, network_file, simulate
from edgeml.plugins.executor import EXECUTORS, Compiles
from edgeml.targets.cpu.native_call import NativeCall
from edgeml.targets.cpu.native_network import NativeNetwork
from tests.network.random_networks import random_inputs
from tests.targets.cpu.bodies import native_flags, the_compiler
from tests.targets.cpu.test_kernels import two_layers


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, small_network: Network) -> Bundle:
    """Of 12 signed inputs of 8 bits and four outputs."""
    the_compiler()
    folder = tmp_path_factory.mktemp("called")
    network_file.write(small_network, folder / "small.edgeml")
    return edgeml.convert(folder / "small.edgeml", to="quantized", target="host", output=folder / "out")


@pytest.fixture(scope="module")
def narrow() -> NativeCall:
    """Of a network whose inputs are 0 to 3, and whose kernel looks them up in a table."""
    return NativeCall(NativeNetwork(two_layers(2, (130, 64, 3), 2, 0.01), flags=native_flags()))


def inputs(bundle: Bundle, samples: int, seed: int = 1) -> np.ndarray:
    return random_inputs(bundle.network, samples, seed).astype(np.int8)


def test_it_follows_the_protocol_and_executors_that_do_not_are_refused(bundle: Bundle) -> None:
    assert isinstance(EXECUTORS.load("native"), Compiles)
    call = bundle.compile()
    assert (call.dtype, call.inputs, call.outputs) == (np.int8, 12, 4)
    with pytest.raises(InputError, match="Use native"):
        bundle.compile("golden")
    with pytest.raises(InputError, match="trust_code"):
        bundle.compile("native", trust=True)


@pytest.mark.parametrize("samples", [0, 1, 2, 7, 8, 9, 300])
def test_outputs_equal_golden_in_new_arrays_and_in_given_ones(bundle: Bundle, samples: int) -> None:
    call, x = bundle.compile(), inputs(bundle, samples)
    expected = simulate(bundle.network, x.astype(np.int32)) if samples else np.zeros((0, 4), np.int32)
    found = call(x)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.int32
    out = np.full((samples, 4), 7, np.int32)
    assert call(x, out) is out
    np.testing.assert_array_equal(out, expected)
    x.flags.writeable = False
    out[:] = 7
    np.testing.assert_array_equal(call(x, out=out), expected)


def test_one_sample_may_be_a_vector_and_results_are_not_written_again(bundle: Bundle) -> None:
    call, x = bundle.compile(), inputs(bundle, 2)
    first, second, row = call(x[:1]), call(x[1:]), call(x[0])
    expected = simulate(bundle.network, x.astype(np.int32))
    np.testing.assert_array_equal(np.concatenate([first, second]), expected)
    assert row.shape == (4,)
    call(x[1])
    np.testing.assert_array_equal(row, expected[0])
    out = np.zeros(4, np.int32)
    np.testing.assert_array_equal(call(x[1], out), expected[1])
    np.testing.assert_array_equal(call(x[:, ::-1][0]), simulate(bundle.network, x[:1, ::-1].astype(np.int32))[0])


def test_bound_buffers_are_read_and_written_at_each_call(bundle: Bundle) -> None:
    call = bundle.compile()
    for samples in (1, 5):
        x, out = np.zeros((samples, 12), np.int8), np.zeros((samples, 4), np.int32)
        bound, own = call.bind(x, out), call.bind(x)
        for seed in range(3):
            x[:] = inputs(bundle, samples, seed)
            assert bound() is out
            expected = simulate(bundle.network, x.astype(np.int32))
            np.testing.assert_array_equal(out, expected)
            np.testing.assert_array_equal(own(), expected)
            assert own() is own()


def test_a_bound_call_keeps_what_it_reads_and_writes(bundle: Bundle) -> None:
    x = inputs(bundle, 4)
    bound = bundle.compile().bind(x.copy())
    for _ in range(20):
        np.zeros(48, np.int8)
    np.testing.assert_array_equal(bound(), simulate(bundle.network, x.astype(np.int32)))


def test_tensors_are_read_and_written_in_place(bundle: Bundle) -> None:
    call, x = bundle.compile(), inputs(bundle, 6)
    tensor, out = torch.from_numpy(x), torch.zeros(6, 4, dtype=torch.int32)
    assert call(tensor, out) is out
    expected = simulate(bundle.network, x.astype(np.int32))
    np.testing.assert_array_equal(out.numpy(), expected)
    np.testing.assert_array_equal(call(tensor), expected)
    bound = call.bind(tensor, out)
    tensor.copy_(tensor.flip(0))
    assert bound() is out
    np.testing.assert_array_equal(out.numpy(), expected[::-1])


@pytest.mark.parametrize(
    ("x", "out", "words"),
    [
        (np.zeros((2, 12)), None, "input: must be int8 .*found float64"),
        (np.zeros((2, 12), np.uint8), None, "must be int8"),
        (np.zeros((2, 12), np.int32), None, "bundle.quantize"),
        (np.zeros((2, 11), np.int8), None, r"found int8 \[2, 11\]"),
        (np.zeros((1, 2, 12), np.int8), None, r"found int8 \[1, 2, 12\]"),
        (np.zeros((), np.int8), None, r"found int8 \[\]"),
        (np.zeros((2, 24), np.int8)[:, ::2], None, "without gaps"),
        (np.zeros((12, 2), np.int8).T, None, "without gaps"),
        ([[0] * 12], None, "must be a NumPy array or offer DLPack, found list"),
        (torch.zeros(2, 12), None, "found float32"),
        (torch.zeros(12, 2, dtype=torch.int8).T, None, "without gaps"),
        (torch.zeros(2, 12, dtype=torch.bfloat16), None, "gives no array by DLPack"),
        (np.zeros((2, 12), np.int8), np.zeros((2, 4), np.int64), r"out: must be int32 \[2, 4\], found int64"),
        (np.zeros((2, 12), np.int8), np.zeros((3, 4), np.int32), r"found int32 \[3, 4\]"),
        (np.zeros((2, 12), np.int8), np.zeros((2, 4), ">i4"), "must be int32"),
        (np.zeros(12, np.int8), np.zeros((1, 4), np.int32), r"must be int32 \[4\]"),
        (np.zeros((2, 12), np.int8), np.zeros((4, 2), np.int32).T, "without gaps"),
        (np.zeros((2, 12), np.int8), np.zeros(33, np.uint8)[1:].view(np.int32).reshape(2, 4), "aligned"),
        (np.zeros((2, 12), np.int8), np.broadcast_to(np.int32(0), (2, 4)), "writable"),
        (np.zeros((2, 12), np.int8), "text", "found str"),
    ],
)
def test_what_does_not_fit_is_refused(bundle: Bundle, x: object, out: object, words: str) -> None:
    call = bundle.compile()
    for function in (call, call.bind):
        with pytest.raises(InputError, match=words):
            function(x, out)


def test_an_output_on_top_of_the_input_is_refused(bundle: Bundle) -> None:
    memory = np.zeros(32, np.int32)
    x, out = memory[:6].view(np.int8).reshape(2, 12), memory[4:12].reshape(2, 4)
    for function in (bundle.compile(), bundle.compile().bind):
        with pytest.raises(InputError, match="shares memory"):
            function(x, out)


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("value", [4, 255])
def test_integers_that_the_input_does_not_have_are_found_in_every_call(
    narrow: NativeCall, samples: int, value: int
) -> None:
    x, out = np.full((samples, 130), 3, np.uint8), np.full((samples, 3), 7, np.int32)
    bound = narrow.bind(x, out)
    np.testing.assert_array_equal(bound(), narrow(x))
    out[:] = 7
    x[-1, -1] = value
    for call in (bound, lambda: narrow(x), lambda: narrow(x, out)):
        with pytest.raises(InputError, match=rf"integers must lie in 0 … 3, found 3 … {value}"):
            call()
    assert np.all(out == 7)


def test_each_thread_has_working_memory_of_its_own(narrow: NativeCall) -> None:
    """By address: two threads that live at the same time."""
    arena = narrow._native._library[f"{narrow._native.program.layout.name}_arena"]
    arena.restype = ctypes.c_void_p
    found, meeting = [], threading.Barrier(2)

    def look() -> None:
        found.append(arena())
        meeting.wait(60)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    apart = abs(found[0] - found[1])
    assert apart >= narrow._native._arena_bytes
    assert all(address % 64 == 0 for address in found)


def test_threads_that_call_at_once_get_their_own_outputs(narrow: NativeCall) -> None:
    samples = [random_inputs(narrow._native.network, count, count).astype(np.uint8) for count in (1, 1, 600, 601)]
    expected = [simulate(narrow._native.network, x.astype(np.int32)) for x in samples]
    wrong: list[int] = []

    def call(which: int) -> None:
        x = samples[which]
        bound = narrow.bind(x)
        for _ in range(200):
            if not (np.array_equal(narrow(x), expected[which]) and np.array_equal(bound(), expected[which])):
                wrong.append(which)
                return

    threads = [threading.Thread(target=call, args=(which,)) for which in range(len(samples))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_running_a_bundle_again_finds_no_executor_again(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = edgeml.load(bundle.folder)
    q = random_inputs(fresh.network, 3, 1)
    first = fresh.run(q, on="native")
    monkeypatch.setattr(type(EXECUTORS), "all", lambda self: pytest.fail("searched again"))
    np.testing.assert_array_equal(fresh.run(q, on="native"), first)

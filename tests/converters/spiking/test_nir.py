"""NIR: our round trip is exact, other tools read what we write, hostile files give errors."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeml.converters.spiking.exact import to_spikes
from edgeml.converters.spiking.nir import nir_bytes, read_model, read_snn
from edgeml.converters.spiking.nir.read import read_scales
from edgeml.errors import CheckFailed, InputError
from edgeml.frontends import load_model
from edgeml.frontends.snn import Snn
from edgeml.network import Dense, InputQuantizer, Network, Node, Output, network_file, simulate
from edgeml.network.layers.leaky_neurons import LeakyNeurons
from edgeml.network.spiking.models import snntorch_leaky, snntorch_synaptic
from edgeml.verification.reception import real_vectors

from ...network.spiking.random_classic import random_classic
from .test_exact import residual_network

h5py = pytest.importorskip("h5py")

RECORDED = Path(__file__).parents[4] / "shared" / "data" / "nir"


def recorded(name: str) -> Path:
    if not (RECORDED / name).exists():
        pytest.skip(f"recorded NIR runs are not here ({name})")
    return RECORDED / name


def written(tmp_path: Path, network: Network) -> Path:
    path = tmp_path / "network.nir"
    path.write_bytes(nir_bytes(network)[0])
    return path


def zero_reset_network(kind: str, recurrent: bool, steps: int = 40) -> Network:
    """A network that NIR says whole: reset to zero at once, comparison by >; one threshold, one β."""
    rng = np.random.default_rng(4)
    nodes = [Node("input", InputQuantizer(steps * 6, np.ones(1), np.zeros(1), 0, 1, False))]
    inputs = 6
    for k, neurons in enumerate((8, 3)):
        make = snntorch_synaptic if kind == "CubaLIF" else snntorch_leaky
        model = make(decay_bits=6, fraction_bits=14, reset="zero", reset_delay=False)

        def same(value: int, count: int = neurons) -> np.ndarray:
            return np.full(count, value)

        layer = LeakyNeurons(
            model, steps, rng.integers(-5, 9, (neurons, inputs)), 5, same(11 << 14), same(44), same(56),
            rng.integers(-1, 2, neurons) << 14, same(0),
            rng.integers(-4, 5, (neurons, neurons)) if recurrent and k == 0 else None,
        )  # fmt: skip
        nodes.append(Node(f"layer{k}", layer, (nodes[-1].name,)))
        inputs = neurons
    return Network("zero_reset", tuple(nodes), Output(np.ones(1)))


def test_our_own_reader_restores_every_integer(tmp_path: Path) -> None:
    networks = [random_classic(np.random.default_rng(seed))[0] for seed in range(12)]
    networks += [zero_reset_network("LIF", True), zero_reset_network("CubaLIF", False)]
    for network in networks:
        again = read_model(written(tmp_path, network))
        assert isinstance(again, Network)
        assert network_file.to_bytes(again) == network_file.to_bytes(network)


def test_the_same_network_gives_the_same_bytes() -> None:
    network = zero_reset_network("LIF", False)
    assert nir_bytes(network) == nir_bytes(network)


@pytest.mark.parametrize("kind", ["LIF", "CubaLIF"])
@pytest.mark.parametrize("recurrent", [False, True])
def test_the_nodes_alone_say_the_same_spikes_where_the_reset_is_nirs(
    tmp_path: Path, kind: str, recurrent: bool
) -> None:
    network = zero_reset_network(kind, recurrent)
    snn = read_snn(written(tmp_path, network))
    assert isinstance(snn, Snn)
    events = (np.random.default_rng(0).random((40, 4, 6)) < 0.4).astype(float)
    ours = simulate(network, events.transpose(1, 0, 2).reshape(4, -1).astype(np.int32)).reshape(4, 40, 3)
    theirs = snn.run(events).spikes[-1].transpose(1, 0, 2)
    assert theirs.sum() > 20
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("kind", ["LIF", "CubaLIF"])
def test_snntorch_reads_the_file_and_fires_the_same(tmp_path: Path, kind: str) -> None:
    nir = pytest.importorskip("nir")
    pytest.importorskip("nirtorch")
    torch = pytest.importorskip("torch")
    from snntorch.import_nir import import_from_nir

    network = zero_reset_network(kind, recurrent=False)
    graph = nir.read(written(tmp_path, network))
    module = import_from_nir(graph)
    events = (np.random.default_rng(0).random((40, 4, 6)) < 0.4).astype(np.float32)
    state, given = None, []
    with torch.no_grad():
        for step in torch.tensor(events):
            out, state = module(step, state)
            given.append(out.numpy())
    theirs = np.stack(given).transpose(1, 0, 2)
    ours = simulate(network, events.transpose(1, 0, 2).reshape(4, -1).astype(np.int32)).reshape(4, 40, 3)
    assert theirs.sum() > 20
    assert np.array_equal(ours, theirs)


def test_nir_itself_reads_what_every_network_becomes(tmp_path: Path) -> None:
    nir = pytest.importorskip("nir")
    for seed in range(12):
        network, _ = random_classic(np.random.default_rng(seed))
        graph = nir.read(written(tmp_path, network))
        assert {"input", "output"} <= set(graph.nodes)


def test_what_nir_cannot_say_is_said_in_words(tmp_path: Path) -> None:
    quantized = residual_network()
    more = Node("more", Dense(np.ones((1, 6), int), 2, np.zeros(1, int)), ("steps0",))
    chain = Network("chain", (*quantized.nodes[:3], more), Output(np.ones(1)))
    _, lost = nir_bytes(to_spikes(chain, "stbif"))
    assert any("stbif encoding" in sentence for sentence in lost)
    assert any("schedule" in sentence for sentence in lost)
    network, _ = random_classic(np.random.default_rng(1))
    content, lost = nir_bytes(network)
    assert lost
    (tmp_path / "n.nir").write_bytes(content)
    with h5py.File(tmp_path / "n.nir") as file:
        assert [sentence.decode() for sentence in file["edgeml/not_said"][()]] == list(lost)


def test_a_residual_path_has_no_nir() -> None:
    with pytest.raises(InputError, match="chains only"):
        nir_bytes(to_spikes(residual_network(), "unary"))


@pytest.mark.parametrize("simulator", ["norse", "snntorch"])
def test_a_foreign_file_fires_as_two_other_simulators_recorded(simulator: str) -> None:
    snn = load_model(str(recorded("lif.nir")))
    run = np.loadtxt(recorded(f"lif_{simulator}.csv"), delimiter=",")
    ours = snn.run(run[:, 0].reshape(-1, 1, 1)).spikes[0][:, 0, 0]
    assert ours.sum() == run[:, 2].sum() == 4
    assert np.array_equal(np.flatnonzero(ours), np.flatnonzero(run[:, 2]))


def test_a_malformed_file_is_refused_by_its_node() -> None:
    with pytest.raises(InputError, match=r"output.*\[1.0, 1.0, 1.0\]|output has shape"):
        load_model(str(recorded("malformed_for_nir_1_0_8.nir")))


def graph_file(path: Path, nodes: dict, edges: list) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("version", data="1.0")
        group = file.create_group("node")
        group.create_dataset("type", data="NIRGraph")
        group.create_dataset("edges", data=np.array(edges, dtype=object), dtype=h5py.string_dtype())
        for name, fields in nodes.items():
            node = group.create_group(f"nodes/{name}")
            for field, value in fields.items():
                node.create_dataset(field, data=value)
    return path


NODES = {
    "input": {"type": "Input", "shape": np.array([2])},
    "late": {"type": "Delay", "delay": np.array([2e-4, 0])},
    "w": {"type": "Linear", "weight": np.array([[1.0, 1.0]])},
    "n": {"type": "IF", "r": np.ones(1), "v_threshold": np.array([1.5])},
    "output": {"type": "Output", "shape": np.array([1])},
}
EDGES = [("input", "late"), ("late", "w"), ("w", "n"), ("n", "output")]


def test_delays_and_if_neurons_are_read(tmp_path: Path) -> None:
    snn = read_model(graph_file(tmp_path / "d.nir", NODES, EDGES))
    events = np.zeros((5, 1, 2))
    events[0, 0, 0] = events[2, 0, 1] = 1
    assert snn.run(events).spikes[0][:, 0, 0].tolist() == [0, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("change", "edges", "says"),
    [
        ({"w": {"type": "Conv2d", "weight": np.ones((1, 1, 1, 1))}}, EDGES, "Conv2d"),
        ({"w": {"type": "Linear", "weight": np.ones((1, 3))}}, EDGES, "w has weights"),
        ({"w": {"type": "Linear"}}, EDGES, "no numbers 'weight'"),
        ({"n": {"type": "IF", "r": np.ones(1), "v_threshold": np.array([np.nan])}}, EDGES, "NaN"),
        ({"late": {"type": "Delay", "delay": np.array([2.5e-4, 0])}}, EDGES, "not multiples"),
        ({}, [*EDGES[:3], ("n", "nowhere")], "nowhere"),
        ({}, [*EDGES[:3], ("n", "late")], "loop"),
        ({}, EDGES[:2], "goes to nothing"),
        ({"output": {"type": "Output", "shape": np.array([7])}}, EDGES, "output"),
    ],
)
def test_a_broken_graph_is_refused_with_its_node(tmp_path: Path, change: dict, edges: list, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_model(graph_file(tmp_path / "b.nir", {**NODES, **change}, edges))


def test_files_that_are_no_nir_give_an_error(tmp_path: Path) -> None:
    content = nir_bytes(zero_reset_network("LIF", False))[0]
    for number, broken in enumerate((b"", b"hello", content[:700], content[: len(content) // 2])):
        path = tmp_path / f"{number}.nir"
        path.write_bytes(broken)
        with pytest.raises(InputError, match="nir"):
            read_model(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_model(tmp_path / "missing.nir")
    rng = np.random.default_rng(0)
    for number in range(60):
        mangled = bytearray(content)
        for at in rng.integers(0, len(content), 6):
            mangled[at] = rng.integers(256)
        path = tmp_path / f"m{number}.nir"
        path.write_bytes(bytes(mangled))
        with contextlib.suppress(InputError):
            read_model(path)


def test_edges_give_the_order_of_layers_whatever_the_nodes_are_called(tmp_path: Path) -> None:
    """HDF5 keeps nodes by name: here the names sort backwards, and the edges are written in disorder."""
    import nir

    rng = np.random.default_rng(0)
    sizes = [(5, 4), (5, 5), (2, 5)]
    names = [("z", "y"), ("m", "x"), ("b", "a")]
    nodes: dict[str, object] = {"q": nir.Input(np.array([4])), "c": nir.Output(np.array([2]))}
    edges, before = [], "q"
    for (synapses, neurons), (rows, columns) in zip(names, sizes, strict=True):
        nodes[neurons] = nir.LIF(np.full(rows, 0.002), np.full(rows, 20.0), np.zeros(rows), np.ones(rows))
        nodes[synapses] = nir.Linear(rng.normal(size=(rows, columns)))
        edges += [(before, synapses), (synapses, neurons)]
        before = neurons
    edges.append((before, "c"))
    nir.write(tmp_path / "back.nir", nir.NIRGraph(nodes, edges[::-1]))
    network = read_model(tmp_path / "back.nir")
    assert [layer.name for layer in network.layers] == [neurons for _, neurons in names]
    assert [layer.weight.shape for layer in network.layers] == sizes


def test_the_file_says_what_real_numbers_become(tmp_path: Path) -> None:
    network = zero_reset_network("LIF", False)
    generator = np.random.default_rng(0)
    size = network.input_size
    scale, offset = 10.0 ** generator.uniform(-3, 3, size), generator.normal(0, 50, size)
    unlike = replace(network.quantizer, scale=scale, offset=offset)
    nodes = (replace(network.nodes[0], layer=unlike), *network.nodes[1:])
    network = replace(network, nodes=nodes, output=Output(generator.uniform(0.5, 7, network.output_size), -3))
    path = written(tmp_path, network)
    scales = read_scales(path)
    x = real_vectors(unlike, generator.integers(0, 2, (50, size)).astype(np.int32))
    np.testing.assert_array_equal(scales.quantize(x), unlike.quantize(x))
    y = np.arange(network.output_size, dtype=np.int32)[None]
    np.testing.assert_array_equal(scales.real(y), network.output.real(y))
    with h5py.File(path, "r+") as file:
        del file["edgeml/real_numbers"]
    with pytest.raises(CheckFailed, match="does not say what real numbers become"):
        read_scales(path)

"""Circuits that yosys read before, in the user's cache: a large module takes minutes, and is the same each time."""

from __future__ import annotations

import json

from edgeml.proof.circuit import Circuit, Gate, Lookup, Sum
from edgeml.proof.own_code import code_digest
from edgeml.system import cache

from .yosys_reader import circuit_of, read_module, yosys_version

__all__ = ["circuit_of_verilog"]

_READER = ("edgeml.proof.circuit", "edgeml.targets.fpga.proof.yosys_reader", __name__)
_KIND = "proofs"


def circuit_of_verilog(verilog: bytes, name: str) -> Circuit:
    """The circuit of the module `name` of a text; raises what `read_module` and `circuit_of` raise."""
    key = cache.digest_of("circuit", code_digest(*_READER), yosys_version(), name, verilog)
    path = cache.find(_KIND, key)
    if path is not None:
        try:
            return _circuit(path.read_bytes())
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            pass  # read it again
    circuit = circuit_of(read_module(verilog, name))
    cache.keep(_KIND, key, _content(circuit))
    return circuit


def _content(circuit: Circuit) -> bytes:
    gates = [
        [gate.outputs, gate.inputs, f"{gate.table:x}"] if isinstance(gate, Lookup) else [gate.outputs, gate.a, gate.b]
        for gate in circuit.gates
    ]
    content = {
        "input_bits": circuit.input_bits,
        "gates": gates,
        "outputs": circuit.outputs,
        "words": circuit.words,
        "latency": circuit.latency,
        "registered": sorted(circuit.registered),
        "stages": circuit.stages,
    }
    return json.dumps(content, separators=(",", ":")).encode()


def _circuit(content: bytes) -> Circuit:
    read = json.loads(content)
    gates: list[Gate] = []
    for outputs, first, second in read["gates"]:
        if isinstance(second, str):
            (output,) = outputs
            gates.append(Lookup((output,), tuple(first), int(second, 16)))
        else:
            gates.append(Sum(tuple(outputs), tuple(first), tuple(second)))
    words = {name: tuple(bits) for name, bits in read["words"].items()}
    registered, stages = frozenset(read["registered"]), tuple(read["stages"])
    outputs = tuple(read["outputs"])
    return Circuit(read["input_bits"], tuple(gates), outputs, words, read["latency"], registered, stages)

"""Circuits that yosys read before, in the user's cache: a large module takes minutes, and is the same each time."""

from __future__ import annotations

from typing import Any

from edgeml.proof.circuit import Circuit, Gate, Lookup, Sum
from edgeml.proof.kept import keep, kept
from edgeml.proof.own_code import code_digest
from edgeml.system.cache import digest_of

from .yosys_reader import circuit_of, read_module, yosys_version

__all__ = ["circuit_of_verilog"]

_READER = ("edgeml.proof.circuit", "edgeml.targets.fpga.proof.yosys_reader", __name__)


def circuit_of_verilog(verilog: bytes, name: str) -> Circuit:
    """The circuit of the module `name` of a text; raises what `read_module` and `circuit_of` raise."""
    key = digest_of("circuit", code_digest(*_READER), yosys_version(), name, verilog)
    found = kept(key, _circuit)
    if found is None:
        found = circuit_of(read_module(verilog, name))
        keep(key, _content(found))
    return found


def _content(circuit: Circuit) -> dict[str, Any]:
    gates = [
        [gate.outputs, gate.inputs, f"{gate.table:x}"] if isinstance(gate, Lookup) else [gate.outputs, gate.a, gate.b]
        for gate in circuit.gates
    ]
    return {
        "input_bits": circuit.input_bits,
        "gates": gates,
        "outputs": circuit.outputs,
        "words": circuit.words,
        "latency": circuit.latency,
        "registered": sorted(circuit.registered),
        "stages": circuit.stages,
    }


def _circuit(read: Any) -> Circuit:
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

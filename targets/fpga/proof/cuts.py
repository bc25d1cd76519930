"""Where the values of a network stand in the Verilog of the unrolled architecture, by the names that its writer gives.

These are hints: they are taken from the plan of the design, not from the Verilog. A wrong one makes a proof fail.
"""

from __future__ import annotations

from edgeml.proof.circuit import Circuit
from edgeml.proof.claim import Artifact, Cut

from ..architectures.unrolled.cells import cell_name
from ..architectures.unrolled.layer_modules import cell_path
from ..architectures.unrolled.netlist import Bit
from ..architectures.unrolled.network_logic import Logic
from ..architectures.unrolled.value import Value

__all__ = ["artifact_of", "word_of"]


def artifact_of(circuit: Circuit, logic: Logic) -> Artifact:
    """The ends of a pipeline, and the cuts that its names give; None where a name is not in the circuit."""
    inputs, outputs = logic.input_element.bits, logic.output_element.bits
    data = tuple(range(2, circuit.input_bits + 2))
    raw_inputs = tuple(data[k : k + inputs] for k in range(0, len(data), inputs))
    raw_outputs = tuple(circuit.outputs[k : k + outputs] for k in range(0, len(circuit.outputs), outputs))
    cuts = {name: tuple(_cut(circuit, logic, value) for value in values) for name, values in logic.values.items()}
    return Artifact(raw_inputs, raw_outputs, cuts)


def _cut(circuit: Circuit, logic: Logic, value: Value | None) -> Cut | None:
    if value is None or value.function is not None:
        return None
    bits = [_bit(circuit, logic, bit) for bit in value.bits]
    return Cut(tuple(bit for bit in bits if bit is not None), value.offset) if None not in bits else None


def word_of(circuit: Circuit, logic: Logic, cell: int) -> str:
    """What the outputs of a cell are called in a circuit: within its layer's module, or in a pipeline without any."""
    path = cell_path(logic, cell)
    return path if path in circuit.words else cell_name(cell)


def _bit(circuit: Circuit, logic: Logic, bit: Bit) -> int | None:
    """The bit of the circuit that an emitted bit is called; None without such a name."""
    if bit.cell == -2:
        return bit.index
    if bit.cell == -1:
        found: int | None = bit.index + 2
    else:
        word = circuit.words.get(word_of(circuit, logic, bit.cell), ())
        found = word[bit.index] if bit.index < len(word) else None
    return found if found is None or not bit.inverted else ~found

"""What hardware knows of a kind of layer, and how it is found by the layer's kind.

A package that adds a kind imports from here all that its hardware is made of: the base classes of units and logic, and
what they work with. For units: `type_of`, `spaced`, and what amounts are counted by (`Parts`, `counter_bits`,
`block_rams`, `multiplier_blocks`). For logic: `Netlist.add` of a `CellKind`; `spread` puts bits into columns by weight,
`sum_value` adds the columns up, `two_complement` gives the bits of a `Value`.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass

from edgeml.errors import InputError
from edgeml.network import Layer, Network, Node
from edgeml.targets.layer_kinds import LayerKinds

from .architectures.folded.clocks import ValueClocks, spaced
from .architectures.folded.folding import Folding
from .architectures.folded.unit import Place, Unit
from .architectures.unrolled.layer_logic import LayerLogic, LogicChoices
from .architectures.unrolled.netlist import ONE, ZERO, Bit, CellKind, Netlist
from .architectures.unrolled.value import Value, spread, sum_value, two_complement
from .budget import Family
from .estimate.parts import Parts, block_rams, counter_bits, multiplier_blocks
from .verilog.element import Element, type_of
from .verilog.memory import memory_image, pack_words

__all__ = [
    "ONE",
    "ZERO",
    "Bit",
    "CellKind",
    "Element",
    "Family",
    "Folding",
    "LayerHardware",
    "LayerLogic",
    "LogicChoices",
    "Netlist",
    "Parts",
    "Place",
    "Unit",
    "Value",
    "ValueClocks",
    "block_rams",
    "compared_form",
    "counter_bits",
    "has_logic",
    "has_unit",
    "layer_hardware",
    "layer_logic",
    "layer_unit",
    "logic_kinds",
    "memory_image",
    "multiplier_blocks",
    "pack_words",
    "spaced",
    "spread",
    "sum_value",
    "two_complement",
    "type_of",
    "unit_kinds",
]

ENTRY_POINTS = "edgeml.fpga_layers"
"""The group of entry points by which packages add the hardware of kinds of layer."""


@dataclass(frozen=True)
class LayerHardware:
    """All that hardware knows of a kind of layer. A file `layers/KIND.py` gives one, named `HARDWARE`.

    A package of anybody's gives one by an entry point of the group `edgeml.fpga_layers`, whose name is the kind:

        [project.entry-points."edgeml.fpga_layers"]
        concat = "my_package.concat_fpga:HARDWARE"

    Parameters
    ----------
    kind : of the layer, as in `edgeml.network`.
    unit : a subclass of `architectures.folded.unit.Unit`, which says what one must give: module, types, clocks,
        memory images, amounts of logic. The text of Verilog modules that are not edgeml's comes from its
        `module_text`. None: the folded architecture refuses the kind.
    alternatives : other units, each with a name (`Unit.alternative`), of which a layer gets one if it costs less on the
        part (`architectures.folded.unit_choice`). The constructor of one that cannot be had for a layer raises
        InputError.
    logic : an `architectures.unrolled.layer_logic.LayerLogic`, which adds the layer's cells to a netlist: what they
        cost, and after how many clocks they are done, follows from the cells. None: the unrolled architecture refuses
        the kind.
    takes_constants : whether it compares its input with constants of its own, into which an offset of that input can
        move: dense layers then leave their constants to it (`Unit.give_constant`, `LogicChoices.offset_is_free`).
    compared_form : the form of designs over which estimates of such layers were compared with yosys: `quantized` or
        `int8`, as in `estimate.constants.ERRORS`; "" if there was no such comparison, which is then not cited.
    """

    kind: str
    unit: type[Unit] | None = None
    logic: LayerLogic | None = None
    takes_constants: bool = False
    compared_form: str = ""
    alternatives: tuple[type[Unit], ...] = ()

    def __post_init__(self) -> None:
        if self.unit is None:
            return
        lacking = sorted(self.unit.__abstractmethods__) if inspect.isabstract(self.unit) else []
        lacking += [] if self.unit.module else ["module"]
        lacking += [] if self.unit.modules else ["modules"]
        if lacking:
            raise InputError(
                f"layer kind {self.kind!r}",
                f"its folded unit {self.unit.__name__} lacks {', '.join(lacking)}",
                "See edgeml.targets.fpga.architectures.folded.unit.Unit",
            )


_KINDS = LayerKinds("edgeml.targets.fpga.layers", "HARDWARE", ENTRY_POINTS, "hardware of layer kind", LayerHardware)
_FOUND: dict[type[Layer], LayerHardware] = {}


def _of(node: Node) -> LayerHardware | None:
    """The hardware of a node's kind, looked up once for each class of layers: plans ask for it often."""
    layer = type(node.layer)
    if layer not in _FOUND:
        found = _KINDS.get(layer.kind)
        if found is None:
            return None
        _FOUND[layer] = found
    return _FOUND[layer]


def layer_hardware(node: Node) -> LayerHardware:
    """The hardware of a node's kind; InputError naming the layer if there is none."""
    found = _of(node)
    if found is None:
        raise InputError(f"layer {node.name}", f"no hardware is known for {node.layer.kind!r}", _known(_KINDS.names()))
    return found


def layer_unit(node: Node, alternative: str = "") -> type[Unit]:
    """The folded unit for a node, or its kind's alternative of this name; InputError naming the layer if its kind has
    none."""
    found = _of(node)
    if found is not None and alternative:
        for unit in found.alternatives:
            if unit.alternative == alternative:
                return unit
        raise InputError(f"layer {node.name}", f"has no unit {alternative!r}", "Convert again")
    if found is None or found.unit is None:
        raise InputError(
            f"layer {node.name}",
            f"the folded architecture has no unit for {node.layer.kind!r}",
            _known(unit_kinds()),
        )
    return found.unit


def layer_logic(node: Node) -> LayerLogic:
    """The unrolled logic of a node; InputError naming the layer if its kind has none."""
    found = _of(node)
    if found is None or found.logic is None:
        raise InputError(
            f"layer {node.name}",
            f"the unrolled architecture has no logic for {node.layer.kind!r}",
            f"{_known(logic_kinds())}; try --architecture folded",
        )
    return found.logic


def compared_form(network: Network) -> str:
    """The form of designs by which estimates of a network's layers were held against yosys; "" if one was not."""
    forms = {layer_hardware(node).compared_form for node in network.layers}
    if "" in forms:
        return ""
    return "int8" if "int8" in forms else "quantized"


def has_unit(kind: str) -> bool:
    """Whether the folded architecture has a unit for a kind of layer."""
    found = _KINDS.get(kind)
    return found is not None and found.unit is not None


def has_logic(kind: str) -> bool:
    """Whether the unrolled architecture has logic for a kind of layer."""
    found = _KINDS.get(kind)
    return found is not None and found.logic is not None


def unit_kinds() -> list[str]:
    """The kinds of layer that the folded architecture has a unit for."""
    return _KINDS.having(lambda hardware: hardware.unit is not None)


def logic_kinds() -> list[str]:
    """The kinds of layer that the unrolled architecture has logic for."""
    return _KINDS.having(lambda hardware: hardware.logic is not None)


def _known(kinds: list[str]) -> str:
    """A remedy: the kinds that do have what another lacks."""
    return f"It has: {', '.join(kinds)}"

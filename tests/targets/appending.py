"""A kind of layer in a package of somebody's: y = a followed by b. Its meaning, its C, its hardware, a module."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import numpy as np
import pytest

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold, layer_class

from ..sdk.installed_plugin import install

__all__ = ["HARDWARE", "MEANING", "appending_network", "install_append"]

_NUMBERS = count()

MEANING = """
import dataclasses
from typing import ClassVar

import numpy as np

from edgeml.network import Layer, ValueRange


@dataclasses.dataclass(frozen=True, eq=False)
class Append(Layer):
    kind: ClassVar[str] = "append"
    input_count: ClassVar[int] = 2

    def output_size(self, *input_sizes):
        return sum(input_sizes)

    def output_range(self, *inputs):
        return ValueRange(np.concatenate([x.low for x in inputs]), np.concatenate([x.high for x in inputs]))

    def evaluate(self, *inputs):
        return np.concatenate(inputs, axis=1)
"""

MODULE = """
// y = a followed by b, LANES channels per clock; each value is pushed one clock after it is taken.
`default_nettype none
module appending #(
    parameter LANES = 1,
    parameter A_BEATS = 1,
    parameter A_BITS = 1,
    parameter A_SIGNED = 0,
    parameter BEATS = 2,
    parameter B_BITS = 1,
    parameter B_SIGNED = 0,
    parameter OUTPUT_BITS = 1
) (
    input  wire                         clk,
    input  wire                         rst,
    input  wire                         a_valid,
    output wire                         a_ready,
    input  wire [LANES*A_BITS-1:0]      a_data,
    input  wire                         b_valid,
    output wire                         b_ready,
    input  wire [LANES*B_BITS-1:0]      b_data,
    input  wire                         can_reserve,
    output wire                         reserve,
    output reg                          push,
    output reg  [LANES*OUTPUT_BITS-1:0] push_data
);
    localparam COUNT_BITS = $clog2(BEATS + 1);
    localparam [COUNT_BITS-1:0] FIRST_OF_B = A_BEATS[COUNT_BITS-1:0];
    localparam [COUNT_BITS-1:0] LAST = BEATS[COUNT_BITS-1:0] - 1'b1;
    reg [COUNT_BITS-1:0] position;
    wire second = position >= FIRST_OF_B;
    assign reserve = (second ? b_valid : a_valid) && can_reserve;
    assign a_ready = reserve && !second;
    assign b_ready = reserve && second;
    wire [LANES*OUTPUT_BITS-1:0] a_wide, b_wide;
    genvar p;
    generate
        for (p = 0; p < LANES; p = p + 1) begin : lane
            wire a_sign = (A_SIGNED != 0) && a_data[p*A_BITS+A_BITS-1];
            wire b_sign = (B_SIGNED != 0) && b_data[p*B_BITS+B_BITS-1];
            wire [A_BITS+OUTPUT_BITS-1:0] a = {{OUTPUT_BITS{a_sign}}, a_data[p*A_BITS +: A_BITS]};
            wire [B_BITS+OUTPUT_BITS-1:0] b = {{OUTPUT_BITS{b_sign}}, b_data[p*B_BITS +: B_BITS]};
            wire unused = &{1'b0, a, b};
            assign a_wide[p*OUTPUT_BITS +: OUTPUT_BITS] = a[OUTPUT_BITS-1:0];
            assign b_wide[p*OUTPUT_BITS +: OUTPUT_BITS] = b[OUTPUT_BITS-1:0];
        end
    endgenerate
    always @(posedge clk) begin
        push <= reserve && !rst;
        push_data <= second ? b_wide : a_wide;
        if (rst || (reserve && position == LAST)) position <= {COUNT_BITS{1'b0}};
        else if (reserve) position <= position + 1'b1;
    end
endmodule
`default_nettype wire
"""

HARDWARE = f'''
import numpy as np

from edgeml.targets.fpga.layer_hardware import LayerHardware, LayerLogic, Unit, counter_bits, spaced, type_of

MODULE = """{MODULE}"""


class AppendUnit(Unit):
    takes_streams = True
    module = "appending"
    modules = ("appending.v",)
    latency = 1

    @classmethod
    def module_text(cls, name):
        return MODULE.encode()

    @property
    def output(self):
        return type_of(min(x.low for x in self.inputs), max(x.high for x in self.inputs))

    @property
    def first(self):
        return self.network.sizes[self.node.inputs[0]]

    def output_lanes(self, simd, offered):
        return () if self.first % simd else (simd,)

    def schedule(self, valid, room, frames):
        a, b = (clocks.reshape(frames, -1) for clocks in valid)
        reserved = spaced(np.maximum(np.concatenate([a, b], axis=1).ravel(), room))
        ordered = reserved.reshape(frames, -1)
        return [ordered[:, : a.shape[1]].ravel(), ordered[:, a.shape[1] :].ravel()], reserved

    def parameters(self):
        a, b = self.inputs
        return {{
            "LANES": self.pe, "A_BEATS": self.first // self.pe, "A_BITS": a.bits, "A_SIGNED": int(a.signed),
            "BEATS": self.beats, "B_BITS": b.bits, "B_SIGNED": int(b.signed), "OUTPUT_BITS": self.output.bits,
        }}

    def add_amounts(self, parts, family):
        width = self.pe * self.output.bits
        parts.flip_flops += width + 1 + counter_bits(self.beats + 1)
        parts.add("select", width)
        parts.add("stream", 2 * counter_bits(self.beats + 1) + 3.0)


class AppendLogic(LayerLogic):
    def add(self, netlist, node, network, inputs, choices):
        return [value for values in inputs for value in values]


HARDWARE = LayerHardware("append", AppendUnit, AppendLogic())
'''


def install_append(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, **entry_points: str) -> type:
    """Install a package with the meaning of a kind like `append` and with `source`; the class of its layers.

    Each call makes a package and a kind of their own: `append` stands for the kind in `source`, and entry points give
    what the package has for it, e.g. fpga_layers="HARDWARE".
    """
    number = next(_NUMBERS)
    package, kind = f"edgeml_append{number}", f"append{number}"
    given = {group: f"{kind} = {package}:{name}" for group, name in {"layers": "Append", **entry_points}.items()}
    install(folder, monkeypatch, package, (MEANING + source).replace('"append"', f'"{kind}"'), **given)
    return layer_class(kind)


def appending_network(append: type, sizes: tuple[int, int], *, seed: int = 0, inputs: int = 6) -> Network:
    """Two branches of these sizes from one input, one after the other, and a dense layer that takes both."""
    rng = np.random.default_rng(seed)
    nodes = [Node("input", InputQuantizer(inputs, np.ones(1), np.zeros(1), 0, 4, True))]
    for branch, size in zip("ab", sizes, strict=True):
        dense = Dense(rng.integers(-1, 2, (size, inputs)), 2, rng.integers(-5, 6, size))
        levels = Threshold(np.sort(rng.integers(-25, 26, (size, 3)), axis=1), -int(branch == "b"))
        nodes += [Node(f"dense_{branch}", dense, ("input",)), Node(f"act_{branch}", levels, (f"dense_{branch}",))]
    nodes.append(Node("both", append(), ("act_a", "act_b")))
    last = Dense(rng.integers(-1, 2, (3, sum(sizes))), 2, rng.integers(-5, 6, 3))
    return Network("appending", (*nodes, Node("last", last, ("both",))), Output(np.ones(1)))

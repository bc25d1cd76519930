"""Multipliers of which yosys brings no simulation models: as it uses them, no registers."""

from __future__ import annotations

__all__ = ["MULTIPLIER_MODELS"]

_REGISTERS = (
    "A",
    "ACASC",
    "AD",
    "ALUMODE",
    "B",
    "BCASC",
    "C",
    "CARRYIN",
    "CARRYINSEL",
    "D",
    "INMODE",
    "M",
    "OPMODE",
    "P",
)


def _dsp48e2() -> str:
    """P = A[26:0] · B, signed; any other use ends the simulation."""
    registers = [f"{name}REG" for name in _REGISTERS]
    words = {"A_INPUT": "DIRECT", "B_INPUT": "DIRECT", "USE_MULT": "MULTIPLY", "USE_SIMD": "ONE48"}
    words |= {"AMULTSEL": "A", "BMULTSEL": "B"}
    parameters = [*(f"{name} = 0" for name in registers), *(f'{name} = "{word}"' for name, word in words.items())]
    used = " | ".join(f"({name} != 0)" for name in registers)
    return f"""module DSP48E2 #(parameter {", ".join(parameters)}) (
    input signed [29:0] A, input signed [17:0] B, input [47:0] C, input [26:0] D, input [29:0] ACIN, input [17:0] BCIN,
    input [47:0] PCIN, input [3:0] ALUMODE, input [4:0] INMODE, input [8:0] OPMODE, input [2:0] CARRYINSEL,
    input CARRYIN, output signed [47:0] P
);
    wire signed [26:0] factor = A[26:0];
    assign P = factor * B;
    initial if ({used}) $fatal(1, "DSP48E2 with registers has no model");
    always @* if (OPMODE != 9'h005 || ALUMODE != 0 || INMODE != 0 || CARRYINSEL != 0 || CARRYIN)
        $fatal(1, "DSP48E2 that does more than to multiply has no model");
endmodule
"""


def _mult18x18d() -> str:
    """P = A · B of 18 bits each, signed or not; without parameters, so that a register is refused."""
    pins = {name: [f"{name}{bit}" for bit in reversed(range(width))] for name, width in (("A", 18), ("B", 18))}
    unused = [f"C{bit}" for bit in range(18)]
    outputs = [f"P{bit}" for bit in reversed(range(36))]
    inputs = [*pins["A"], *pins["B"], *unused, "SIGNEDA", "SIGNEDB", "SOURCEA", "SOURCEB"]
    a, b = (", ".join(pins[name]) for name in "AB")
    return f"""module MULT18X18D (input {", ".join(inputs)}, output {", ".join(outputs)});
    wire signed [18:0] a = {{SIGNEDA & A17, {a}}};
    wire signed [18:0] b = {{SIGNEDB & B17, {b}}};
    wire signed [37:0] product = a * b;
    assign {{{", ".join(outputs)}}} = product[35:0];
endmodule
"""


def _gowin(bits: int) -> str:
    """DOUT = A · B, each signed or not; without parameters, so that a register is refused."""
    shifted = f"    input [{bits - 1}:0] SIA, input [{bits - 1}:0] SIB, input ASEL, input BSEL,\n" if bits < 36 else ""
    return f"""module MULT{bits}X{bits} (
    input [{bits - 1}:0] A, input [{bits - 1}:0] B, input ASIGN, input BSIGN,
{shifted}    input CLK, input CE, input RESET, output [{2 * bits - 1}:0] DOUT
);
    wire signed [{bits}:0] a = {{ASIGN & A[{bits - 1}], A}};
    wire signed [{bits}:0] b = {{BSIGN & B[{bits - 1}], B}};
    wire signed [{2 * bits + 1}:0] product = a * b;
    assign DOUT = product[{2 * bits - 1}:0];
endmodule
"""


MULTIPLIER_MODELS = {
    "xcup": _dsp48e2(),
    "ecp5": _mult18x18d(),
    "gowin": "".join(_gowin(bits) for bits in (9, 18, 36)),
}
"""Verilog by family."""

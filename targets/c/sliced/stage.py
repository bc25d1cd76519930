"""The stage that computes a whole chain of Boolean functions, a bit of each of 512 samples in a plane."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from edgeml.network import Network, ValueRange

from ..arrays import ConstantArray
from ..dialect import Dialect
from ..emitter import LayerJob
from ..encode_loops import rule_loops
from ..layer_code import LayerCode
from ..logic_tables import looked_up
from ..tensor import Tensor
from .chain import Chain, Program, chain_of, program_of
from .planes import Planes
from .ternary import expression

__all__ = ["is_sliced", "sliced_code", "sliced_output"]

_SAMPLES = 512
_FEWEST = 4
"""Fewer samples are computed one by one."""
_LONG = 256
"""Bytes of a row from which on rows are asked for ahead."""
_CHANNELS = 16
_TOGETHER = 4
"""Tests that are made before the first of them is written."""
_BEHIND = 8
"""Constants behind those of the sums, which are read eight at a time."""
_NEAR = re.compile(r"EDGEML_PLANE\((\d+),")
_LINES = 200
"""Statements of a C function, about: compilers take long for more."""


def is_sliced(network: Network, dialect: Dialect) -> bool:
    """Whether a network is one stage of many samples at once; a monitor looks at the layers of one sample."""
    return dialect.sliced and network.monitor is None and chain_of(network) is not None


def sliced_output(network: Network) -> Tensor:
    """What the stage gives: the network's outputs, without padding."""
    last = network.nodes[-1].name
    return Tensor.make(last, network.ranges[last], 1, ctype="int32_t")


def sliced_code(job: LayerJob) -> LayerCode:
    """The stage of a whole network, from the caller's integers on; few samples are computed one by one."""
    chain = chain_of(job.network)
    assert chain is not None
    quantizer = job.network.quantizer
    entry = job.nodes[0].name
    x = Tensor.make(entry, job.network.ranges[entry], _CHANNELS, ctype="uint8_t")
    size, name = quantizer.size, job.prefix
    # Rows of eight bytes or more, from 0 up, are read where they are.
    where_they_are = not quantizer.signed and size >= 8
    singly, program = _singly(chain, job, x), program_of(chain, job, x, size if where_they_are else x.padded)
    header, calls = _functions(program.planes, name)
    tests, arrays = _tests(program, name, *(("from", size) if where_they_are else ("row", x.padded)))
    sums, outputs = program.sums, job.output.size
    bases = np.pad(np.array(sums.constants, np.int64), (0, _BEHIND))
    base = ConstantArray(f"{name}_sum_base", "int32_t", bases, "what is added to each sum")
    lengths = f"{outputs}, {sums.length}, 0x{sums.eights:x}u"
    given = "int8_t" if quantizer.signed else "uint8_t"
    row = () if where_they_are else (_row(job.network, x)("from", "row"),)
    ahead = (
        (f"edgeml_slices_ahead(from + (samples - sample > 2u ? {2 * size}u : 0u), {size}u);",) if size >= _LONG else ()
    )
    room = 0 if where_they_are else -(-x.padded // 64) * 64
    statements = (
        f"if (samples < {_FEWEST}u) {{",
        "    for (size_t sample = 0; sample < samples; sample++) {",
        *(f"        {line}" for line in singly.statements),
        "    }",
        "} else {",
        f"    edgeml_slice *const p = (edgeml_slice *)(void *)(scratch + {room}u);",
        "    uint64_t *const words = (uint64_t *)(void *)p;",
        *([] if where_they_are else ["    uint8_t *const row = scratch;"]),
        f"    const {given} *from = x;",
        "    uint64_t *word = words;",
        f"    for (size_t sample = 0; sample < samples; sample++, from += {size}u, word++) {{",
        *(f"        {line}" for line in (*ahead, *row, *tests)),
        "    }",
        *(
            f"    edgeml_slices_to_columns({_rows(at)}, 0x{(1 << test.eights) - 1:x}u);"
            for at, test in enumerate(program.tests)
        ),
        *(f"    {line}" for line in calls),
        f"    edgeml_slices_sums(p + {sums.first}u * EDGEML_SLICES, {lengths}, {base.name}, samples, y);",
        "}",
    )
    scratch = room + 64 * program.planes.count
    return LayerCode(
        statements=statements,
        comment=f"{singly.comment}; {_SAMPLES} samples at once, {program.planes.count} planes of bits",
        includes=("input.h", "slice_tests.h", "slice_sums.h", f"{name.lower()}_planes.h"),
        headers={f"{name.lower()}_planes.h": header},
        constants=(*singly.constants, *arrays, base),
        scratch_bytes=max(-(-scratch // _SAMPLES), singly.scratch_bytes),
        per_sample=False,
        kernel="logic_slices",
        tile=_SAMPLES,
    )


def _rows(vector: int) -> str:
    """Where the planes of the 64 rows of a test begin, in C."""
    return f"p + {vector} * EDGEML_SLICES_ROWS * EDGEML_SLICES" if vector else "p"


def _tests(program: Program, name: str, row: str, size: int) -> tuple[list[str], list[ConstantArray]]:
    """The calls that make a sample's row of each 64 planes, and their arrays."""
    made: list[str] = []
    places: list[npt.NDArray[np.uint8]] = []
    operands: list[npt.NDArray[np.uint8]] = []
    for test in program.tests:
        if test.place is None or test.operand is None:
            made.append(f"edgeml_slices_all_bits({row} + {test.base}u)")
            continue
        window = f"{row} + {test.base}u, {min(size - test.base, 64)}u, {test.eights}u, {int(test.together)}"
        arrays = f"{name}_test_places + {64 * len(places)}u, {name}_test_operands + {64 * len(places)}u"
        made.append(f"edgeml_slices_{test.kind}({window}, {arrays})")
        places.append(test.place)
        operands.append(test.operand)
    # Some tests, then where they go: bytes would be read again behind each that is written.
    calls: list[str] = []
    for first in range(0, len(made), _TOGETHER):
        vectors = range(first, min(first + _TOGETHER, len(made)))
        calls += [f"const uint64_t row{vector} = {made[vector]};" for vector in vectors]
        calls += [f"word[{vector} * EDGEML_SLICES_ROWS * EDGEML_SLICES_WORDS] = row{vector};" for vector in vectors]
    if not places:
        return calls, []
    return calls, [
        ConstantArray(f"{name}_test_places", "uint8_t", np.stack(places), "bytes of a row that are tested, in windows"),
        ConstantArray(f"{name}_test_operands", "uint8_t", np.stack(operands), "against what"),
    ]


def _row(network: Network, x: Tensor) -> Callable[[str, str], str]:
    """The call that clips a sample and stores it from 0 up: from where, to where."""
    quantizer = network.quantizer
    kind, end = ("s8", quantizer.low) if quantizer.signed else ("u8", quantizer.high)
    return lambda source, target: f"edgeml_input_{kind}({source}, {quantizer.size}, {x.padded}, {end}, {target});"


def _singly(chain: Chain, job: LayerJob, x: Tensor) -> LayerCode:
    """The C of one sample: its bits as bytes, the functions looked up, their sums."""
    name = job.prefix
    copied = _row(job.network, x)(f"x + sample * {job.network.input_size}u", "q")
    statements = ["uint8_t *const q = scratch;", copied]
    constants: list[ConstantArray] = []
    source, tensor, offset = "q", x, x.padded

    def next_bits(size: int) -> str:
        nonlocal offset
        variable = f"bits{offset}"
        statements.append(f"uint8_t *const {variable} = scratch + {offset}u;")
        offset += size
        return variable

    if chain.encode is not None:
        size = chain.encode.outputs
        bits = Tensor.make("bits", ValueRange.uniform(0, 1, size), 1)
        target = next_bits(size)
        loops, arrays = rule_loops(chain.encode, x, bits, name, source, target)
        statements += loops
        constants += arrays
        source, tensor = target, bits
    for depth, layer in enumerate(chain.logic):
        target = next_bits(layer.outputs)
        loop, arrays = looked_up(layer, f"{name}_{depth}", tensor, 0, source, target)
        statements += loop
        constants += arrays
        source, tensor = target, Tensor.make("bits", ValueRange.uniform(0, 1, layer.outputs), 1)
    outputs = job.output.size
    sums: tuple[str, ...]
    if chain.dense is None:
        sums = (f"for (size_t o = 0; o < {outputs}u; o++) {{", f"    y[sample * {outputs}u + o] = {source}[o];", "}")
    else:
        dense = chain.dense
        weight = ConstantArray(f"{name}_weight", "int8_t", dense.weight, f"[{outputs}][{dense.inputs}]")
        base = dense.bias - dense.input_zero_point * dense.weight.astype(np.int64).sum(axis=1)
        bias = ConstantArray(f"{name}_bias", "int32_t", base, "")
        constants += [weight, bias]
        sums = (
            f"for (size_t o = 0; o < {outputs}u; o++) {{",
            f"    int64_t sum = {bias.name}[o];",
            f"    for (size_t i = 0; i < {dense.inputs}u; i++) {{",
            f"        sum += {weight.name}[o * {dense.inputs}u + i] * {source}[i];",
            "    }",
            f"    y[sample * {outputs}u + o] = (int32_t)sum;",
            "}",
        )
    comment = " -> ".join(node.layer.summary() for node in job.nodes[1:])
    return LayerCode((*statements, *sums), comment, constants=tuple(constants), scratch_bytes=offset)


def _functions(planes: Planes, name: str) -> tuple[str, list[str]]:
    """A header with the functions that make the planes, and the calls of them."""
    lines = ["/* Boolean functions of planes of bits. Generated by edgeml. */"]
    for code in sorted(planes.codes):
        lines += [
            f"#if !defined(EDGEML_TERNARY_{code:02X}_DEFINED)",
            f"#define EDGEML_TERNARY_{code:02X}_DEFINED",
            f"EDGEML_TERNARY({code:02x}, {expression(code)})",
            "#endif",
        ]
    calls: list[str] = []
    start = 0
    for end in _cuts(planes):
        function = f"{name}_planes_{len(calls)}"
        body = planes.lines[start:end]
        near = sorted({int(number) for line in body for number in _NEAR.findall(line)})
        pointers = ", ".join(f"edgeml_slice *p{number}" for number in near)
        lines += ["", f"EDGEML_SEPARATE void {function}({pointers})", "{", *(f"    {line}" for line in body), "}"]
        calls.append(f"{function}({', '.join(f'EDGEML_NEAR({number}u) + slice' for number in near)});")
        start = end
    if not calls:
        return "\n".join([*lines, ""]), []
    # One function after the other: its instructions are many, and fetched once.
    head = "for (size_t slice = 0; slice < EDGEML_SLICES; slice++) {"
    return "\n".join([*lines, ""]), [line for call in calls for line in (head, f"    {call}", "}")]


def _cuts(planes: Planes) -> list[int]:
    """Where functions end: at least so many lines each."""
    found, start = [], 0
    for end in planes.ends:
        if end - start >= _LINES or (end == planes.ends[-1] and end > start):
            found.append(end)
            start = end
    return found

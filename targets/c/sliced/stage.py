"""The stage that computes a whole chain of Boolean functions, a bit of each of 512 samples in a plane."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from edgeml.network import Network, ValueRange

from ..arrays import ConstantArray
from ..dialect import Dialect
from ..emitter import LayerJob
from ..encode_loops import rule_loops
from ..layer_code import LayerCode
from ..logic_tables import looked_up
from ..tensor import Tensor
from .chain import TESTS, Chain, Program, chain_of, program_of
from .planes import Planes
from .ternary import expression

__all__ = ["is_sliced", "sliced_code", "sliced_output"]

_SAMPLES = 512
_FEWEST = 4
"""Fewer samples are computed one by one."""
_CHANNELS = 16
_NEAR = re.compile(r"EDGEML_PLANE\((\d+),")
_LINES = 200
"""Statements of a C function, about: compilers take long for more."""


def is_sliced(network: Network, dialect: Dialect) -> bool:
    """Whether a network is one stage of many samples at once."""
    return dialect.sliced and chain_of(network) is not None


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
    singly, program = _singly(chain, job, x), program_of(chain, job, x)
    size, name, row = quantizer.size, job.prefix, _row(job.network, x)
    header, calls = _functions(program.planes, name)
    tests, arrays = _tests(program, name)
    firsts = ConstantArray(
        f"{name}_sum_planes", "uint32_t", np.array(program.first, np.int64), "first plane of each sum"
    )
    counts = ConstantArray(f"{name}_sum_bits", "uint8_t", np.array(program.counts, np.int64), "planes of each sum")
    base = ConstantArray(f"{name}_sum_base", "int32_t", np.array(program.constants, np.int64), "what is added to it")
    narrow = "" if max(program.counts) <= 8 else "_any"
    sums = f"edgeml_slices_sums{narrow}(p, {firsts.name}, {counts.name}, {base.name}, {job.output.size}u, samples, y);"
    copied = (
        "for (size_t i = 0; i < 64 && i < left; i++) {",
        f"    {row(f'from + i * {size}u', f'rows + i * {x.padded}u')}",
        "}",
        f"edgeml_slices_columns(rows, {x.padded}u, {x.padded}u, 255u, columns);",
    )
    whole = f"edgeml_slices_columns(from, {size}u, {size}u, {quantizer.high}u, columns);"
    # Rows of whole vectors, from 0 up, are read where they are.
    where_they_are = quantizer.low == 0 and size == x.padded
    turned = ("if (left >= 64) {", f"    {whole}", "} else {", *(f"    {line}" for line in copied), "}")
    given = "int8_t" if quantizer.signed else "uint8_t"
    statements = (
        f"if (samples < {_FEWEST}u) {{",
        "    for (size_t sample = 0; sample < samples; sample++) {",
        *(f"        {line}" for line in singly.statements),
        "    }",
        "} else {",
        "    uint8_t *const rows = scratch;",
        f"    uint8_t *const columns = scratch + {64 * x.padded}u;",
        f"    edgeml_slice *const p = (edgeml_slice *)(void *)(scratch + {128 * x.padded}u);",
        "    for (size_t group = 0; 64 * group < samples; group++) {",
        f"        const {given} *const from = x + group * {64 * size}u;",
        "        const size_t left = samples - 64 * group;",
        *(f"        {line}" for line in (*(turned if where_they_are else copied), *tests)),
        "    }",
        *(f"    {line}" for line in (*calls, sums)),
        "}",
    )
    scratch = 128 * x.padded + 64 * program.planes.count
    return LayerCode(
        statements=statements,
        comment=f"{singly.comment}; {_SAMPLES} samples at once, {program.planes.count} planes of bits",
        includes=("input.h", "slices.h", f"{name.lower()}_planes.h"),
        headers={f"{name.lower()}_planes.h": header},
        constants=(*singly.constants, *arrays, firsts, counts, base),
        scratch_bytes=max(-(-scratch // _SAMPLES), singly.scratch_bytes),
        per_sample=False,
        kernel="logic_slices",
        tile=_SAMPLES,
    )


def _tests(program: Program, name: str) -> tuple[list[str], list[ConstantArray]]:
    """The calls that make the first planes of columns, and their arrays."""
    calls: list[str] = []
    arrays: list[ConstantArray] = []
    first = 0
    for rule, (source, operand) in program.tests.items():
        sources = ConstantArray(f"{name}_{TESTS[rule]}_of", "uint32_t", source, "inputs")
        against = ConstantArray(f"{name}_{TESTS[rule]}_at", "uint32_t", operand * 0x01010101, "bytes, four times each")
        to = f"p + {first}u * EDGEML_SLICES" if first else "p"
        arguments = f"columns, {sources.name}, {against.name}, {source.size}u, group, {to}"
        calls.append(f"edgeml_slices_{TESTS[rule]}({arguments});")
        arrays += [sources, against]
        first += source.size
    return calls, arrays


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
    lines = ["/* Boolean functions of planes of bits. Generated by edgeml. */", "#if !defined(EDGEML_AVX512)"]
    for code in sorted(planes.codes):
        lines += [
            f"#if !defined(EDGEML_TERNARY_{code:02X}_DEFINED)",
            f"#define EDGEML_TERNARY_{code:02X}_DEFINED",
            f"EDGEML_TERNARY({code:02x}, {expression(code)})",
            "#endif",
        ]
    lines.append("#endif")
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
    loop = ["for (size_t slice = 0; slice < EDGEML_SLICES; slice++) {", *(f"    {call}" for call in calls), "}"]
    return "\n".join([*lines, ""]), loop


def _cuts(planes: Planes) -> list[int]:
    """Where functions end: at least so many lines each."""
    found, start = [], 0
    for end in planes.ends:
        if end - start >= _LINES or (end == planes.ends[-1] and end > start):
            found.append(end)
            start = end
    return found

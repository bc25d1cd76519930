"""The stage that computes a whole chain of Boolean functions, a bit of each of 512 samples in a plane."""

from __future__ import annotations

import numpy as np

from edgeml.network import Network, ValueRange

from ..arrays import ConstantArray
from ..dialect import Dialect
from ..emitter import LayerJob
from ..encode_loops import rule_loops
from ..layer_code import LayerCode
from ..logic_tables import looked_up
from ..tensor import Tensor
from .chain import TESTS, Chain, chain_of, program_of
from .planes import Planes
from .ternary import expression

__all__ = ["is_sliced", "sliced_code", "sliced_output"]

_SAMPLES = 512
_FEWEST = 4
"""Fewer samples are computed one by one."""
_CHANNELS = 16
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
    """The stage of a whole chain; few samples are computed one by one."""
    chain = chain_of(job.network)
    assert chain is not None
    singly, program = _singly(chain, job), program_of(chain, job)
    (x,) = job.inputs
    channels = -(-x.size // _CHANNELS) * _CHANNELS
    name = job.prefix
    header, calls = _functions(program.planes, name)
    constants = list(singly.constants)
    tests, first = [], 0
    for rule, (source, operand) in program.tests.items():
        sources = ConstantArray(f"{name}_{TESTS[rule]}_of", "uint32_t", source, "inputs")
        against = ConstantArray(f"{name}_{TESTS[rule]}_at", "uint32_t", operand * 0x01010101, "bytes, four times each")
        constants += [sources, against]
        to = f"p + {first}u * EDGEML_SLICES" if first else "p"
        tests.append(
            f"edgeml_slices_{TESTS[rule]}(columns, {sources.name}, {against.name}, {source.size}u, groups, {to});"
        )
        first += source.size
    firsts = ConstantArray(
        f"{name}_sum_planes", "uint32_t", np.array(program.first, np.int64), "first plane of each sum"
    )
    counts = ConstantArray(f"{name}_sum_bits", "uint8_t", np.array(program.counts, np.int64), "planes of each sum")
    base = ConstantArray(f"{name}_sum_base", "int32_t", np.array(program.constants, np.int64), "what is added to it")
    narrow = "" if max(program.counts) <= 8 else "_any"
    sums = f"edgeml_slices_sums{narrow}(p, {firsts.name}, {counts.name}, {base.name}, {job.output.size}u, samples, y);"
    statements = (
        f"if (samples < {_FEWEST}u) {{",
        "    for (size_t sample = 0; sample < samples; sample++) {",
        *(f"        {line}" for line in singly.statements),
        "    }",
        "} else {",
        "    uint8_t *const columns = scratch;",
        f"    edgeml_slice *const p = (edgeml_slice *)(void *)(scratch + {channels * _SAMPLES}u);",
        f"    const size_t groups = samples >= {_SAMPLES}u ? {_SAMPLES // 64}u : (samples + 63u) / 64u;",
        f"    edgeml_slices_columns(x, {x.padded}u, {channels}u, groups, columns);",
        *(f"    {line}" for line in (*tests, *calls, sums)),
        "}",
    )
    scratch = channels + -(-program.planes.count * 64 // _SAMPLES)
    return LayerCode(
        statements=statements,
        comment=f"{singly.comment}; {_SAMPLES} samples at once, {program.planes.count} planes of bits",
        includes=("slices.h", f"{name.lower()}_planes.h"),
        headers={f"{name.lower()}_planes.h": header},
        constants=(*constants, firsts, counts, base),
        scratch_bytes=max(scratch, singly.scratch_bytes),
        per_sample=False,
        kernel="logic_slices",
        tile=_SAMPLES,
    )


def _singly(chain: Chain, job: LayerJob) -> LayerCode:
    """The C of one sample: its bits as bytes, the functions looked up, their sums."""
    (x,), name = job.inputs, job.prefix
    statements = [f"const uint8_t *const q = x + sample * {x.padded}u;"]
    constants: list[ConstantArray] = []
    source, tensor, offset = "q", x, 0

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
    comment = " -> ".join([*(node.layer.summary() for node in job.nodes)])
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
    calls, start = [], 0
    for end in _cuts(planes):
        function = f"{name}_planes_{len(calls)}"
        lines += ["", f"EDGEML_SEPARATE void {function}(edgeml_slice *p)", "{"]
        lines += [f"    {line}" for line in planes.lines[start:end]]
        lines.append("}")
        calls.append(f"{function}(p + slice);")
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

"""Instructions of x86-64 as the proof reads them give what this processor gives."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.proof.words.dataflow import Dataflow, Node
from edgeml.targets.cpu.proof.bodies import BODIES
from edgeml.targets.cpu.proof.counterexamples import runs_here
from edgeml.targets.cpu.proof.floating import FLOATING_CALLS
from edgeml.targets.cpu.proof.ir_reader import read_module
from edgeml.targets.cpu.proof.machine import Machine
from edgeml.targets.cpu.proof.numbers import Numbers
from edgeml.targets.cpu.proof.x86 import X86
from tests.targets.cpu.bodies import the_compiler

A32, B32 = "_mm512_cvtepi32_ps(a)", "_mm512_cvtepi32_ps(b)"
A64, B64 = (f"_mm512_cvtepi32_pd(_mm512_castsi512_si256({each}))" for each in "ab")
A256, B256 = "_mm256_cvtepi32_ps(a)", "_mm256_cvtepi32_ps(b)"
NEAREST = "_MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC"
OF_512 = {
    "dpbusd": "_mm512_dpbusd_epi32(a, b, c)",
    "maddubs": "_mm512_maddubs_epi16(a, b)",
    "madd": "_mm512_madd_epi16(a, b)",
    "packs32": "_mm512_packs_epi32(a, b)",
    "packs16": "_mm512_packs_epi16(a, b)",
    "packus32": "_mm512_packus_epi32(a, b)",
    "packus16": "_mm512_packus_epi16(a, b)",
    "cvts32_8": "_mm512_zextsi128_si512(_mm512_cvtsepi32_epi8(a))",
    "cvts32_16": "_mm512_zextsi256_si512(_mm512_cvtsepi32_epi16(a))",
    "cvts16_8": "_mm512_zextsi256_si512(_mm512_cvtsepi16_epi8(a))",
    "cvt32_8": "_mm512_zextsi128_si512(_mm512_cvtepi32_epi8(a))",
    "cvt16_8": "_mm512_zextsi256_si512(_mm512_cvtepi16_epi8(a))",
    "cvt64_32": "_mm512_zextsi256_si512(_mm512_cvtepi64_epi32(a))",
    "srli16": "_mm512_srli_epi16(a, 5)",
    "slli16": "_mm512_slli_epi16(a, 3)",
    "srai16": "_mm512_srai_epi16(a, 5)",
    "srai32": "_mm512_srai_epi32(a, 6)",
    "srli32": "_mm512_srli_epi32(a, 31)",
    "srli64": "_mm512_srli_epi64(a, 37)",
    "slli64": "_mm512_slli_epi64(a, 37)",
    "srav": "_mm512_srav_epi32(a, _mm512_and_si512(b, _mm512_set1_epi32(63)))",
    "sllv": "_mm512_sllv_epi32(a, _mm512_and_si512(b, _mm512_set1_epi32(63)))",
    "shuffle": "_mm512_shuffle_epi8(a, b)",
    "permute": "_mm512_permutexvar_epi8(a, b)",
    "permute2": "_mm512_permutex2var_epi8(a, b, c)",
    "permute32": "_mm512_permutexvar_epi32(a, b)",
    "permute2_32": "_mm512_permutex2var_epi32(a, b, c)",
    "srlv": "_mm512_srlv_epi32(a, _mm512_and_si512(b, _mm512_set1_epi32(63)))",
    "shuffled_where": "_mm512_mask_shuffle_epi8(a, 0x123456789abcdef0, b, c)",
    "ternary_6a": "_mm512_ternarylogic_epi32(a, b, c, 0x6a)",
    "ternary_28": "_mm512_ternarylogic_epi64(a, b, c, 0x28)",
    "ternary_d1": "_mm512_ternarylogic_epi32(a, b, c, 0xd1)",
    "mul32": "_mm512_mul_epi32(a, b)",
    "blend": "_mm512_mask_blend_epi32(0xaaaa, a, b)",
    "compared": "_mm512_mask_add_epi8(a, _mm512_cmpgt_epi8_mask(a, b), a, c)",
    "compared16": "_mm512_mask_add_epi16(a, _mm512_cmpgt_epi16_mask(a, b), a, c)",
    "masked": "_mm512_maskz_sub_epi8(0x123456789abcdef0, a, b)",
    "extremes": "_mm512_max_epi8(_mm512_min_epu8(a, b), _mm512_min_epi32(b, c))",
    "reduced": "_mm512_set1_epi32(_mm512_reduce_add_epi32(a))",
    "ones": "_mm512_popcnt_epi64(a)",
    "slli32": "_mm512_slli_epi32(a, 23)",
    "f32_of_s32": f"_mm512_castps_si512(_mm512_add_ps({A32}, _mm512_cvt_roundepi32_ps(b, {NEAREST})))",
    "f32_mul": f"_mm512_castps_si512(_mm512_mul_round_ps({A32}, _mm512_mul_ps({A32}, {B32}), {NEAREST}))",
    "f32_sub": f"_mm512_castps_si512(_mm512_sub_ps({A32}, {B32}))",
    "f32_ends": f"_mm512_castps_si512(_mm512_max_ps(_mm512_min_ps({A32}, {B32}), _mm512_set1_ps(-3.5f)))",
    "s32_of_f32": f"_mm512_cvt_roundps_epi32(_mm512_mul_ps({A32}, _mm512_set1_ps(1.2345e-8f)), {NEAREST})",
    "no_s32": f"_mm512_cvt_roundps_epi32(_mm512_mul_ps({A32}, _mm512_set1_ps(2.0f)), {NEAREST})",
    "f64_mul": f"_mm512_castpd_si512(_mm512_mul_round_pd({A64}, _mm512_mul_pd({A64}, {B64}), {NEAREST}))",
    "f64_add": f"_mm512_castpd_si512(_mm512_add_round_pd({A64}, _mm512_mul_pd({A64}, {B64}), {NEAREST}))",
    "f64_fused": f"_mm512_castpd_si512(_mm512_fmadd_pd({A64}, _mm512_mul_pd({A64}, {B64}), {B64}))",
    "f64_ends": f"_mm512_castpd_si512(_mm512_min_pd(_mm512_max_pd({A64}, {B64}), _mm512_set1_pd(7e8)))",
    "s32_of_f64": f"_mm512_zextsi256_si512(_mm512_cvttpd_epi32(_mm512_mul_pd({A64}, _mm512_set1_pd(1.5))))",
    "widened": "_mm512_cvtepi8_epi32(_mm512_castsi512_si128(a))",
}
OF_256 = {
    "maddubs": "_mm256_maddubs_epi16(a, b)",
    "madd": "_mm256_madd_epi16(a, b)",
    "packs": "_mm256_packs_epi32(a, b)",
    "srli": "_mm256_srli_epi16(a, 4)",
    "srai": "_mm256_srai_epi16(a, 4)",
    "shuffle": "_mm256_shuffle_epi8(a, b)",
    "sums": "_mm256_sad_epu8(a, _mm256_setzero_si256())",
    "permute": "_mm256_permutevar8x32_epi32(a, b)",
    "widened": "_mm256_cvtepi16_epi32(_mm256_castsi256_si128(a))",
    "andnot": "_mm256_andnot_si256(a, b)",
    "signs": "_mm256_set1_epi32(_mm256_movemask_epi8(a))",
    "srlv": "_mm256_srlv_epi32(a, _mm256_and_si256(b, _mm256_set1_epi32(63)))",
    "srli64": "_mm256_srli_epi64(a, 37)",
    "slli64": "_mm256_slli_epi64(a, 37)",
    "stored": "(_mm256_storeu_si256((void *)y, a), _mm256_maskstore_epi32((void *)y, b, c), "
    "_mm256_loadu_si256((void *)y))",
    "slli32": "_mm256_slli_epi32(a, 23)",
    "widened8": "_mm256_add_epi16(_mm256_cvtepu8_epi16(_mm256_castsi256_si128(a)), "
    "_mm256_cvtepi8_epi16(_mm256_castsi256_si128(b)))",
    "lanes32": "_mm256_blend_epi32(_mm256_shuffle_epi32(a, 0xf5), _mm256_shuffle_epi32(b, 0xa0), 0xaa)",
    "extremes": "_mm256_max_epi32(_mm256_min_epi32(a, b), c)",
    "f32_mul": f"_mm256_castps_si256(_mm256_mul_ps({A256}, {B256}))",
    "f32_ends": f"_mm256_castps_si256(_mm256_max_ps(_mm256_min_ps({A256}, {B256}), _mm256_set1_ps(-3.5f)))",
    "s32_of_f32": f"_mm256_cvtps_epi32(_mm256_mul_ps({A256}, _mm256_set1_ps(1.2345e-8f)))",
    "no_s32": f"_mm256_cvtps_epi32(_mm256_mul_ps({A256}, _mm256_set1_ps(2.0f)))",
}
BODY = {512: "avx512", 256: "avx2"}


def source(size: int) -> str:
    """A function for each: void NAME(const void *x, void *y), x three vectors, y one."""
    parts = ["#include <immintrin.h>"]
    for name, expression in (OF_512 if size == 512 else OF_256).items():
        load = f"_mm{size}_loadu_si{size}"
        vectors = "".join(
            f"const __m{size}i {v} = {load}((const void *)(x + {k * size // 8}));" for k, v in enumerate("abc")
        )
        store = f"_mm{size}_storeu_si{size}((void *)y, {expression});"
        parts.append(f"void {name}(const char *x, char *y) {{ {vectors} (void)b; (void)c; {store} }}")
    return "\n".join(parts) + "\n"


@pytest.fixture(scope="module", params=[512, 256])
def compiled(request, tmp_path_factory):
    """Size of vectors, the module as the proof reads it, the library of this machine."""
    size, folder = request.param, tmp_path_factory.mktemp("instructions")
    body = BODIES[BODY[size]]
    if why := runs_here(body):
        pytest.skip(why)
    (folder / "all.c").write_text(source(size))
    flags = ["-std=c99", "-g0", "-O1", "-Xclang", "-disable-llvm-passes", "-S", "-emit-llvm"]
    command = [sys.executable, "-m", "ziglang", "cc", *body.flags, *flags, "all.c", "-o", "all.ll"]
    subprocess.run(command, cwd=folder, check=True)
    command = [*the_compiler().command, "-O1", *body.native, "-shared", "-fPIC", "-w", "all.c", "-o", "all.so"]
    subprocess.run(command, cwd=folder, check=True)
    return size, read_module(Path(folder / "all.ll").read_text()), ctypes.CDLL(str(folder / "all.so"))


def vectors(generator, count: int) -> bytes:
    """Bytes, the extremes as often as others."""
    drawn = generator.integers(0, 256, count)
    return (
        np.where(generator.random(count) < 0.5, drawn, generator.choice([0, 1, 127, 128, 255], count))
        .astype(np.uint8)
        .tobytes()
    )


def test_each_gives_what_the_processor_gives(compiled):
    size, module, library = compiled
    generator = np.random.default_rng(0)
    for name in OF_512 if size == 512 else OF_256:
        for _ in range(3):
            x = vectors(generator, 3 * size // 8)
            y = ctypes.create_string_buffer(size // 8)
            getattr(library, name)(x, y)
            machine = Machine(module, Numbers(Dataflow()))
            taken, given = machine.memory.new("x", list(x)), machine.memory.new("y", [None] * (size // 8))
            machine.run(name, [taken.address, given.address])
            assert bytes(given.cells) == y.raw, name


def test_each_gives_it_where_it_depends_on_inputs(compiled):
    """What is known of a word holds for the value that the processor gives: here of one byte at two values."""
    size, module, library = compiled
    generator = np.random.default_rng(1)
    for name in (
        ("dpbusd", "maddubs", "packs32", "packus16", "compared", "cvts32_8", "shuffle")
        if size == 512
        else ("maddubs", "sums", "shuffle")
    ):
        x = bytearray(vectors(generator, 3 * size // 8))
        flow = Dataflow()
        node = flow.input(0, 255, 0)
        machine = Machine(module, Numbers(flow))
        cells = [(node, 0) if place == 5 else byte for place, byte in enumerate(x)]
        taken, given = machine.memory.new("x", cells), machine.memory.new("y", [None] * (size // 8))
        machine.run(name, [taken.address, given.address])
        for value in (0, 77, 128, 255):
            x[5] = value
            y = ctypes.create_string_buffer(size // 8)
            getattr(library, name)(bytes(x), y)
            columns = flow.columns(lambda number, known, value=value: np.array([value], np.uint32))
            for cell, byte in zip(given.cells, y.raw, strict=True):
                if isinstance(cell, tuple):
                    assert isinstance(cell[0], Node)
                    cell = int(columns[cell[0].number][0]) >> 8 * cell[1] & 255
                assert cell == byte, name


def test_no_instruction_is_read_that_is_not_compared(compiled):
    size, module, _ = compiled
    blocks = [block for function in module.functions.values() for block in function.blocks]
    called = {str(each.extra) for block in blocks for each in block.instructions if each.kind == "call"}
    own = [
        name for name in X86 | FLOATING_CALLS if name.startswith(("llvm.x86.avx2.", "llvm.x86.avx.")) == (size == 256)
    ]
    assert [name for name in own if not any(each.startswith(name) for each in called)] == []

"""Seeded faults in the C are refuted, and the library that is built from it gives the counterexample."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.network.task import BINARY
from edgeml.proof.claim import OPEN, PROVED, REFUTED
from edgeml.targets.cpu.proof.bodies import BODIES
from edgeml.targets.cpu.proof.counterexamples import runs_here
from edgeml.targets.cpu.proof.sanitizers import find_sanitizers
from tests.targets.c.encode_networks import bits_network
from tests.targets.fpga.proof.proved import mlp
from tests.targets.mcu.networks import random_network

from .proved import rows
from .test_kernels import int8_network

FIRST_ALONE = "x, x_stride, weight, start, units, vectors, 4"
FAULTS = {
    "a weight": ("quads", "portable", "(int32_t)w[q * vectors * 64 + i] *", "(int32_t)w[q * vectors * 64 + i / 2] *"),
    "a threshold that is passed": ("quads", "portable", "(near > gt[k * 64 + place", "(near >= gt[k * 64 + place"),
    "a saturation": ("quads", "portable", "value[e] > 32767 ? 32767", "value[e] > 3 ? 3"),
    "a clip of the input": ("quads", "avx512", "_mm512_min_epu8(value, highest)", "_mm512_max_epu8(value, highest)"),
    "a part of a sum": ("quads", "avx512", "_mm512_add_epi32(part[2 * sums + i], part[3 * sums", "(part[2 * sums"),
    "a field": ("crumbs", "avx512", "_mm512_srai_epi32(part[12 + i], 6)", "_mm512_srli_epi32(part[12 + i], 6)"),
    "a sign": ("crumbs", "avx512", "sign, 0x6a)", "sign, 0x2a)"),
    "the sum of inputs": ("crumbs", "avx2", "return 2 * sum;", "return sum;"),
    "a pair of products": ("crumbs", "avx2", "w = _mm256_srli_epi16(w, 2)", "w = _mm256_srli_epi16(w, 1)"),
    "a carry": ("triplets", "avx512", "_mm512_srli_epi16(part[i], 8)", "_mm512_srli_epi16(part[i], 9)"),
    "a group": (
        "triplets",
        "avx2",
        "row(edgeml_triplets_third + codes[g] / 16",
        "row(edgeml_triplets_third + codes[g] / 32",
    ),
    "only in a block": ("quads", "avx512", "x + s * x_stride, x_stride, weight, start, units, vectors, 4", FIRST_ALONE),
}
"""By what is wrong: the kernel, the body, text in the C and what it becomes."""
QUICK = ("a clip of the input", "a field", "only in a block")


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in FAULTS]
)
def test_faults_are_refuted_by_inputs_that_the_library_confirms(name):
    kernel, body, old, new = FAULTS[name]
    if why := runs_here(BODIES[body]):
        pytest.skip(why)
    bits = {"input_bits": 2} if kernel == "triplets" else {"input_bits": 7}
    found = rows(random_network(3, (18, 5, 3), 2, activation_bits=2, **bits), body, kernel, {old: new})
    wrong = [row for row in found.values() if row.claims and row.status != PROVED]
    assert wrong
    assert {row.status for row in wrong} == {REFUTED}
    assert all("in the library" in row.detail for row in wrong)
    if name == "only in a block":
        assert all("block" in row.part for row in wrong)


def small(body, old, new, **options):
    """What is said of 5-4-3 with a fault in the kernel of quads."""
    return rows(random_network(3, (5, 4, 3), 2, **options), body, "quads", {old: new})


def checked():
    """Whether a compiler here holds each access against its object, and the processor has AVX-512."""
    return find_sanitizers().addresses and not runs_here(BODIES["avx512"])


ROUNDINGS = {
    "a power of two": ("fp32_rne", "bias = _mm512_set1_epi32(127 - 31)", "bias = _mm512_set1_epi32(127 - 30)"),
    "a limit": ("fp32_rne", "_mm512_set1_ps(1073741824.0f)", "_mm512_set1_ps(64.0f)"),
    "a fraction": ("float64_away", "set1_pd(4194304.0)", "set1_pd(2097152.0)"),
    "a tie": ("float64_away", "_mm512_and_pd(product, sign)", "_mm512_and_pd(sign, sign)"),
}
"""By what is wrong: the rounding, text in its body for AVX-512 and what it becomes."""


@pytest.mark.parametrize(
    "name", [name if name == "a tie" else pytest.param(name, marks=pytest.mark.slow) for name in ROUNDINGS]
)
def test_faults_of_roundings_in_floating_point_are_refuted(name):
    if why := runs_here(BODIES["avx512"]):
        pytest.skip(why)
    rounding, old, new = ROUNDINGS[name]
    found = rows(int8_network(rounding), "avx512", "", {old: new})
    assert {part for part, row in found.items() if row.status == REFUTED} == {"scale, alone", "scale, block of 8"}
    assert "in the library" in found["scale, alone"].detail


BITS = {
    "portable": ("edgeml_bits_ones((x ^ minus) & any)", "edgeml_bits_ones((x | minus) & any)"),
    "avx2": ("_mm256_srli_epi16(counted, 4)", "_mm256_srli_epi16(counted, 3)"),
    "avx512": ("x, minus, any, 0x28)", "x, minus, any, 0x38)"),
}
"""By the body: text in what counts bits, and what it becomes."""


@pytest.mark.parametrize(
    "body", [pytest.param(body, marks=[] if body == "portable" else pytest.mark.slow) for body in BITS]
)
def test_faults_of_counts_of_bits_are_refuted(body):
    if why := runs_here(BODIES[body]):
        pytest.skip(why)
    found = rows(bits_network(3, 6), body, "", dict([BITS[body]]))
    assert {part for part, row in found.items() if row.status == REFUTED} == {"dense, alone", "dense, block of 8"}
    assert "in the library" in found["dense, alone"].detail


STORE = "_mm512_storeu_si512(y + s * y_stride"


@pytest.mark.slow
def test_a_write_behind_a_tensor_is_seen():
    behind = f"{STORE}, edgeml_blocks_count8"
    found = small("avx512", behind, behind.replace("y_stride", "y_stride + 1"), input_bits=2)
    assert found["memory"].status == (REFUTED if checked() else OPEN)
    assert "writes 64 bytes at" in found["memory"].detail


@pytest.mark.slow
def test_a_read_behind_the_weights_is_seen():
    read = "_mm512_loadu_si512(weight + ((first + i) * vectors + m) * 64"
    found = small("avx512", read, f"{read} + 1", input_bits=2)
    assert found["memory"].status == (REFUTED if checked() else OPEN)
    assert "of net_layer_dense0_weight, which has" in found["memory"].detail


@pytest.mark.slow
def test_what_nobody_wrote_is_not_taken_for_anything():
    start = "_mm512_loadu_si512(start + i % vectors * 16)"
    found = small("avx512", f"{start} : _mm512_setzero_si512();", f"{start} : part[i];", input_bits=2)
    assert found["threshold0, alone"].status != PROVED


PRODUCT = "(int32_t)w[q * vectors * 64 + i] * (int32_t)x[q * 4 + i]"


def test_a_sum_that_may_overflow_is_undefined_behaviour_whatever_it_gives():
    wrapped = f"total = (int32_t)((uint32_t)(total + 2147483000 + {PRODUCT}) - 2147483000u);"
    found = small("portable", f"total += {PRODUCT};", wrapped, input_bits=8)
    assert found["dense1, alone"].status == found["threshold0, alone"].status == PROVED
    assert found["undefined behaviour"].status == (REFUTED if find_sanitizers().flags else OPEN)
    assert "signed overflow of add in edgeml_quads_block" in found["undefined behaviour"].detail
    assert find_sanitizers().flags == () or "for stored inputs" in found["undefined behaviour"].detail


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("values[i] > values[best]", "values[i] >= values[best]"),
        ("while (++i != count)", "while (++i + 1 < count)"),
    ],
)
def test_another_label_is_refuted(old, new):
    found = rows(mlp((5, 4, 3), 3), "portable", "", {old: new})
    assert {part for part, row in found.items() if row.claims and row.status != PROVED} == {"the label"}
    assert found["the label"].status == REFUTED
    assert "in the library, not" in found["the label"].detail


@pytest.mark.parametrize("beside", [0, 1])
def test_the_label_of_a_binary_network_is_above_its_threshold(beside):
    network = mlp((4, 3, 1), 1)
    reach = network.ranges[network.nodes[-1].name]
    threshold = int(reach.low[0] + reach.high[0]) // 2
    network = replace(network, output=replace(network.output, task=BINARY, threshold=threshold))
    faults = {f"_THRESHOLD ({threshold})": f"_THRESHOLD ({threshold + 1})"} if beside else {}
    found = rows(network, "avx2", "", faults)["the label"]
    assert (found.status, found.claims) == (REFUTED if beside else PROVED, 9)

"""C for CPUs of layers at positions, maxima, concatenations and products: proved with each body, and faults refuted."""

from __future__ import annotations

import pytest

from edgeml.proof.claim import PROVED, REFUTED
from tests.targets.cpu.proof.proved import rows
from tests.targets.joined_networks import every_kind, multiplied

CASES = [("portable", 2), ("avx2", 8), ("avx512", 8), ("neon", 8)]


@pytest.mark.parametrize(
    ("body", "bits"), [pytest.param(*case, marks=() if k == 0 else pytest.mark.slow) for k, case in enumerate(CASES)]
)
def test_c_is_proved_whole(body, bits):
    found = rows(every_kind(0, bits), body)
    assert {row.status for row in found.values() if row.claims} == {PROVED}


@pytest.mark.slow
def test_products_of_bytes_of_both_signs_are_proved_whole():
    found = rows(multiplied((8, 8), (True, True)), "portable")
    assert {row.status for row in found.values() if row.claims} == {PROVED}


@pytest.mark.slow
def test_a_fault_is_refuted():
    fault = {"((int32_t)x1[i] + (-2)) + (6)": "((int32_t)x1[i] + (-1)) + (6)"}
    found = rows(every_kind(), "portable", faults=fault)
    refuted = [row for row in found.values() if row.status == REFUTED]
    assert refuted
    assert all("in the library" in row.detail for row in refuted)

"""Bad accesses and undefined behaviour of C are seen in a process of its own, and named with their inputs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.network import simulate
from edgeml.proof.claim import OPEN, PROVED, REFUTED
from edgeml.targets.cpu.compiler import find_compiler
from edgeml.targets.cpu.proof import trials
from edgeml.targets.cpu.proof.sandbox import NETWORK, Case, Sandbox
from edgeml.targets.cpu.proof.sanitizers import Sanitizers, find_sanitizers
from tests.targets.mcu.networks import random_network

from .proved import program_of, rows

PORTABLE = ("-DEDGEML_PORTABLE",)
TERM = "(int32_t)w[q * vectors * 64 + i] * (int32_t)x[q * 4 + i]"
PRODUCT = f"total += {TERM};"
WRAPPED = f"total = (int32_t)((uint32_t)(total + 2147483640 + {TERM}) - 2147483640u);"
FAULTS = {
    "behind a tensor": (PRODUCT, PRODUCT.replace("x[q", "x[64 + q"), True),
    "before the weights": (PRODUCT, PRODUCT.replace("w[q", "w[0 - 1 - i - q"), True),
    "a shift": (PRODUCT, f"{PRODUCT} total >>= total & 64;", False),
    "an overflow": (PRODUCT, WRAPPED, False),
}
"""By what is wrong: text in the C, what it becomes, and whether memory is what is accessed wrongly."""


def network():
    """5-4-3 with inputs of 0 … 3."""
    return random_network(3, (5, 4, 3), 2, input_bits=2)


def cases():
    """Ends of the range as batches of nine."""
    return [Case(NETWORK, (np.full((9, 5), value, np.uint8),)) for value in (0, 3)]


def test_sound_c_gives_the_network_wherever_its_memory_lies():
    program = program_of(network(), "quads")
    outcome = Sandbox(program, find_sanitizers(), PORTABLE).run(cases())
    assert (outcome.report, outcome.late, len(outcome.given)) == (None, False, 2)
    for case, runs in zip(cases(), outcome.given, strict=True):
        assert len(runs) == 3
        for given in runs:
            np.testing.assert_array_equal(given[:, :-1], simulate(network(), case.inputs[0].astype(np.int32)))


@pytest.mark.skipif(not find_sanitizers().addresses, reason="no compiler with AddressSanitizer is installed")
@pytest.mark.parametrize("name", FAULTS)
def test_what_must_not_be_is_reported_with_the_case_that_leads_to_it(name):
    old, new, memory = FAULTS[name]
    stage = [Case(1, (np.pad(np.full((8, 5), value, np.uint8), ((0, 0), (0, 59))),)) for value in (0, 3)]
    outcome = Sandbox(program_of(network(), "quads", {old: new}), find_sanitizers(), PORTABLE).run(stage)
    assert outcome.report.memory == memory
    assert "dense_quads.h" in outcome.report.text


def test_without_a_sanitizer_what_leaves_the_given_memory_ends_the_process():
    far = PRODUCT.replace("x[q", "x[100000 + q")
    program = program_of(network(), "quads", {PRODUCT: far})
    outcome = Sandbox(program, Sanitizers(find_compiler(), (), False, "none"), PORTABLE).run(cases())
    assert (outcome.report.case, outcome.report.memory) == (0, True)


def test_without_a_sanitizer_it_is_said_why_nothing_refutes(monkeypatch):
    plain = Sanitizers(find_compiler(), (), False, "no compiler here has AddressSanitizer")
    monkeypatch.setattr(trials, "find_sanitizers", lambda: plain)
    found = rows(network(), "portable", "quads", {PRODUCT: PRODUCT.replace("w[q", "w[64 + q")})
    assert found["memory"].status == OPEN
    assert "no compiler here has AddressSanitizer" in found["memory"].detail


def test_an_access_for_some_inputs_alone_is_refuted_and_changes_nothing_else():
    reads = PRODUCT.replace("x[q * 4 + i];", "x[q * 4 + i] + (x[0] == 3 && x[1] == 3 ? (x[64] >> 8) : 0);")
    found = rows(network(), "portable", "quads", {PRODUCT: reads})
    status = {part: row.status for part, row in found.items()}
    assert status["input, alone"] == PROVED
    assert status["memory"] == (REFUTED if find_sanitizers().addresses else OPEN)
    assert replace(found["memory"], detail="").claims == 1

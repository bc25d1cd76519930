"""A stage of C is proved once: what was kept of it is taken where all that it follows from is the same, only there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.network import Dense, Network
from edgeml.proof.claim import PROVED
from edgeml.targets.cpu.proof.bodies import BODIES, module_of
from edgeml.targets.cpu.proof.certificate import certificate_of
from edgeml.targets.cpu.proof.counterexamples import Counterexamples
from edgeml.targets.cpu.proof.followed import Followed
from edgeml.targets.cpu.proof.kept_stages import digest_of_function
from edgeml.targets.cpu.proof.prover import rows_of
from tests.targets.mcu.networks import random_network

from .proved import program_of

NETWORK = random_network(3, (7, 5, 4, 3), 2, activation_bits=2, input_bits=2)


FAULT = {"(int32_t)w[q * vectors * 64 + i] *": "(int32_t)w[q * vectors * 64 + i / 2] *"}


@pytest.fixture(scope="module")
def cache_of_its_own(tmp_path_factory):
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True)
def use_of_that_cache(cache_of_its_own, monkeypatch):
    monkeypatch.setenv("EDGEML_CACHE", cache_of_its_own)


@pytest.fixture(scope="module")
def first(cache_of_its_own):
    """What is followed first, when nothing is kept."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEML_CACHE", cache_of_its_own)
        return followed_by(NETWORK)


def followed_by(network: Network, faults=None, body: str = "portable") -> Followed:
    program = program_of(network, faults=faults)
    q = np.random.default_rng(0).integers(0, 4, (program.layout.tile + 1, 7)).astype(np.int32)
    found = Followed(module_of(program, BODIES[body]), program, q, keep=True)
    found.run(lambda what: None, 600)
    return found


def kept(found: Followed) -> list[tuple[str, int]]:
    return [(stage.name, len(stage.samples)) for stage in found.stages if stage.kept]


def stages(found: Followed) -> list[tuple[str, int]]:
    return [(stage.name, len(stage.samples)) for stage in found.stages[:-1]]


def said(found: Followed) -> list[tuple[str, str, int, int, str]]:
    rows = rows_of(found, Counterexamples(found, found.program, BODIES["portable"]))
    return [(row.part, row.status, row.claims, row.proved, row.method.split("; kept")[0]) for row in rows]


def other_weights(network: Network, place: int) -> Network:
    """With two weights of a dense layer exchanged, so that all ranges stay."""
    dense = [node for node in network.nodes if isinstance(node.layer, Dense)][place]
    weight = dense.layer.weight.copy()
    row = next(row for row in weight if row[0] != row[1])
    row[:2] = row[1::-1]
    other = replace(dense, layer=replace(dense.layer, weight=weight))
    return Network(network.name, tuple(other if node is dense else node for node in network.nodes), network.output)


def test_what_was_proved_is_taken_says_the_same_and_gives_the_same_certificate(first):
    again = followed_by(NETWORK)
    assert kept(first) == []
    assert kept(again) == stages(first)
    assert said(again) == said(first)
    assert {status for _, status, claims, *_ in said(first) if claims} == {PROVED}
    again.check_samples(first.samples_of_outputs().astype(np.int32))
    files = [certificate_of(each, b"", {}, "proof/c-portable") for each in (first, again)]
    assert files[0]["operations.json"] == files[1]["operations.json"]


def test_a_layer_that_changed_is_proved_again_and_no_other(first):
    again = followed_by(other_weights(NETWORK, 1))
    name = first.layout.stages[2].name
    assert set(stages(again)) - set(kept(again)) == {(name, 8), (name, 1)}
    assert {status for _, status, claims, *_ in said(again) if claims} == {PROVED}


def test_other_code_is_followed_and_what_is_not_proved_is_not_kept(first):
    for _ in range(2):
        wrong = followed_by(NETWORK, FAULT)
        open_ = {(s.name, len(s.samples)) for s in wrong.stages[:-1] if not all(c.proved for r in s.claims for c in r)}
        assert len(open_) == 6
        assert not open_ & set(kept(wrong))


def test_other_constants_are_followed_and_constants_that_may_be_written_are_none(first):
    stage = first.layout.stages[1]
    name = f"{stage.job.prefix}_weight"
    (text,) = (text for text in first.program.files.values() if f"{name}[" in text and "{" in text)
    line = next(line for line in text[text.index(f"{name}[") :].splitlines()[1:] if "-1" in line)
    wrong = followed_by(NETWORK, {line: line.replace("-1", "1", 1)})
    assert set(stages(wrong)) - set(kept(wrong)) == {(stage.name, 8), (stage.name, 1)}
    assert not all(claim.proved for found in wrong.stages for row in found.claims for claim in row)
    module = module_of(first.program, BODIES["portable"])
    assert digest_of_function(module, stage.job.prefix)
    module.globals[name].constant = False
    assert digest_of_function(module, stage.job.prefix) is None

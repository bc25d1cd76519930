"""A stage is proved once: what was kept of it is taken where all that it follows from is the same, and only there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeml.network import Dense, Network
from edgeml.proof.claim import PROVED
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.emulator import Emulator
from edgeml.targets.mcu.firmware import Firmware
from edgeml.targets.mcu.image_build import library_image
from edgeml.targets.mcu.proof import kept_stages
from edgeml.targets.mcu.proof.followed import Followed
from edgeml.targets.mcu.proof.prover import rows_of
from tests.targets.mcu.networks import random_network
from tests.targets.mcu.proof.proved import changed, firmware_of

NETWORK = random_network(3, (16, 12, 5), 2, activation_bits=2, input_bits=4)


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEML_CACHE", str(tmp_path / "cache"))


def followed_by(firmware: Firmware, name: str, trap: bool = False) -> Followed:
    network = firmware.program.layout.network
    emulator = Emulator(core(name), library_image(firmware, core(name), trap=trap))
    q = np.random.default_rng(0).integers(network.quantizer.low, network.quantizer.high + 1, network.input_size)
    found = Followed(emulator, firmware.program, q.astype(np.int32), keep=True)
    found.run(lambda what: None, 600)
    return found


def kept(found: Followed) -> list[str]:
    return [stage.name for stage in found.stages if stage.kept]


def with_layer(place: int, **changes) -> Network:
    """With another layer at a place of the network."""
    nodes = list(NETWORK.nodes)
    nodes[place] = replace(nodes[place], layer=replace(nodes[place].layer, **changes))
    return Network(NETWORK.name, tuple(nodes), NETWORK.output)


@pytest.mark.parametrize("name", ["rv32", "m0", pytest.param("m4", marks=pytest.mark.slow)])
def test_what_was_proved_is_taken_and_says_the_same(name):
    firmware = firmware_of(NETWORK, name)
    first = followed_by(firmware, name)
    again = followed_by(firmware, name)
    assert kept(first) == []
    assert kept(again) == [stage.name for stage in first.stages[:-1]]
    assert [(row.part, row.status, row.claims, row.proved) for row in rows_of(again)] == [
        (row.part, row.status, row.claims, row.proved) for row in rows_of(first)
    ]
    assert all(row.status == PROVED for row in rows_of(again) if row.claims)
    q = np.random.default_rng(1).integers(0, 16, (16, 16)).astype(np.int32)
    assert again.differs(q) == ""  # the operations are those of the firmware still
    made = [sorted(name for name, *_ in found.flow.operations if name != "unknown") for found in (first, again)]
    assert made[0] == made[1]


def test_a_layer_that_changed_is_proved_again_and_no_other():
    dense = next(k for k, node in enumerate(NETWORK.nodes) if isinstance(node.layer, Dense))
    weight = NETWORK.nodes[dense].layer.weight.copy()
    row = weight[2]
    at = int(np.flatnonzero(row == 1)[0]), int(np.flatnonzero(row == -1)[0])
    row[list(at)] = row[list(at[::-1])]  # the same range, so that nothing moves
    first = followed_by(firmware_of(NETWORK, "rv32"), "rv32")
    again = followed_by(firmware_of(with_layer(dense, weight=weight), "rv32"), "rv32")
    names = [stage.name for stage in first.stages[:-1]]
    assert [name for name in names if name not in kept(again)] == [NETWORK.nodes[dense].name]
    assert all(row.status == PROVED for row in rows_of(again) if row.claims)


def test_other_constants_and_other_code_of_a_kernel_are_followed_and_refuted():
    firmware = firmware_of(NETWORK, "rv32", "w2_lanes4")
    first = followed_by(firmware, "rv32")
    assert all(claim.proved for found in first.stages for claim in found.claims)
    mask = {"0x00FF00FFu) + ((word[0] >> 8)": "0x00FF00FEu) + ((word[0] >> 8)"}  # in a function that stages share
    wrong = followed_by(changed(firmware, mask), "rv32")
    assert not all(claim.proved for found in wrong.stages for claim in found.claims)
    (path,) = (path for path, text in firmware.files.items() if "dense0_weight[16] =" in text)
    text = firmware.files[path]
    begin = text.index("{", text.index("dense0_weight[16] =")) + 1
    first_word, rest = text[begin:].split(",", 1)
    files = {**firmware.files, path: f"{text[:begin]}{int(first_word) ^ 1},{rest}"}
    wrong = followed_by(replace(firmware, files=files), "rv32")
    assert "dense0" not in kept(wrong)
    assert "dense1" in kept(wrong)
    assert not all(claim.proved for found in wrong.stages for claim in found.claims)


def test_checked_code_and_code_as_it_ships_are_kept_apart():
    firmware = firmware_of(NETWORK, "rv32")
    followed_by(firmware, "rv32")
    assert kept(followed_by(firmware, "rv32", trap=True)) == []
    assert kept(followed_by(firmware, "rv32", trap=True))


def test_another_version_of_the_prover_takes_nothing(monkeypatch):
    firmware = firmware_of(NETWORK, "rv32")
    followed_by(firmware, "rv32")
    monkeypatch.setattr(kept_stages, "prover_version", lambda prover: "another")
    assert kept(followed_by(firmware, "rv32")) == []


def test_what_is_not_proved_is_not_kept():
    firmware = firmware_of(NETWORK, "rv32", "w2_lanes4")
    mask = {"0x00FF00FFu) + ((word[0] >> 8)": "0x00FF00FEu) + ((word[0] >> 8)"}
    wrong = changed(firmware, mask)
    first, again = followed_by(wrong, "rv32"), followed_by(wrong, "rv32")
    open_ = [found.name for found in first.stages if not all(claim.proved for claim in found.claims)]
    assert open_
    assert not set(open_) & set(kept(again))
    assert PROVED not in {row.status for row in rows_of(again) if row.part in open_}

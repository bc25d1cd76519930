"""Certificates of C for CPUs: samples whose operations are alike share them, and the checker believes nothing else."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.errors import CheckFailed
from edgeml.network import network_file
from edgeml.proof.checkers.digits import sum_of_digits
from edgeml.proof.checkers.word_values import form_of
from edgeml.proof.checkers.words import check_certificate
from edgeml.proof.words.values import Base, Form, Space, Table
from edgeml.targets.cpu.proof.certificate import certificate_of
from edgeml.targets.cpu.proof.prover import PortableProver
from tests.targets.c.encode_networks import bits_network
from tests.targets.mcu.networks import random_network

from .proved import follow, program_of
from .test_kernels import int8_network

PLACE = "c-avx512"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    """The files that the checker reads, of a network that is computed otherwise in a block (a sum in one part) than
    alone (in two)."""
    network = random_network(3, (5, 33, 2), 2, activation_bits=1, input_bits=1)
    return files_of(network, program_of(network, "quads"), tmp_path_factory.mktemp("bundle"))


def files_of(network, program, folder: Path) -> Path:
    """The files that the checker reads."""
    folder.mkdir(exist_ok=True)
    network_file.write(network, folder / "network.edgeml")
    artifacts = {f"c/{path}": text.encode() for path, text in program.files.items() if path.endswith((".c", ".h"))}
    network_bytes = (folder / "network.edgeml").read_bytes()
    found = certificate_of(follow(program, "avx512"), network_bytes, artifacts, f"proof/{PLACE}")
    for path, content in {**artifacts, **{f"proof/{PLACE}/{name}": data for name, data in found.items()}}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def changed(bundle: Path, folder: Path, change) -> Path:
    """The same with operations and claims as `change` leaves them, and hashes that fit."""
    shutil.copytree(bundle, folder)
    proof = folder / "proof" / PLACE
    operations = json.loads((proof / "operations.json").read_text())
    certificate = json.loads((proof / "certificate.json").read_text())
    change(operations, certificate["places"])
    (proof / "operations.json").write_text(json.dumps(operations))
    digest = hashlib.sha256((proof / "operations.json").read_bytes()).hexdigest()
    certificate["artifacts"][f"proof/{PLACE}/operations.json"] = digest
    (proof / "certificate.json").write_text(json.dumps(certificate))
    return folder


def test_the_checker_follows_each_way_of_computing_a_sample(bundle):
    content = json.loads((bundle / "proof" / PLACE / "operations.json").read_text())
    assert content["samples"] == [0] * 8 + [1]
    found = check_certificate(bundle, PLACE)
    assert all(claims == proved for claims, proved in found.values())
    assert set(found) == {
        f"{name}{behind}"
        for name in ("input", "threshold0", "dense1", "outputs", "the label")
        for behind in ("", ", program 1")
    }


def _a_weight(operations, places):
    of = operations["programs"][1]["operations"]
    number = max(k for k, each in enumerate(of) if each[0] == "mul")
    of[number][2] = ~(~of[number][2] ^ 1)


def _a_channel(operations, places):
    claims = places["dense1, program 1"]["claims"]
    claims[0]["word"] = claims[1]["word"]


def _a_range(operations, places):
    of = operations["programs"][1]
    of["operations"][of["stages"][0]["values"][0]][2] = 0


def _a_fact(operations, places):
    operations["programs"][0]["facts"][0][1] ^= 1


def _a_stage_left_out(operations, places):
    del operations["programs"][1]["stages"][1]
    del places["threshold0, program 1"]


@pytest.mark.parametrize("change", [_a_weight, _a_channel, _a_range, _a_fact, _a_stage_left_out])
def test_what_was_changed_is_refused(bundle, tmp_path, change):
    with pytest.raises(CheckFailed):
        check_certificate(changed(bundle, tmp_path / "b", change), PLACE)


def test_floating_point_is_followed_and_another_factor_refused(tmp_path):
    network = int8_network("float64_away")
    program = program_of(network)
    bundle = files_of(network, program, tmp_path / "sound")
    assert all(claims == proved for claims, proved in check_certificate(bundle, PLACE).values())

    def a_factor(operations, places):
        of = operations["programs"][0]["operations"] if "programs" in operations else operations["operations"]
        number = next(k for k, each in enumerate(of) if each[0] == "f64_mul_high")
        of[number] = [~(~item ^ 1 << 16) if item < 0 else item for item in of[number][1:]]
        of[number] = ["f64_mul_high", *of[number]]

    with pytest.raises(CheckFailed, match="scale"):
        check_certificate(changed(bundle, tmp_path / "b", a_factor), PLACE)


def test_counts_of_bits_are_followed_and_another_mask_refused(tmp_path):
    network = bits_network(2, 6)
    bundle = files_of(network, program_of(network), tmp_path / "sound")
    assert all(claims == proved for claims, proved in check_certificate(bundle, PLACE).values())

    def a_mask(operations, places):
        of = operations["programs"][0]["operations"] if "programs" in operations else operations["operations"]
        number = next(each[1] for each in of if each[0] == "ones")
        place = next(k for k, item in enumerate(of[number]) if k and item < 0)
        of[number][place] = ~(~of[number][place] ^ 1)

    with pytest.raises(CheckFailed, match="dense"):
        check_certificate(changed(bundle, tmp_path / "b", a_mask), PLACE)


def test_the_same_without_a_change_is_not_refused(bundle, tmp_path):
    assert check_certificate(changed(bundle, tmp_path / "b", lambda operations, places: None), PLACE)


def test_tables_of_digits_are_sums_of_them_where_prover_and_checker_say_so():
    """Random digits with gaps between their weights: sums, sums with one row changed, and any functions."""
    generator = np.random.default_rng(0)
    sums = 0
    for trial in range(200):
        space = Space()
        lows = generator.integers(-3, 2, 3).tolist()
        ranges = generator.integers(1, 4, 3).tolist()
        for low, most in zip(lows, ranges, strict=True):
            space.variable(low, low + most)
        weights, reached = [], 0
        for most in ranges:
            weights.append(reached + int(generator.integers(1, 3)) if reached else 1)
            reached += weights[-1] * most
        terms = dict(enumerate(weights))
        low, high = space.span(terms)
        base = Base(tuple(terms.items()), low, high)
        factors = generator.integers(-9, 9, 3)
        rows = np.array(np.meshgrid(*(np.arange(most + 1) for most in ranges), indexing="ij")).reshape(3, -1)
        column = generator.integers(0, 2**32, high - low + 1).astype(np.uint32)
        if trial % 3:
            column[np.array(weights) @ rows] = (factors @ rows + 77) % 2**32
        if trial % 3 == 1:
            column[int(np.array(weights) @ rows[:, generator.integers(1, rows.shape[1])])] ^= 1
        found = space.looked_up(base, column)
        checked = sum_of_digits([(weights[k], k, lows[k], lows[k] + ranges[k]) for k in range(3)], column)
        if isinstance(found, Table):
            assert checked is None
        else:
            assert isinstance(found, Form)
            values = rows + np.array(lows)[:, None]
            given = sum(found.terms.get(k, 0) * values[k] for k in range(3)) + found.constant
            assert np.array_equal(given % 2**32, column[np.array(weights) @ rows])
            assert form_of(*checked) == (found.terms, found.constant)
            places = np.array(weights) @ rows
            assert np.array_equal(space.over(found, base)[places], column[places])
            sums += 1
    assert 50 < sums < 150


def test_without_zig_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install 'edgeml-exact[toolchain]'" in PortableProver().missing(None)

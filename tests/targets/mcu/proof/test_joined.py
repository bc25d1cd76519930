"""Firmware of layers at positions, maxima, concatenations and products: proved, faults of it refuted, and certificates
that were changed refused."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from edgeml.errors import EdgemlError
from edgeml.network import Dense, InputQuantizer, Maximum, Network, Node, Output, Threshold
from edgeml.proof.bundle_proof import check_proof, prove_bundle
from edgeml.proof.claim import OPEN, PROVED, REFUTED
from edgeml.proof.words.dataflow import Dataflow
from edgeml.proof.words.products_and_maxima import integers_of
from tests.sdk.proof.certified import refused, said
from tests.targets.c.shared_networks import shared_network
from tests.targets.joined_networks import concatenated, every_kind, multiplied
from tests.targets.mcu.networks import bundle_for
from tests.targets.mcu.proof.proved import rows


def pooled(width: int = 4) -> Network:
    """Maxima of windows of signed bytes, that overlap."""
    random = np.random.default_rng(0)
    levels = np.sort(random.integers(-8, 8, (12, 255)), axis=1).astype(np.int32)
    windows = np.stack([np.arange(first, first + width) for first in range(0, 13 - width, 2)]).astype(np.int32)
    nodes = (
        Node("input", InputQuantizer(12, np.ones(1), np.zeros(1), 0, 4, True)),
        Node("act", Threshold(levels, -128), ("input",)),
        Node("pool", Maximum(windows, 12), ("act",)),
        Node("last", Dense(random.integers(-2, 2, (2, len(windows))), 2, np.zeros(2, np.int32)), ("pool",)),
    )
    return Network("pooled", nodes, Output(np.ones(1)))


NETWORKS = {
    "every_kind": every_kind(),
    "concat": concatenated(8),
    "product": multiplied((8, 8), (True, True)),
    "product, last": multiplied((4, 4), (False, False), last=True),
    "maximum": pooled(),
    "positions": shared_network("conv_padded"),
}
CASES = [
    ("rv32", "every_kind"), ("m4", "maximum"), ("m4", "product"), ("m0", "concat"), ("m55", "every_kind"),
    ("m4", "positions"), ("rv32", "product, last"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("core", "name"), [pytest.param(*case, marks=() if k < 1 else pytest.mark.slow) for k, case in enumerate(CASES)]
)
def test_firmware_is_proved_whole(core, name):
    if core == "m55":
        pytest.importorskip("unicorn")
    found = rows(NETWORKS[name], core)
    assert {row.status for row in found.values() if row.claims} == {PROVED}


FAULTS = [
    ("largest = row[c] > largest ? row[c] : largest;", "largest = row[c] < largest ? row[c] : largest;"),
    ("largest = row[c] > largest ? row[c] : largest;", "largest = row[c] > largest + 1 ? row[c] : largest;"),
    ("row[c] = x[base + (int32_t)c0 * 2];", "row[c] = x[base + (int32_t)c0 * 1];"),
    ("((int32_t)x1[i] + (-2)) + (6)", "((int32_t)x1[i] + (-1)) + (6)"),
    ("((int32_t)x1[i] + (-2)) + (6)", "((int32_t)x1[i] + (-2)) + (5)"),
    ("(int32_t)x[i] * ((int32_t)x1[i]", "(int32_t)x[i] + ((int32_t)x1[i]"),
    ("y[4u + i] = (uint8_t)((int32_t)x1[i] + (1));", "y[4u + i] = (uint8_t)((int32_t)x1[i] + (0));"),
    ("const int32_t base = -1 + (int32_t)(position) * 1;", "const int32_t base = 0 + (int32_t)(position) * 1;"),
    ("y[position * 2u + r] = values1[r];", "y[position * 2u + r] = values1[0];"),
]


@pytest.mark.parametrize(
    ("old", "new"), [pytest.param(*f, marks=() if k % 4 == 0 else pytest.mark.slow) for k, f in enumerate(FAULTS)]
)
def test_a_fault_is_refuted(old, new):
    found = rows(every_kind(), "rv32", faults={old: new})
    assert REFUTED in {row.status for row in found.values()}
    assert OPEN not in {row.status for row in found.values() if row.claims}
    assert all("in the emulator" in row.detail for row in found.values() if row.status == REFUTED)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return prove_bundle(bundle_for(every_kind(), "rv32imc", tmp_path_factory.mktemp("joined")))[0]


def test_the_checker_follows_all_of_it(bundle):
    found = {row.part: row for row in check_proof(bundle) if row.prover == "machine_code"}
    assert {"convolution", "pool", "product", "both"} <= found.keys()
    assert {row.status for row in found.values()} == {PROVED}


def _places(bundle) -> dict[str, list]:
    said_there = json.loads((bundle.folder / "proof/machine_code/certificate.json").read_text())["places"]
    return {name: place["claims"] for name, place in said_there.items()}


@pytest.mark.parametrize("place", ["convolution", "pool", "product", "both"])
def test_a_certificate_with_another_word_is_refused(bundle, place):
    claims = _places(bundle)[place]
    other = next(claim["word"] for claim in claims[1:] if claim["word"] != claims[0]["word"])
    path = bundle.folder / "proof/machine_code/certificate.json"
    refused(path, said(["places", place, "claims", 0, "word"], other), lambda: check_proof(bundle))


@pytest.mark.slow
def test_operations_that_were_changed_are_refused_by_the_checker_too(bundle):
    """Each multiplication and choice that claims follow from, made another one; the hash is that of the change."""
    path = bundle.folder / "proof/machine_code/operations.json"
    certificate = bundle.folder / "proof/machine_code/certificate.json"
    sound, stated = path.read_text(), certificate.read_text()
    content = json.loads(sound)
    changes = 0
    others = {"mul": "add", "select": "select", "slt": "ult", "ult": "slt"}
    try:
        for number, operation in enumerate(content["operations"]):
            if operation[0] not in ("mul", "select") or (operation[0] == "select" and changes > 12):
                continue
            changed = json.loads(sound)
            name, *operands = operation
            changed["operations"][number] = [
                others[name],
                *(operands if name == "mul" else [operands[0], *operands[:0:-1]]),
            ]
            text = json.dumps(changed)
            path.write_text(text)
            whole = json.loads(stated)
            whole["artifacts"]["proof/machine_code/operations.json"] = hashlib.sha256(text.encode()).hexdigest()
            certificate.write_text(json.dumps(whole))
            with pytest.raises(EdgemlError):
                check_proof(bundle)
            changes += 1
    finally:
        path.write_text(sound)
        certificate.write_text(stated)
    assert changes >= 10


@pytest.mark.parametrize("name", ["mul", "mulhs"])
def test_a_product_is_that_of_its_factors_for_all_values(name):
    flow = Dataflow()
    a, b = flow.input(-128, 127, 0), flow.input(0, 255, 0)
    word = flow.make(name, a, b)
    x, y = (column.ravel() for column in np.meshgrid(np.arange(-128, 128), np.arange(256)))
    given = {0: x.astype(np.int64), 1: y.astype(np.int64)}
    product = next(v for v in flow.space.joined)
    assert np.array_equal(integers_of(flow.space, product, given), x * y)
    assert (flow.space.low[product], flow.space.high[product]) == (-128 * 255, 127 * 255)
    assert not isinstance(word, int)


def test_a_maximum_is_one_only_where_the_larger_is_taken():
    flow = Dataflow()
    flow.space.maxima = True
    a, b, c = (flow.input(0, 200, 0) for _ in range(3))
    larger = flow.make("select", flow.make("ult", a, b), b, a)
    same = flow.make("select", flow.make("ult", b, a), a, b)
    assert larger.value.terms == same.value.terms
    assert len(flow.space.joined) == 1
    whole = flow.make("select", flow.make("ult", larger, c), c, larger)
    ((_, of),) = [key for key in flow.space.joined.values() if len(key[1]) == 3]
    assert [constant for _, constant in of] == [0, 0, 0]
    assert whole.value.terms != larger.value.terms
    before = len(flow.space.joined)
    flow.make("select", flow.make("ult", a, b), a, b)  # the smaller one
    flow.make("select", flow.make("ult", flow.make("add", a, 1), c), c, a)  # where a + 1 = c the smaller one
    assert len(flow.space.joined) == before

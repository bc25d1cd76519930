"""Profiles: the shipped ones fit what their targets declare; a wrong value is named, wherever a profile is taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edgeml
from edgeml import plugins
from edgeml.bundle import MANIFEST
from edgeml.cli import main
from edgeml.errors import CheckFailed, InputError
from edgeml.network import Network, network_file
from edgeml.profile import board_names, checked, load_profile, profile_names

WRONG: list[Any] = [
    *("", "x y", "a" * 100, "../x", "é", 0, -1, 1, 2**63, -(2**63), 0.5, True, False, [], [1], ["a", ["b"]], [1, "a"]),
    *([{}], {}, {"a": 1}, float("nan"), float("inf"), -float("inf"), [2147483647, "SAME"], [float("nan")], ["a"] * 99),
]


def toml(values: dict[str, Any]) -> str:
    def said(value: Any) -> str:
        if isinstance(value, list):
            return f"[{', '.join(map(said, value))}]"
        if isinstance(value, dict):
            return f"{{{', '.join(f'{key} = {said(each)}' for key, each in value.items())}}}"
        return str(value) if isinstance(value, float) else json.dumps(value)

    return "".join(f"{json.dumps(key)} = {said(value)}\n" for key, value in values.items())


@pytest.mark.parametrize("name", [*profile_names(), *board_names()])
def test_a_shipped_profile_says_what_its_target_declares(name: str) -> None:
    profile = load_profile(name)
    assert checked(profile, name) is profile


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"kind": "fpga", "family": [2147483647, "SAME"]}, "family must be one of"),
        ({"kind": "neuromorphic", "models": ["graded"], "activation_bits": ["akida", 2, 4]}, "activation_bits must be"),
        ({"kind": "neuromorphic", "models": ["loihi", [{"a": -1}]]}, "models must be a list"),
        ({"kind": "neuromorphic", "models": -2147483648}, "models must be a list"),
        ({"kind": "neuromorphic", "models": ["sar"], "membrane_output": -float("inf")}, "membrane_output must be true"),
        ({"kind": "mcu", "core": "m99", "flash_bytes": 1, "ram_bytes": 1}, "core must be one of m0"),
        ({"kind": "mcu", "core": "m4", "flash_bytes": -1, "ram_bytes": 1}, "flash_bytes must be a whole number"),
        ({"kind": "mcu", "core": "m4", "flash_bytes": 1}, "lacks ram_bytes"),
        ({"kind": "mcu", "core": "m4", "flash_byte": 1, "ram_bytes": 1}, "Did you mean flash_bytes"),
        ({"kind": "cpu", "machine": "x86_64", "arch": "$(reboot)"}, "arch must be a name"),
        ({"kind": "toaster"}, "is not known"),
        ({"kind": 3}, "needs the text"),
    ],
)
def test_a_wrong_value_is_named_with_what_it_must_be(tmp_path: Path, values: dict[str, Any], match: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(toml({"description": "", **values}), encoding="utf-8")
    with pytest.raises(InputError, match=match) as caught:
        load_profile(str(path))
    assert "mine.toml" in str(caught.value) or "toaster" in match or values["kind"] == "toaster"
    assert main(["targets", str(path)]) == 2


@pytest.mark.parametrize(
    "content",
    [b"\xff", b"a = ", b"a = [" * 500, b"a = " + b"9" * 5000, b"kind = 'cpu'\nkind = 'cpu'", b"[a]\n[a]", b"\0", b""],
)
def test_what_is_no_sound_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mine.toml").write_bytes(content)
    with pytest.raises(InputError, match=r"mine\.toml"):
        load_profile(str(tmp_path / "mine.toml"))


@pytest.mark.parametrize("name", ["host", "cortex-m4", "ice40-up5k", "xylo-audio2", "akida1", "loihi2", "spinnaker2"])
def test_no_value_of_a_profile_gets_past_the_loader_and_fails_later(
    name: str, small_network: Network, tmp_path: Path
) -> None:
    sound = load_profile(name)
    target = plugins.targets(sound.kind)
    generator = np.random.default_rng(len(name))
    path = tmp_path / "mine.toml"
    passed = 0
    for field in sound.values:
        for index in generator.choice(len(WRONG), 5, replace=False):
            wrong = WRONG[index]
            values = {"kind": sound.kind, "description": "", **sound.values, field: wrong}
            if generator.integers(4) == 0:
                values.pop(str(generator.choice(sorted(sound.values))))
            path.write_text(toml(values), encoding="utf-8")
            try:
                target.rules(small_network, load_profile(str(path)))
                passed += 1
            except (InputError, CheckFailed):
                pass
    assert passed < 5 * len(sound.values) / 2


def test_a_bundle_whose_profile_was_rewritten_is_refused(small_network: Network, tmp_path: Path) -> None:
    network_file.write(small_network, tmp_path / "small.edgeml")
    bundle = edgeml.convert(tmp_path / "small.edgeml", to="quantized", target="host", output=tmp_path / "out")
    manifest = json.loads((bundle.folder / MANIFEST).read_text("utf-8"))
    manifest["target"]["values"]["machine"] = ["x86_64"]
    (bundle.folder / MANIFEST).write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(InputError, match="machine must be one of"):
        edgeml.load(bundle.folder)

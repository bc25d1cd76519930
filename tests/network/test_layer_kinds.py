"""How a kind of layer is found: by its file, or in an installed package by an entry point, and by nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import InputError, MissingTool, NetworkError
from edgeml.network import Add, InputQuantizer, Network, Node, Output, layer_class, layer_kinds, network_file

from ..sdk.installed_plugin import install

NEGATE = """
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from edgeml.network import Layer, ValueRange

@dataclass(frozen=True, eq=False)
class Negate(Layer):
    kind: ClassVar[str] = "negate"
    by: int

    def output_size(self, *input_sizes):
        return input_sizes[0]

    def output_range(self, *inputs):
        return ValueRange(-self.by * inputs[0].high, -self.by * inputs[0].low)

    def evaluate(self, *inputs):
        return (-self.by * inputs[0]).astype(np.int32)
"""

READ = """
import sys
from pathlib import Path
import numpy as np
from edgeml.network import network_file, simulate
print(simulate(network_file.read(Path(sys.argv[1])), np.array([[1, 2, 3]])).tolist())
"""


def quantizer() -> InputQuantizer:
    return InputQuantizer(3, np.ones(1), np.zeros(1), 0, 4, False)


def network_of(layer: object) -> Network:
    return Network("n", (Node("input", quantizer()), Node("turned", layer, ("input",))), Output(np.ones(1)))


def in_a_new_process(path: Path, site: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": site}
    return subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, env=environment, check=False
    )


def test_a_file_with_a_layer_of_a_package_is_read_in_a_process_that_never_imported_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "negating", NEGATE, layers="negate = negating:Negate")
    assert "negate" in layer_kinds()
    path = tmp_path / "n.edgeml"
    network_file.write(network_of(layer_class("negate")(2)), path)
    read = in_a_new_process(path, str(tmp_path / "site-negating"))
    assert read.stdout.split() == ["[[-2,", "-4,", "-6]]"], read.stderr
    without = in_a_new_process(path, "")
    assert without.returncode != 0
    assert "n.edgeml: layer turned is of a layer kind 'negate' that is not known; known kinds: add, concat, dense" in (
        without.stderr
    )
    assert "If a package adds it, install that package here" in without.stderr


def test_every_kind_of_edgeml_stands_in_the_file_that_is_called_after_it() -> None:
    own = [kind for kind in layer_kinds() if layer_class(kind).__module__.startswith("edgeml.")]
    assert len(own) >= 11
    assert all(layer_class(kind).__module__ == f"edgeml.network.layers.{kind}" for kind in own)


@pytest.mark.parametrize("kind", ["os", "layer", "layers.add", "..layer", "__init__", "negating:Negate", "", "add "])
def test_a_kind_from_a_file_never_becomes_an_import(kind: str) -> None:
    before = set(sys.modules)
    with pytest.raises(NetworkError, match="not known"):
        layer_class(kind)
    assert not [name for name in set(sys.modules) - before if name.startswith("edgeml")]


def test_a_package_cannot_take_the_name_of_a_kind_of_edgeml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "adding", NEGATE, layers="add = adding:Negate")
    assert layer_class("add") is Add
    with pytest.raises(TypeError, match="two layer classes"):
        type("Add", (Add,), {"__module__": "adding", "kind": "add"})


@pytest.mark.parametrize(
    ("source", "value", "error", "says"),
    [
        ("import nowhere_to_be_found", "Broken", MissingTool, "nowhere_to_be_found"),
        ("", "Absent", MissingTool, "Absent"),
        ("Wrong = dict", "Wrong", InputError, "not a layer of that kind"),
        (NEGATE, "Negate", InputError, "not a layer of that kind"),
    ],
)
def test_a_package_that_does_not_hold_what_it_offers_is_named(
    source: str, value: str, error: type[Exception], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "offering", source, layers=f"offered_{value.lower()} = offering:{value}")
    with pytest.raises(error, match=says):
        layer_class(f"offered_{value.lower()}")


def test_two_packages_of_one_kind_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("left", "right"):
        install(tmp_path, monkeypatch, name, NEGATE, layers=f"twice = {name}:Negate")
    with pytest.raises(NetworkError, match=r"two installed packages offer it \(left:Negate, right:Negate\)"):
        layer_class("twice")

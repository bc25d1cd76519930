"""The GitHub Action: its steps are shell that runs here as it does there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import edgeml
from edgeml.network import Network, network_file

yaml = pytest.importorskip("yaml")
ACTION = yaml.safe_load((Path(__file__).parents[1] / "action.yml").read_text("utf-8"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, small_network: Network) -> Path:
    """A folder with a bundle in it."""
    folder = tmp_path_factory.mktemp("action")
    network_file.write(small_network, folder / "small.edgeml")
    edgeml.convert(folder / "small.edgeml", to="quantized", target="host", output=folder / "a bundle")
    return folder


def run(folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """The last step, with inputs put into the environment as the runner does."""
    step = ACTION["runs"]["steps"][-1]
    values = {name: str(about.get("default", "")) for name, about in ACTION["inputs"].items()} | given
    filled: dict[str, Any] = {
        key: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda found: values[found[1]], text)
        for key, text in step["env"].items()
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    return subprocess.run(
        command, env={**os.environ, **filled, "PATH": path}, cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_bundle_is_verified_with_the_words_that_are_given(folder: Path) -> None:
    done = run(folder, bundle="a bundle", arguments="--require golden --json")
    assert done.returncode == 0, done.stderr
    assert '"golden"' in done.stdout
    assert run(folder, bundle="a bundle", arguments="--require qemu-mps2-an386").returncode == 3


def test_what_is_given_is_not_run_as_shell(folder: Path) -> None:
    done = run(folder, bundle="$(touch ran)", arguments="; touch ran `touch ran`")
    assert done.returncode != 0
    assert not (folder / "ran").exists()


def test_another_command_is_refused(folder: Path) -> None:
    done = run(folder, bundle="a bundle", command="convert")
    assert done.returncode == 2
    assert "command must be verify or hil" in done.stdout


def test_a_junit_file_is_written_where_it_is_asked_for(folder: Path) -> None:
    done = run(folder, bundle="a bundle", command="hil", arguments="--port /dev/absent", junit="result.xml")
    assert done.returncode == 2
    assert (folder / "result.xml").is_file()


def test_no_input_stands_in_a_script(folder: Path) -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]
    install = ACTION["runs"]["steps"][0]
    assert set(install["env"]) == {"EDGEML_EXTRAS", "EDGEML_SOURCE"}
    assert ACTION["inputs"]["extras"]["default"] == "mcu,hil"

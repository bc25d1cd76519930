"""The package as users install it: a wheel with every folder in it, and plugins of anybody's."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from edgeml.hil.boards import BOARDS
from edgeml.network import Network, network_file
from edgeml.plugins.converter import CONVERTERS
from edgeml.plugins.executor import EXECUTORS
from edgeml.plugins.inspection import INSPECTIONS
from edgeml.plugins.target import TARGETS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the repository's tracked files."""
    # Of a copy: building leaves a folder with metadata beside the sources, which would hide what is installed.
    folder = tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True, cwd=ROOT).stdout.split()
    for name in listed:
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / "source" / name)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(folder / "source")]
    subprocess.run(build, check=True, capture_output=True, cwd=folder)
    (wheel,) = folder.glob("edgeml_exact-*.whl")
    return wheel


@pytest.mark.slow
def test_a_wheel_holds_every_source_file_and_runs_without_the_repository(wheel: Path, tmp_path: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    homes = {
        "sdk": "edgeml",
        "converters": "edgeml/converters",
        "targets": "edgeml/targets",
        "firmware_stubs": "edgeml/firmware_stubs",
    }
    tracked = subprocess.run(["git", "ls-files", *homes], check=True, capture_output=True, text=True, cwd=ROOT).stdout
    assert "edgeml/py.typed" in names
    for path in tracked.split():
        top, rest = path.split("/", 1)
        assert f"{homes[top]}/{rest}" in names, path
    # The wheel's own copy runs: -I keeps the repository off the path, and a zip of sources cannot hold profiles open.
    unpacked = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(unpacked)
    script = (
        f"import sys; sys.path.insert(0, {str(unpacked)!r}); from edgeml.cli import main; sys.exit(main(['targets']))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "cpu-x86_64" in done.stdout


@pytest.mark.slow
def test_a_rack_with_the_wheel_and_without_torch_verifies_simulates_and_asks_devices(
    wheel: Path, small_network: Network, tmp_path: Path
) -> None:
    rack = tmp_path / "rack"
    subprocess.run([sys.executable, "-m", "venv", str(rack)], check=True)
    constraints = ["-c", str(ROOT / "constraints.txt")]
    install = [str(rack / "bin/pip"), "install", "-q", *constraints, f"{wheel}[mcu,hil]"]
    subprocess.run(install, check=True, capture_output=True)
    network_file.write(small_network, tmp_path / "network.edgeml")

    def run(*words: str) -> str:
        command = [str(rack / "bin/edgeml"), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    for target in ("cortex-m4", "host"):
        run("convert", "network.edgeml", "--to", "quantized", "--target", target, "-o", target)
    assert "exact" in run("verify", "cortex-m4", "--require", "unicorn-m4")
    assert " 0 differ from golden" in run("hil", "cortex-m4", "--emulate", "unicorn-m4")
    run("simulate", "cortex-m4", "cortex-m4/golden/inputs.npy")
    run("inspect", "cortex-m4")
    absent = [
        str(rack / "bin/python"),
        "-c",
        "import importlib.util, sys; sys.exit(bool(importlib.util.find_spec('torch')))",
    ]
    assert subprocess.run(absent, check=False).returncode == 0


def test_every_entry_point_of_ours_loads_and_offers_what_its_protocol_asks() -> None:
    for registry in (CONVERTERS, TARGETS, EXECUTORS, INSPECTIONS, BOARDS):
        assert registry.all()
        for entry in registry.all().values():
            entry.load()  # which holds it against the protocol


def test_a_plugin_whose_package_is_broken_is_reported_and_stops_nobody_else(tmp_path: Path) -> None:
    information = tmp_path / "their_package-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[edgeml.executors]\ntheirs = absent_package:Theirs\n")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from edgeml import plugins, errors\n"
        "plugins.executors()['golden'].load()\n"
        "try: plugins.executors()['theirs'].load()\n"
        "except errors.MissingTool as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "absent_package" in done.stdout


def test_a_package_of_anybodys_adds_an_executor_by_an_entry_point(tmp_path: Path) -> None:
    (tmp_path / "their_package.py").write_text(
        "class Theirs:\n"
        "    def applies(self, bundle): return True\n"
        "    def missing(self, bundle): return 'pip install their-simulator'\n"
        "    def run(self, bundle, q, *, trace, options): raise AssertionError\n"
    )
    information = tmp_path / "their_package-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[edgeml.executors]\ntheirs = their_package:Theirs\n")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from edgeml import plugins; "
        "print(plugins.executors()['theirs'].load().missing(None))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "pip install their-simulator"

"""The package as users install it: a wheel with every folder in it, and plugins of anybody's."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from edgeml.hil.boards import BOARDS
from edgeml.plugins.converter import CONVERTERS
from edgeml.plugins.executor import EXECUTORS
from edgeml.plugins.inspection import INSPECTIONS
from edgeml.plugins.target import TARGETS

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_wheel_holds_every_source_file_and_runs_without_the_repository(tmp_path: Path) -> None:
    # Of a copy: building leaves a folder with metadata beside the sources, which would hide what is installed.
    listed = subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True, cwd=ROOT).stdout.split()
    for name in listed:
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / "source" / name)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(tmp_path / "source")]
    subprocess.run(build, check=True, capture_output=True, cwd=tmp_path)
    (wheel,) = tmp_path.glob("edgeml-*.whl")
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

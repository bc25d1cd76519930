"""The command line as a user meets it: real processes, exit codes, JSON, and no traceback for a mistake."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeml.extras import DISTRIBUTION
from edgeml.network import Network, network_file
from edgeml.version import __version__


def edgeml(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "edgeml", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, small_network: Network) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    network_file.write(small_network, folder / "small.edgeml")
    done = edgeml("convert", folder / "small.edgeml", "--to", "quantized", "--target", "host", "-o", folder / "out")
    assert done.returncode == 0, done.stderr
    return folder / "out"


def test_edgeml_alone_shows_the_commands() -> None:
    shown = edgeml().stdout
    for command in ("convert", "verify", "simulate", "inspect", "targets", "bench", "demo"):
        assert command in shown


def test_help_imports_neither_numpy_nor_torch() -> None:
    script = "import sys; from edgeml.cli import main; main(['--help']); print({'numpy', 'torch'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


def test_verifying_and_simulating_a_bundle_need_no_torch(bundle: Path) -> None:
    script = f"""
import sys
sys.modules['torch'] = None
from edgeml.cli import main
code = main(['verify', {str(bundle)!r}, '--on', 'golden', '--on', 'native'])
sys.exit(code)"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_verify_in_json_lists_every_executor_with_its_counts(bundle: Path) -> None:
    done = edgeml("verify", bundle, "--json")
    assert done.returncode == 0
    document = json.loads(done.stdout)
    by_name = {entry["name"]: entry for entry in document["executors"]}
    assert document["bundle"] == str(bundle)
    assert by_name["golden"]["status"] == by_name["native"]["status"] == "exact"
    assert by_name["native"]["mismatches"] == 0
    assert by_name["native"]["vectors"] == by_name["golden"]["vectors"] >= 32


def test_simulate_gives_the_same_integers_on_golden_and_native(bundle: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(30, 12)))
    for on in ("golden", "native"):
        assert edgeml("simulate", bundle, tmp_path / "x.npy", "-o", tmp_path / f"{on}.npy", "--on", on).returncode == 0
    assert np.array_equal(np.load(tmp_path / "golden.npy"), np.load(tmp_path / "native.npy"))


def test_inspect_shows_layers_and_ranges(bundle: Path) -> None:
    document = json.loads(edgeml("inspect", bundle, "--json").stdout)
    assert [layer["kind"] for layer in document["layers"]] == ["input_quantizer", "dense", "threshold", "dense"]
    assert "dense1" in edgeml("inspect", bundle).stdout


def test_targets_lists_profiles_and_shows_one() -> None:
    names = {entry["name"] for entry in json.loads(edgeml("targets", "--json").stdout)["targets"]}
    assert {"host", "cpu-x86_64", "cpu-aarch64"} <= names
    assert "cpu" in edgeml("targets", "host").stdout


def test_bench_times_golden_and_native(bundle: Path) -> None:
    rows = json.loads(edgeml("bench", bundle, "--batch", 4, "--json").stdout)["rows"]
    assert {row["executor"] for row in rows} >= {"golden", "native"}
    assert all(row["microseconds"] > 0 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["convert", "absent.pt2", "--to", "quantized", "--target", "host"], "absent.pt2"),
        (["convert", "small.edgeml", "--to", "quantised", "--target", "host"], "quantized"),
        (["convert", "small.edgeml", "--to", "quantized", "--target", "cortex-m99"], "cortex-m99"),
        (["convert", "small.edgeml", "--to", "quantized", "--target", "host", "--encoding", "unary"], "encoding"),
        (["convert", "small.edgeml", "--to", "quantized"], "--target"),
        (["convert", "small.edgeml", "--to", "quantized", "--target", "host", "--data", "absent.npz"], "absent.npz"),
        (["convert", "small.edgeml", "--to", "quantized", "--target", "broken.toml"], "broken.toml"),
        (["verify", "absent"], "absent"),
        (["verify", "."], "no bundle"),
        (["verify", "out", "--on", "nativ"], "native"),
        (["simulate", "out", "absent.npy"], "absent.npy"),
        (["inspect", "broken.edgeml"], "broken.edgeml"),
        (["targets", "nowhere"], "nowhere"),
        (["bench", "out", "--batch", "0"], "--batch"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_a_mistake_gives_exit_code_2_and_says_what_is_wrong_without_a_traceback(
    bundle: Path, arguments: list[str], says: str
) -> None:
    (bundle.parent / "broken.toml").write_text("kind = ")
    (bundle.parent / "broken.edgeml").write_bytes(b"\xff" * 100)
    done = edgeml(*arguments, cwd=bundle.parent)
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_in_json_has_its_three_parts(bundle: Path) -> None:
    document = json.loads(edgeml("verify", bundle.parent / "absent", "--json").stdout)
    assert set(document["error"]) == {"where", "problem", "remedy"}


def test_debug_shows_the_traceback(bundle: Path) -> None:
    assert "Traceback" in edgeml("verify", bundle.parent / "absent", "--debug").stderr


def test_the_version_is_that_of_the_package() -> None:
    done = edgeml("--version")
    assert (done.returncode, done.stdout) == (0, f"edgeml {__version__}\n")
    assert __version__ == importlib.metadata.version(DISTRIBUTION)

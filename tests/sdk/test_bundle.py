"""Bundles: whole or absent, and every file as it was written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import edgeml
from edgeml.bundle import MANIFEST, load, seal
from edgeml.errors import InputError, NetworkError
from edgeml.network import Network, network_file, simulate
from edgeml.system.output_folder import unfinished_folder


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory, small_network: Network) -> edgeml.Bundle:
    """A bundle of the small network for this machine."""
    folder = tmp_path_factory.mktemp("bundle")
    network_file.write(small_network, folder / "small.edgeml")
    return edgeml.convert(folder / "small.edgeml", to="quantized", target="host", output=folder / "out")


def test_the_same_network_gives_the_same_bytes(bundle: edgeml.Bundle, tmp_path: Path) -> None:
    source = tmp_path / "small.edgeml"
    network_file.write(bundle.network, source)
    again = edgeml.convert(source, to="quantized", target="host", output=tmp_path / "out")
    files = sorted(path.relative_to(bundle.folder) for path in bundle.folder.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(again.folder) for path in again.folder.rglob("*") if path.is_file())
    for name in files:
        assert (bundle.folder / name).read_bytes() == (again.folder / name).read_bytes(), name


def test_running_takes_floats_and_integers_and_gives_integers_real_values_and_labels(bundle: edgeml.Bundle) -> None:
    x = np.random.default_rng(1).normal(size=(20, 12)) * 8
    q = bundle.network.quantizer.quantize(x)
    result = bundle.run(x)
    assert np.array_equal(result, bundle.run(q).integers)
    assert np.array_equal(result.integers, simulate(bundle.network, q))
    assert np.array_equal(result.real, result.integers * 0.5)
    assert result.labels == tuple("abcd"[index] for index in np.argmax(result.integers, axis=1))
    assert np.array_equal(result, bundle.run(x, on="native"))
    assert set(bundle.run(x, trace=True).trace) == {"input", "dense1", "act1", "dense2"}


@pytest.mark.parametrize(
    "wrong",
    [
        *(np.zeros((2, 11)), np.full((2, 12), 128), np.full((2, 12), np.nan), np.zeros((2, 12), "U1"), np.array(3.0)),
        *(np.zeros((2, 12), object), np.zeros((2, 12), complex), np.full((2, 12), 2**63, np.uint64), np.zeros(0)),
        *("text", None, [[1.0], [1.0, 2.0]], np.full((2, 12), -np.inf), np.zeros((2, 12), "M8[s]")),
    ],
)
def test_input_that_does_not_fit_is_refused(bundle: edgeml.Bundle, wrong: np.ndarray) -> None:
    with pytest.raises(InputError):
        bundle.run(wrong)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [1e300, 1.7e308, 5e-324])
def test_numbers_of_any_size_are_clipped_as_the_quantizer_says(bundle: edgeml.Bundle, value: float) -> None:
    x = np.array([value, -value] * 6)
    low, high = bundle.network.quantizer.quantize(np.array([[-1e6] * 12, [1e6] * 12]))
    zero = bundle.network.quantizer.quantize(np.zeros((1, 12)))[0]
    expected = zero if value < 1 else np.where(x > 0, high, low)
    assert np.array_equal(bundle.quantize(x)[0], expected)


def test_no_samples_give_no_integers(bundle: edgeml.Bundle) -> None:
    assert bundle.run(np.zeros((0, 12))).integers.shape == (0, 4)


def test_a_changed_missing_or_renamed_file_is_named(bundle: edgeml.Bundle, tmp_path: Path) -> None:
    for name in bundle.manifest["files"]:
        copy = tmp_path / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(bundle.folder, copy)
        content = bytearray((copy / name).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / name).write_bytes(bytes(content))
        with pytest.raises(InputError, match="differs from what bundle"):
            load(copy)
        (copy / name).unlink()
        with pytest.raises(InputError, match="cannot be read"):
            load(copy)


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside", "a/../../outside"])
def test_a_manifest_that_points_outside_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    target = {"name": "t", "kind": "cpu", "description": "", "values": {}}
    seal(tmp_path, {"form": "quantized", "target": target})
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    manifest["files"][name] = {"bytes": 1, "sha256": "0"}
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(InputError, match="outside the bundle"):
        load(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"schema": 99}', "[" * 100_000, '{"schema": 1, "files": 3}'])
def test_a_manifest_of_another_shape_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(InputError):
        load(tmp_path)


def test_a_folder_that_is_no_bundle_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match="not overwritten"), unfinished_folder(tmp_path / "mine"):
        pass
    assert (tmp_path / "mine" / "thesis.tex").exists()


def test_an_error_while_writing_leaves_the_old_bundle_and_nothing_else(tmp_path: Path) -> None:
    final = tmp_path / "b"
    with unfinished_folder(final) as folder:
        seal(folder, {"name": "old"})

    def fail_half_way() -> None:
        with unfinished_folder(final) as folder:
            seal(folder, {"name": "new"})
            raise NetworkError("layer", "wrong")

    with pytest.raises(NetworkError):
        fail_half_way()
    assert json.loads((final / MANIFEST).read_text())["name"] == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_a_conversion_killed_at_any_moment_leaves_the_old_bundle_or_none(bundle: edgeml.Bundle, tmp_path: Path) -> None:
    source, final = tmp_path / "small.edgeml", tmp_path / "out"
    network_file.write(bundle.network, source)
    command = [sys.executable, "-m", "edgeml", "convert", str(source), "--to", "quantized", "--target", "host", "-q"]
    start = time.perf_counter()
    subprocess.run([*command, "-o", str(final)], check=True, capture_output=True)
    whole = time.perf_counter() - start
    for share in np.linspace(0.2, 1.0, 9):
        process = subprocess.Popen([*command, "-o", str(final)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(whole * share)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        if final.exists():
            assert load(final).manifest["model_hash"] == bundle.manifest["model_hash"]
    subprocess.run([*command, "-o", str(final)], check=True, capture_output=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "small.edgeml"]


@pytest.fixture
def copy(bundle: edgeml.Bundle, tmp_path: Path) -> Path:
    """A copy of the bundle that a test may damage."""
    return Path(shutil.copytree(bundle.folder, tmp_path / "copy"))


def test_a_link_in_a_bundle_is_refused_wherever_it_is_and_points(copy: Path, tmp_path: Path) -> None:
    name = "golden/inputs.npy"
    (copy / name).rename(tmp_path / "elsewhere.npy")
    (copy / name).symlink_to(tmp_path / "elsewhere.npy")  # the very content that the manifest lists
    with pytest.raises(InputError, match=r"golden/inputs\.npy: is a link"):
        load(copy)
    (copy / name).unlink()
    (tmp_path / "elsewhere.npy").rename(copy / name)
    load(copy)
    (copy / "golden").rename(tmp_path / "golden")
    (copy / "golden").symlink_to(tmp_path / "golden")
    with pytest.raises(InputError, match="golden: is a link"):
        load(copy)
    (copy / "golden").unlink()
    (tmp_path / "golden").rename(copy / "golden")
    (copy / "extra").symlink_to("nowhere")
    with pytest.raises(InputError, match="extra: is a link"):
        load(copy)
    (copy / "extra").unlink()
    (copy / MANIFEST).rename(tmp_path / MANIFEST)
    (copy / MANIFEST).symlink_to(tmp_path / MANIFEST)
    with pytest.raises(InputError, match=MANIFEST):
        load(copy)


@pytest.mark.parametrize("name", ["notes.txt", "c/edgeml/extra.h", "lib/libsmall.so", ".hidden"])
def test_a_file_that_the_manifest_does_not_list_is_refused(copy: Path, name: str) -> None:
    (copy / name).parent.mkdir(exist_ok=True)
    (copy / name).write_text("")
    with pytest.raises(InputError, match=r"is not listed in bundle\.json"):
        load(copy)


def test_a_fifo_in_a_bundle_is_refused(copy: Path) -> None:
    os.mkfifo(copy / "c" / "pipe.c")
    with pytest.raises(InputError, match="FIFO"):
        load(copy)


def test_a_model_hash_of_another_network_is_refused(copy: Path) -> None:
    manifest = json.loads((copy / MANIFEST).read_text("utf-8"))
    for wrong in ("0" * 64, None, 3):
        (copy / MANIFEST).write_text(json.dumps({**manifest, "model_hash": wrong}), "utf-8")
        with pytest.raises(InputError, match="model_hash"):
            load(copy)


def test_a_bundle_holds_no_binary(bundle: edgeml.Bundle) -> None:
    for name in bundle.manifest["files"]:
        if not name.endswith((".npy", ".edgeml", ".safetensors")):
            (bundle.folder / name).read_text("utf-8")


def test_test_vectors_past_32_bits_are_refused(copy: Path) -> None:
    outputs = np.load(copy / "golden" / "outputs.npy").astype(np.int64) + 2**32
    np.save(copy / "golden" / "outputs.npy", outputs)
    manifest = json.loads((copy / MANIFEST).read_text("utf-8"))
    seal(copy, {key: value for key, value in manifest.items() if key not in ("files", "schema")})
    with pytest.raises(InputError, match="32 bits"):
        load(copy).golden()


@pytest.mark.parametrize("cut", ["a column", "a row", "all but one dimension"])
def test_test_vectors_of_another_shape_are_refused(copy: Path, cut: str) -> None:
    outputs = np.load(copy / "golden" / "outputs.npy")
    np.save(
        copy / "golden" / "outputs.npy",
        {"a column": outputs[:, 1:], "a row": outputs[1:], "all but one dimension": outputs[:, 0]}[cut],
    )
    manifest = json.loads((copy / MANIFEST).read_text("utf-8"))
    seal(copy, {key: value for key, value in manifest.items() if key not in ("files", "schema")})
    with pytest.raises(InputError, match="does not fit the inputs"):
        load(copy).golden()

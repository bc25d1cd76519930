"""The folder as a component of ESP-IDF, with its example: built by CMake with functions in the place of ESP-IDF's."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from .packaged import STAND_INS, answer_to, labelled_network, run, written

needs_cmake = pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
ENVIRONMENT = {**os.environ, "IDF_PATH": str(STAND_INS / "esp_idf")}


@needs_cmake
def test_the_example_builds_with_the_component_and_answers_as_golden_does(tmp_path: Path) -> None:
    network = labelled_network()
    component = tmp_path / "components" / "net"
    written(network, component, "rv32")
    run(["cmake", "-S", component / "examples" / "esp_idf", "-B", "build"], tmp_path, ENVIRONMENT)
    run(["cmake", "--build", "build"], tmp_path, ENVIRONMENT)
    answer, label, output = answer_to(network, [0.0] * network.input_size)
    assert run([tmp_path / "build" / "net_example"], tmp_path).splitlines() == [
        "net self-test: passed",
        f"net answers: {answer}, {label} (output[0] = {output[0]})",
    ]


@needs_cmake
def test_a_folder_called_c_is_refused_before_it_becomes_libc(tmp_path: Path) -> None:
    written(labelled_network(), tmp_path / "c", "rv32")
    done = subprocess.run(
        ["cmake", "-S", tmp_path / "c" / "examples" / "esp_idf", "-B", tmp_path / "build"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "components/net" in done.stderr


def test_the_manifest_has_the_fields_of_the_component_manager(tmp_path: Path) -> None:
    """https://docs.espressif.com/projects/idf-component-manager/en/latest/reference/manifest_file.html"""
    firmware = written(labelled_network(), tmp_path, "rv32")
    manifest = yaml.safe_load(firmware.files["idf_component.yml"])
    assert set(manifest) <= {"version", "description", "license", "dependencies", "targets", "url", "maintainers"}
    assert isinstance(manifest["version"], str)
    assert manifest["dependencies"] == {"idf": ">=5.0"}

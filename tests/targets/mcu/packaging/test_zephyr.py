"""The folder as a module of Zephyr, with its sample: built by CMake with functions in the place of Zephyr's."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest
import yaml

from .packaged import STAND_INS, answer_to, labelled_network, run, written


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not installed")
def test_the_sample_builds_with_the_module_and_prints_what_its_twister_file_expects(tmp_path: Path) -> None:
    network = labelled_network(signed=True)
    written(network, tmp_path / "c")
    sample, environment = tmp_path / "c" / "samples" / "classify", {**os.environ}
    environment["ZEPHYR_BASE"] = str(STAND_INS / "zephyr")
    with (sample / "prj.conf").open("a") as settings:
        settings.write("CONFIG_EDGEML_NET_HIL=y\n")
    run(["cmake", "-S", sample, "-B", "build"], tmp_path, environment)
    run(["cmake", "--build", "build"], tmp_path, environment)
    printed = run([tmp_path / "build" / "zephyr" / "zephyr"], tmp_path)
    answer, label, output = answer_to(network, [0.0] * network.input_size)
    lines = ["net self-test: passed", f"net answers: {answer}, {label} (output[0] = {output[0]})"]
    assert printed.splitlines() == lines

    (test,) = yaml.safe_load((sample / "sample.yaml").read_text())["tests"].values()
    harness = test["harness_config"]
    assert (test["harness"], harness["type"], harness["ordered"]) == ("console", "multi_line", True)
    for expected, line in zip(harness["regex"], lines, strict=True):
        assert re.search(expected, line)
        assert not re.search(expected, line.replace("passed", "FAILED").replace("answers", "fails"))


def test_the_sample_file_has_the_fields_that_twister_knows(tmp_path: Path) -> None:
    """Those of scripts/schemas/twister/testsuite-schema.yaml in Zephyr's repository."""
    firmware = written(labelled_network(), tmp_path)
    described = yaml.safe_load(firmware.files["samples/classify/sample.yaml"])
    assert set(described) == {"sample", "tests"}
    assert set(described["sample"]) == {"name", "description"}
    for name, test in described["tests"].items():
        assert re.fullmatch(r"[a-zA-Z0-9_.]+", name)
        assert set(test) <= {"tags", "integration_platforms", "harness", "harness_config", "timeout", "min_ram"}
        assert set(test["harness_config"]) <= {"type", "ordered", "regex", "repeat"}
        assert all(isinstance(platform, str) for platform in test["integration_platforms"])

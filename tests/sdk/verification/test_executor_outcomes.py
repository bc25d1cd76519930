"""What an executor says of an artifact, and what its failure does not say. Executors of an installed package."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

import edgeml
from edgeml.cli import main
from edgeml.errors import CheckFailed, InputError, MissingTool, ToolFailed
from edgeml.network import Network, network_file
from edgeml.verification.coverage import coverage
from edgeml.verification.verify import Verdict, run_executors

from ..installed_plugin import install

EXECUTOR = """
import numpy as np
from edgeml.errors import CheckFailed, MissingTool, ToolFailed
from edgeml.network import trace as golden_trace
from edgeml.plugins import Execution, Subject


class Executor:
    def applies(self, bundle):
        return True

    def missing(self, bundle):
        return {missing!r}

    def subject(self, bundle):
        return Subject("the artifact on a test bench", {of_target})

    def run(self, bundle, q, *, trace, options):
        layers = dict(golden_trace(bundle.network, q))
        outputs = layers[bundle.network.nodes[-1].name]
        {body}
        return Execution(outputs, layers, "a test bench")
"""
WRONG_INSIDE = 'layers["act1"] = layers["act1"] + (np.arange(len(q)) == 7)[:, None].astype(np.int32)'


@pytest.fixture
def source(tmp_path: Path, small_network: Network) -> Path:
    network_file.write(small_network, tmp_path / "small.edgeml")
    return tmp_path / "small.edgeml"


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    def executor(name: str, body: str = "pass", *, missing: str = "", of_target: bool = True) -> None:
        text = EXECUTOR.format(body=body, missing=missing, of_target=of_target)
        install(tmp_path, monkeypatch, f"{name}_package", text, executors=f"{name} = {name}_package:Executor")

    return executor


def convert(source: Path, target: str = "host", **more: object) -> edgeml.Bundle:
    return edgeml.convert(source, to="quantized", target=target, output=source.parent / "out", **more)  # type: ignore[arg-type]


def verdict_of(bundle: edgeml.Bundle, name: str) -> Verdict:
    return next(Verdict(**each) for each in bundle.manifest["verification"] if each["name"] == name)


def test_an_executor_that_is_wrong_inside_and_right_at_the_end_refuses_the_bundle(source: Path, add) -> None:  # type: ignore[no-untyped-def]
    bundle = convert(source)
    add("inside", WRONG_INSIDE)
    (verdict,) = run_executors(bundle, ["inside"])
    assert (verdict.status, verdict.mismatches, verdict.layers) == ("mismatch", 1, 4)
    assert verdict.first_mismatch is not None
    assert (verdict.first_mismatch["vector"], verdict.first_mismatch["layer"]) == (7, "act1")
    with pytest.raises(CheckFailed, match=r"inside.*golden integers.*act1"):
        edgeml.convert(source, to="quantized", target="host", output=source.parent / "refused")
    assert not (source.parent / "refused").exists()


def test_of_several_layers_that_differ_the_first_is_named_and_each_vector_counts_once(source: Path, add) -> None:  # type: ignore[no-untyped-def]
    bundle = convert(source)
    add("twice", f"{WRONG_INSIDE}\n        outputs = outputs + (np.arange(len(q))[:, None] % 7 == 0).astype(np.int32)")
    (verdict,) = run_executors(bundle, ["twice"])
    assert verdict.first_mismatch is not None
    assert (verdict.first_mismatch["vector"], verdict.first_mismatch["layer"]) == (7, "act1")
    assert verdict.mismatches == -(-verdict.vectors // 7)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('raise ToolFailed("simulator", "had not ended after 3 s", "Allow it more by --time-limit")', "--time-limit"),
        ('raise ZeroDivisionError("deep inside")', "ZeroDivisionError: deep inside"),
        ('raise OSError(28, "No space left on device", "/full/file")', "/full/file"),
    ],
)
def test_an_executor_whose_tool_fails_leaves_the_bundle_and_exit_code_1(
    source: Path,
    add,  # type: ignore[no-untyped-def]
    body: str,
    says: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    add("failing", body)
    out = str(source.parent / "out")
    assert main(["convert", str(source), "--to", "quantized", "--target", "host", "-o", out]) == 1
    shown = capfd.readouterr()
    assert "executor failing failed" in shown.err
    assert says in shown.err.replace("\n", " ")
    bundle = edgeml.load(out)
    verdict = verdict_of(bundle, "failing")
    assert verdict.status == "error"
    assert not verdict.refutes
    assert verdict_of(bundle, "native").status == "exact", "the others still run"
    assert main(["verify", out, "--on", "failing"]) == 1


def test_an_executor_that_finds_the_artifact_wrong_refuses_the_bundle(source: Path, add) -> None:  # type: ignore[no-untyped-def]
    add("strict", 'raise CheckFailed("frame 3", "ends in clock 9, 8 are predicted")')
    with pytest.raises(CheckFailed, match="frame 3"):
        convert(source)
    assert not (source.parent / "out").exists()


@pytest.mark.parametrize(
    "body", ["outputs = outputs[:, :2]", "outputs = outputs.tolist(); outputs[0][0] += 1", "outputs = outputs + 0.25"]
)
def test_outputs_of_another_shape_or_kind_are_no_equality(source: Path, add, body: str) -> None:  # type: ignore[no-untyped-def]
    bundle = convert(source)
    add("other", body)
    (verdict,) = run_executors(bundle, ["other"])
    assert verdict.refutes


def test_where_nothing_of_the_target_ran_the_first_line_says_so(
    source: Path,
    add,  # type: ignore[no-untyped-def]
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from edgeml.targets.mcu import measure

    add("cousin", of_target=False)
    bundle = convert(source, "cortex-m4")
    assert bundle.manifest["coverage"]["target_ran"] is True
    assert main(["verify", str(bundle.folder)]) == 0
    assert "Nothing made for" not in capfd.readouterr().out

    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: None)
    assert measure.measuring_missing(), "no compiler and no emulator from here on"
    assert main(["verify", str(bundle.folder)]) == 0
    first = capfd.readouterr().out.splitlines()[0]
    assert first.startswith("! Nothing made for cortex-m4 ran here")
    assert "cousin ran the artifact on a test bench" in first
    assert "unicorn-m4 could not run" in first
    assert main(["verify", str(bundle.folder), "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["coverage"]["target_ran"] is False
    assert main(["verify", str(bundle.folder), "--require", "unicorn-m4"]) == 3
    assert "unicorn-m4" in capfd.readouterr().err


def test_the_report_begins_with_what_did_not_run(small_network: Network) -> None:
    from edgeml.report import render

    verdicts = [Verdict("golden", "exact", 64), Verdict("unicorn-m4", "unavailable", of_target=True, detail="no zig")]
    manifest = {
        "name": "small",
        "form": "quantized",
        "target": {"name": "cortex-m4", "kind": "mcu", "description": "", "values": {}},
        "metrics": {},
        "verification": [verdict.as_json() for verdict in verdicts],
        "coverage": coverage(verdicts, "cortex-m4").as_json(),
    }
    page = render(manifest, small_network)
    first = page[page.index('<ul class="status">') :].split("</li>")[0]
    assert "Not verified for its target." in first
    assert "unicorn-m4 could not run: no zig" in first
    assert 'class="warn"' in first


def test_golden_against_itself_is_no_executor_of_the_target() -> None:
    chosen = coverage([Verdict("golden", "exact", 64)], "host", chosen=True)
    assert "No other executor was asked for" in chosen.sentence
    alone = coverage([Verdict("golden", "exact", 64)], "host")
    assert not alone.target_ran
    assert "Only golden ran" in alone.sentence
    failed = coverage([Verdict("golden", "exact"), Verdict("vvp", "error", of_target=True, detail="too long")], "part")
    assert "vvp failed: too long" in failed.sentence


def test_a_required_executor_that_cannot_run_ends_in_a_missing_tool_and_leaves_the_bundle(source: Path, add) -> None:  # type: ignore[no-untyped-def]
    add("absent", missing="pip install absent")
    with pytest.raises(MissingTool, match="pip install absent"):
        convert(source, require=["absent"])
    bundle = edgeml.load(source.parent / "out")
    with pytest.raises(MissingTool, match="absent"):
        edgeml.verify(bundle, require=["absent"])
    with pytest.raises(MissingTool, match="runs nothing"):
        edgeml.verify(bundle, require=["tflm"])
    with pytest.raises(InputError, match=r"Did you mean native\?"):
        convert(source, require=["nativ"])
    found = edgeml.verify(bundle, ["golden"], require=["native"])
    assert {each.name for each in found if each.question == "integers"} == {"golden", "native"}


def test_a_time_limit_reaches_the_tools_and_the_error_names_its_option(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEML_CACHE", str(source.parent / "cache"))
    bundle = convert(source)
    monkeypatch.setenv("EDGEML_CACHE", str(source.parent / "empty"))
    (verdict,) = edgeml.verify(edgeml.load(bundle.folder), ["native"], time_limit=0.001)
    assert verdict.status == "error"
    assert "--time-limit" in verdict.detail
    monkeypatch.setattr("edgeml.targets.mcu.image_build._elfs", OrderedDict())  # firmware that other tests built
    with pytest.raises(ToolFailed, match="--time-limit"):
        edgeml.convert(source, to="quantized", target="cortex-m4", output=source.parent / "m4", time_limit=0.001)
    with pytest.raises(InputError, match="time_limit"):
        edgeml.verify(bundle, time_limit=-1)


def test_vectors_are_not_changed_by_an_executor_that_writes_into_them(source: Path, add) -> None:  # type: ignore[no-untyped-def]
    bundle = convert(source)
    before = np.array(bundle.golden()[0])
    add("writing", "q[:] = 0")
    verdicts = {verdict.name: verdict for verdict in run_executors(bundle, ["writing", "native", "golden"])}
    assert verdicts["golden"].status == verdicts["native"].status == "exact"
    assert np.array_equal(before, bundle.golden()[0])

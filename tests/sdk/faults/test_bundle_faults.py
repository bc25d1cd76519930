"""`edgeml verify --faults`: the same seed gives the same curve, the artifact agrees, the worst bits are the worst."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")

from typer.testing import CliRunner

from edgeml.bundle import Bundle, load
from edgeml.cli.app import app
from edgeml.errors import InputError
from edgeml.faults import bundle_faults as module
from edgeml.faults.bundle_faults import FaultSettings, bundle_faults, stored_form
from edgeml.faults.flips import flipped
from edgeml.network import decisions
from tests.targets.mcu.networks import bundle_for, random_network

SETTINGS = FaultSettings((1e-3, 3e-2), ("weights", "thresholds"), draws=2, compared=2, worst=3)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundle_for(random_network(2, (8, 6, 3), 8, 2), "cortex-m4", tmp_path_factory.mktemp("faults"))


def test_curve_devices_and_worst_bits(bundle: Bundle) -> None:
    found = bundle_faults(bundle, SETTINGS)
    assert found["without"] == 1.0
    assert [row["draws"] for row in found["rates"]] == [2, 2]
    assert found["rates"][0]["mean"] > found["rates"][1]["mean"]
    assert found["rates"][1]["worst"] <= found["rates"][1]["mean"] < 1.0
    assert {each["name"]: each["mismatches"] for each in found["devices"] if not each["error"]}["unicorn-m4"] == 0
    ran = [each for each in found["devices"] if not each["error"]]
    assert ran
    assert all(each["vectors"] == 8 and not each["failed"] for each in ran)
    assert found["looked_at"] == found["of_bits"]
    form, (q, _) = stored_form(bundle), bundle.golden()
    truth = decisions(bundle.network, form.golden(form.content, q))
    bits = np.concatenate([form.bits("weights"), form.bits("thresholds")])
    shares = sorted(
        float((decisions(bundle.network, form.golden(flipped(form.content, bits[[at]]), q)) == truth).mean())
        for at in range(len(bits))
    )
    assert found["worst_bits"][0]["right"] == pytest.approx(shares[0], abs=0.03), "the worst of all single bits"
    again = bundle_faults(load(bundle.folder), SETTINGS)
    assert json.dumps(again) == json.dumps(found), "the same seed gives the same document"
    other = bundle_faults(load(bundle.folder), replace(SETTINGS, seed=1, worst=0))
    assert other["rates"] != found["rates"]
    page = (bundle.folder / "report.html").read_text(encoding="utf-8")
    assert "With flipped bits" in page
    assert "unicorn-m4: 0 of 8 vectors differ" in page


def test_an_artifact_that_computes_something_else_ends_with_1(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = module.stored_form

    def wrong(given: Bundle) -> object:
        form = whole(given)
        right = form.device
        form.device = lambda *arguments: right(*arguments) + 1  # type: ignore[method-assign]
        return form

    arguments = ["verify", str(bundle.folder), "--faults", "1e-2", "--draws", "1", "--json"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    monkeypatch.setattr(module, "stored_form", wrong)
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    devices = json.loads(done.stdout)["devices"]
    assert all(each["mismatches"] == each["vectors"] for each in devices)


@pytest.mark.parametrize(
    ("rates", "where", "message"),
    [
        ((2.0,), ("weights",), "rates above 0 and at most 1"),
        ((), ("weights",), "rates above 0"),
        ((1e-3,), ("code",), "knows weights, thresholds, activations, state, found code"),
    ],
)
def test_what_cannot_be_asked(rates: tuple[float, ...], where: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        FaultSettings(rates, where)


def test_a_network_without_state_and_a_spent_budget_are_named(bundle: Bundle) -> None:
    with pytest.raises(InputError, match="is not defined: what a network keeps"):
        bundle_faults(bundle, replace(SETTINGS, where=("state",)))
    with pytest.raises(InputError, match="was spent before one draw"):
        bundle_faults(bundle, replace(SETTINGS, seconds=0.0))


def test_a_file_of_data_gives_the_truth(bundle: Bundle, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    x = generator.integers(0, 256, (40, 8)).astype(np.float64)
    np.savez(tmp_path / "d.npz", x=x, y=np.arange(40) % 3, x_test=x, y_test=np.arange(40) % 3)
    found = bundle_faults(bundle, replace(SETTINGS, worst=0, draws=1), tmp_path / "d.npz")
    assert (found["judged"], found["samples"]) == ("classes of the data", 40)
    outputs = stored_form(bundle).golden(stored_form(bundle).content, bundle.quantize(x))
    assert found["without"] == float((decisions(bundle.network, outputs) == np.arange(40) % 3).mean())

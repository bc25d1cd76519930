"""Whole searches on a small problem: what they find, that they repeat, go on, and convert."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeml.cli import main
from edgeml.errors import InputError
from edgeml.explore.front import dominates, read_front
from edgeml.explore.objectives import costs_of
from edgeml.explore.point import convert_point
from edgeml.explore.search import explore
from edgeml.explore.settings import Settings

SETTINGS = Settings(
    ("xczu7ev",),
    objectives="accuracy,luts",
    constraints=("luts<=1%",),
    baselines=("16-8:2",),
    seed=4,
    widths=(4, 8, 16),
    depth=2,
    bits=(1, 2, 4),
    steps=40,
)


@pytest.fixture(scope="module")
def searched(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("search")
    return folder, explore(SETTINGS, small_data, folder, trials=14)


def test_the_front_holds_what_nothing_dominates_and_every_constraint(searched: tuple[Path, dict]) -> None:
    folder, front = searched
    assert read_front(folder) == front
    assert sum(front["trials"].values()) == 14
    names = [objective["name"] for objective in front["objectives"]]
    rows = [costs_of([point["values"][name] for name in names]) for point in front["points"]]
    every = (*front["points"], *front["baselines"], *(other for other in front["others"] if not other["stopped"]))
    assert front["points"]
    for row in rows:
        assert not any(dominates(costs_of([p["values"][n] for n in names]), row) for p in every)
    for point in front["points"]:
        assert point["estimates"]["luts"] <= 2304
        assert (folder / point["model"]).is_file()
        assert point["command"].startswith(f"edgeml convert {folder}/points/{point['number']}/")


def test_the_design_made_by_hand_is_tried_in_every_arrangement(searched: tuple[Path, dict]) -> None:
    baselines = searched[1]["baselines"]
    assert len(baselines) == 6
    assert {tuple(each["candidate"]["hidden"]) for each in baselines} == {(16, 8)}
    assert len({each["values"]["accuracy"] for each in baselines}) == 1, "trained once"


def test_only_the_models_of_shown_points_are_kept(searched: tuple[Path, dict]) -> None:
    folder, front = searched
    shown = {str(point["number"]) for point in (*front["points"], *front["baselines"])}
    assert {path.name for path in (folder / "points").iterdir()} == shown


def test_a_search_that_goes_on_keeps_what_it_had_and_one_seed_gives_one_front(
    searched: tuple[Path, dict], small_data: Path, tmp_path: Path
) -> None:
    first = explore(SETTINGS, small_data, tmp_path, trials=9)
    again = explore(SETTINGS, small_data, tmp_path, trials=9)
    assert [point["values"] for point in again["points"]] == [point["values"] for point in first["points"]]
    assert again["trials"] == first["trials"]
    whole = {
        other["number"]: other["values"] for key in ("points", "baselines", "others") for other in searched[1][key]
    }
    for key in ("points", "baselines", "others"):
        for each in first[key]:
            assert whole[each["number"]] == each["values"]


def test_a_folder_holds_one_search(searched: tuple[Path, dict], small_data: Path) -> None:
    with pytest.raises(InputError, match="other seed"):
        explore(replace(SETTINGS, seed=5), small_data, searched[0], trials=17)


@pytest.mark.slow
def test_a_point_converts_as_it_stands(searched: tuple[Path, dict], small_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    folder, front = searched
    point = next(each for each in front["points"] if each["candidate"]["options"]["architecture"] == "folded")
    bundle = convert_point(folder, point["number"], tmp_path / "bundle")
    assert bundle.manifest["metrics"]["target"]["estimate"]["luts"] == point["values"]["luts"]
    data = np.load(small_data)
    accuracy = float(np.mean(bundle.run(data["x_test"]).classes == data["y_test"]))
    assert accuracy == point["quality"]["test"]["accuracy"] == bundle.manifest["metrics"]["accuracy"]["integer"]


def test_a_front_that_names_a_model_outside_of_its_folder_is_refused(
    searched: tuple[Path, dict], tmp_path: Path
) -> None:
    front = {**searched[1], "points": [{**searched[1]["points"][0], "model": "../elsewhere/network.edgeml"}]}
    (tmp_path / "front.json").write_text(json.dumps(front))
    with pytest.raises(InputError, match="outside"):
        convert_point(tmp_path, front["points"][0]["number"])


def test_a_trained_model_is_searched_from_its_sensitivities(small_data: Path, tmp_path: Path) -> None:
    import torch

    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(6, 12), torch.nn.ReLU(), torch.nn.Linear(12, 3))
    data = np.load(small_data)
    x, y = torch.from_numpy(data["x"]), torch.from_numpy(data["y"])
    optimizer = torch.optim.Adam(module.parameters(), 0.02)
    for _ in range(150):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(module(x), y).backward()
        optimizer.step()
    torch.export.save(torch.export.export(module.eval(), (x[:2],)), tmp_path / "model.pt2")
    settings = Settings(
        ("cortex-m4",), ("quantized", "spiking", "tflite"), "accuracy,flash", bits=(2, 4, 8), steps=40, seed=1
    )
    front = explore(settings, small_data, tmp_path / "search", model=str(tmp_path / "model.pt2"), trials=12)
    layers = front["sensitivity"]["layers"]
    assert [layer["weights"] for layer in layers] == [72, 36]
    assert layers[0]["distortion"]["2"] > layers[0]["distortion"]["4"] > layers[0]["distortion"]["8"] >= 0
    assert {point["candidate"]["form"] for key in ("points", "baselines") for point in front[key]}
    assert front["trials"]["failed"] == 0
    assert all(point["candidate"]["hidden"] == [] for point in front["points"])


def test_data_without_classes_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.zeros((50, 6)))
    with pytest.raises(InputError, match="holds no y"):
        explore(SETTINGS, tmp_path / "x.npz", tmp_path / "search", trials=1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "needs --data"),
        (["--target", "xczu7ev", "--objective", "speed"], "must begin with"),
        (["--target", "xczu7ev", "--objective", "accuracy,speed"], "nothing that target xczu7ev estimates"),
        (["--target", "xczu7ev", "--constraint", "flash<=5%"], "no profile has such a budget"),
        (["--target", "xczu7ev", "--bits", "9"], "1 … 8"),
        (["--target", "xczu7ev", "--to", "octal"], "must be forms that can be explored"),
        (["--target", "nowhere"], "is not known"),
    ],
)
def test_mistakes_are_told_with_exit_code_2(
    small_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    given = ["--data", str(small_data), "-o", str(tmp_path / "s"), "--steps", "5", "--trials", "1", "--widths", "4"]
    assert main(["explore", *given, *arguments]) == 2
    assert told in capsys.readouterr().err


def test_without_optuna_the_extra_is_named_with_exit_code_3(small_data: Path, tmp_path: Path) -> None:
    arguments = ["explore", "--data", str(small_data), "--target", "xczu7ev", "-o", str(tmp_path / "s")]
    script = f"import sys; sys.modules['optuna'] = None; from edgeml.cli import main; sys.exit(main({arguments!r}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "pip install 'edgeml-exact[explore]'" in done.stderr


def test_a_model_that_shares_weights_is_searched(tmp_path: Path) -> None:
    import torch

    torch.manual_seed(0)
    generator = np.random.default_rng(7)
    y = generator.integers(0, 3, 500)
    x = (generator.normal(0, 1, (3, 2, 8))[y] + generator.normal(0, 0.7, (500, 2, 8))).astype(np.float32)
    np.savez(tmp_path / "d.npz", x=x, y=y)
    model = torch.nn.Sequential(
        torch.nn.Conv1d(2, 4, 3), torch.nn.ReLU(), torch.nn.MaxPool1d(2), torch.nn.Flatten(), torch.nn.Linear(12, 3)
    )
    program = torch.export.export(model.eval(), (torch.zeros(1, 2, 8),))
    torch.export.save(program, tmp_path / "m.pt2")
    settings = Settings(("cortex-m4",), objectives="accuracy,flash_bytes", bits=(2, 4), steps=6, forms=("quantized",))
    front = explore(settings, tmp_path / "d.npz", tmp_path / "s", trials=4, model=tmp_path / "m.pt2")
    assert front["trials"]["failed"] == 0
    assert len(front["sensitivity"]["layers"]) == 2
    assert front["points"]
    for point in front["points"]:
        assert len(point["candidate"]["weight_bits"]) == 2

"""ONNX files of JAX (through jax2onnx) and of a TensorFlow SavedModel (through tf2onnx) give what those give.

`onnx_files/make_jax.py` and `make_saved_model.sh` made them, the latter by the command that the refusal of a
folder names.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeml.cli import main
from edgeml.errors import InputError
from edgeml.frontends import load_model

from .test_keras_files import answers, read, samples

pytest.importorskip("onnx")

FOLDER = Path(__file__).resolve().parent / "onnx_files"


@pytest.mark.parametrize("name", ["jax", "flax", "flax_conv", "saved_model"])
def test_outputs_are_those_of_the_framework(name: str) -> None:
    path = FOLDER / f"{name}.onnx"
    x, y = samples(path)
    np.testing.assert_allclose(answers(read(path), x), y, rtol=1e-5, atol=1e-5)


def test_a_saved_model_is_refused_with_the_command_that_made_this_file(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").touch()
    for path in (tmp_path, tmp_path / "saved_model.pb"):
        with pytest.raises(InputError, match="TensorFlow") as caught:
            load_model(path)
        command = f"python -m tf2onnx.convert --saved-model {tmp_path} --output model.onnx"
        assert command in caught.value.remedy
        assert f"load_model('{tmp_path}').save('model.keras')" in caught.value.remedy
    with pytest.raises(InputError, match="is not a model that edgeml can read"):
        load_model(tmp_path.parent)


def test_inspect_says_the_same_of_a_saved_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", str(tmp_path)]) == 2
    assert "is not a bundle" in capsys.readouterr().err
    (tmp_path / "saved_model.pb").touch()
    assert main(["inspect", str(tmp_path)]) == 2
    assert f"python -m tf2onnx.convert --saved-model {tmp_path} " in capsys.readouterr().err


def test_weights_of_jax_are_refused_with_jax2onnx() -> None:
    with pytest.raises(InputError, match="weights of JAX only") as caught:
        load_model("model.msgpack")
    assert "jax2onnx.to_onnx" in caught.value.remedy

"""The same refusals at the command line: exit code 2, one message, no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeml.cli import main

from .hostile import malicious_torch_file, rewritten
from .onnx_graphs import model, node

PROGRAMS = Path(__file__).parent / "programs"


def files(folder: Path) -> dict[str, bytes]:
    program = (PROGRAMS / "torch_2.6.pt2").read_bytes()
    evil = malicious_torch_file(folder / "mark")
    return {
        "empty.onnx": b"",
        "noise.onnx": bytes(range(256)) * 20,
        "bomb.onnx": b"\x3a\x80\x80\x80\x02" + b"\x0a\x00" * 2**21,
        "arctangent.onnx": model([node("Atan", ["x"], "y")]).SerializeToString(),
        "cut.pt2": program[: len(program) // 2],
        "evil.pt2": rewritten(program, lambda name, old: evil if name == "serialized_state_dict.pt" else old),
        "noise.edgeml": bytes(range(256)) * 20,
        "state.pth": evil,
        "weights.safetensors": b"\x02\0\0\0\0\0\0\0{}",
    }


CONVERT = ["convert", "--to", "quantized", "--target", "host"]


@pytest.mark.parametrize(
    ("command", "names"), [(["inspect"], None), (CONVERT, ["bomb.onnx", "evil.pt2"])], ids=["inspect", "convert"]
)
def test_hostile_files(
    command: list[str],
    names: list[str] | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    chosen = {name: content for name, content in files(tmp_path).items() if names is None or name in names}
    for name, content in chosen.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert main([command[0], str(path), *command[1:]]) == 2, name
        said = capsys.readouterr().err
        assert "Traceback" not in said
        assert name in said
        assert not (tmp_path / "mark").exists()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(chosen), "nothing was written"

"""Files are read in one way: regular ones, of a bounded size; FIFOs, devices, folders and endless files are refused."""

from __future__ import annotations

import ast
import os
import socket
from pathlib import Path

import pytest

import edgeml.data.dataset
import edgeml.frontends
import edgeml.profile
from edgeml.cli import main
from edgeml.errors import InputError, printable
from edgeml.system.regular_file import holds, open_regular, read_regular

ROOT = Path(__file__).resolve().parents[3]

READS_OF_OWN = {
    # Files that edgeml itself or a tool that it started has just written, caches of its own, and what the system says.
    "sdk/system/cache.py",
    "sdk/system/processor_time.py",
    "sdk/proof/kept.py",
    "targets/fpga/proof/rtl_library/assertions.py",
    "targets/fpga/proof/rtl_library/induction.py",
    "targets/cpu/build_cache.py",
    "targets/c/stub_text.py",
    "targets/cpu/proof/bodies.py",
    "targets/cpu/proof/counterexamples.py",
    "targets/cpu/proof/sandbox.py",
    "targets/cpu/shared_library.py",
    "targets/cpu/web.py",
    "targets/mcu/image_build.py",
    "targets/mcu/qemu_core.py",
    "targets/fpga/executors/verilator.py",
    "targets/fpga/executors/icarus.py",
    "targets/fpga/tools/place.py",
    "targets/fpga/tools/synthesize.py",
    "targets/fpga/target.py",
    "targets/fpga/tools/verilation.py",
    "targets/mcu/toolchain.py",
    # Packaged resources, edgeml's own text, and the text of the C library beside them.
    "sdk/proof/checkers/rtl_library.py",
    "sdk/proof/checkers/shipped.py",
    "sdk/proof/own_code.py",
    "targets/fpga/proof/rtl_library/benches/__init__.py",
    "sdk/profile.py",
    "sdk/report/page.py",
    "targets/c/program.py",
    "sdk/licensing.py",
    "targets/fpga/verilog/shipped_modules.py",
    "targets/fpga/tops/litex_module.py",
    "targets/fpga/tops/zynq.py",
    # The reader itself.
    "sdk/system/regular_file.py",
}
"""Modules that may call `read_bytes` and the like: what they read was not given by anybody."""


def test_no_other_module_reads_a_file_that_it_was_given() -> None:
    readers = {"read_bytes", "read_text", "fromfile", "memmap"}
    found = set()
    for folder in ("sdk", "converters", "targets"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in readers:
                    found.add(path.relative_to(ROOT).as_posix())
    assert found - READS_OF_OWN == set(), "read what is given by regular_file, or say above whose the file is"


@pytest.mark.parametrize("kind", ["fifo", "folder", "device", "socket", "missing", "name with NUL", "too large"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "given"
    words = {"fifo": "FIFO", "folder": "folder", "device": "device", "too large": "at most 10"}
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path = Path("/dev/zero")
    elif kind == "socket":
        socket.socket(socket.AF_UNIX).bind(str(path))
    elif kind == "name with NUL":
        path = tmp_path / "a\0b"
    elif kind == "too large":
        path.write_bytes(bytes(11))
    with pytest.raises(InputError, match=words.get(kind, "cannot be read")) as caught:
        read_regular(path, 10)
    assert caught.value.where == printable(str(path), 1000)


def test_a_link_is_followed_only_where_it_may_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link", 10) == b"content"
    with pytest.raises(InputError, match="cannot be read"):
        read_regular(tmp_path / "link", 10, links=False)
    assert holds(tmp_path / "file", b"content")
    assert not holds(tmp_path / "link", b"content")
    assert not holds(tmp_path / "file", b"conten")
    assert not holds(tmp_path / "nothing", b"")


def test_a_file_that_grows_or_tells_no_size_is_read_to_the_bound_and_no_further(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a" * 10)
    with open_regular(path, 10) as stream:
        path.write_bytes(b"a" * 100)
        assert len(stream.read()) == 100
    assert read_regular("/proc/self/status", 2**20).startswith(b"Name")
    with pytest.raises(InputError, match="more than 10 bytes"):
        read_regular("/proc/self/status", 10)


@pytest.mark.parametrize("ending", ["pt2", "onnx", "tflite", "edgeml", "nir", "npz", "npy", "csv", "toml", "bundle"])
def test_every_reader_refuses_a_fifo_in_its_place(tmp_path: Path, ending: str) -> None:
    path = tmp_path / ("bundle.json" if ending == "bundle" else f"given.{ending}")
    os.mkfifo(path)
    readers = {
        **dict.fromkeys(("npz", "npy", "csv"), lambda: edgeml.data.dataset.load_dataset(path)),
        "toml": lambda: edgeml.profile.load_profile(str(path)),
        "bundle": lambda: edgeml.load(tmp_path),
    }
    with pytest.raises(InputError, match="FIFO"):
        readers.get(ending, lambda: edgeml.frontends.load_model(path))()


def test_the_command_line_refuses_an_endless_file_with_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "endless.pt2").symlink_to("/dev/zero")
    assert main(["inspect", str(tmp_path / "endless.pt2")]) == 2

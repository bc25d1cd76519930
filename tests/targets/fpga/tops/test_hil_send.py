"""The frame sender alone: its frames hold the payload and its CRC, for blocks of every length around a full one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeml.hil.frames import frame, unframe
from edgeml.targets.fpga.tools.programs import icarus, run

RTL = Path(__file__).parents[4] / "firmware_stubs" / "rtl"


@pytest.mark.skipif(icarus() is None, reason="Icarus Verilog is not installed")
def test_every_payload_comes_back_from_its_frame(tmp_path: Path) -> None:
    generator = np.random.default_rng(2)
    payloads = [b"\x07" * count for count in (1, 249, 250, 251, 253, 254, 255, 256, 508, 600)]
    payloads += [b"\0", b"\0\0\0", b"\x07" * 254 + b"\0", b"\x07" * 253 + b"\0\x01", b"\0" + b"\xff" * 254]
    payloads += [generator.integers(0, 2, 300, dtype=np.uint8).tobytes() for _ in range(4)]
    words = [f"{byte | (position == len(payload) - 1) << 8:03x}" for payload in payloads
             for position, byte in enumerate(payload)]  # fmt: skip
    (tmp_path / "payloads.mem").write_text("\n".join(words))
    programs = icarus()
    assert programs is not None
    sources = [RTL / "edgeml_hil_send.v", RTL / "edgeml_crc32.v", Path(__file__).with_name("hil_send_bench.v")]
    build = [programs[0], "-g2005", f"-DBYTES={len(words)}", "-o", "bench.vvp", *map(str, sources)]
    run(build, tmp_path, 60.0, "iverilog")
    given = run([programs[1], "-n", "bench.vvp"], tmp_path, 60.0, "vvp").split()
    frames = [bytes.fromhex(line) for line in given]
    assert [unframe(encoded[:-1]) for encoded in frames] == payloads
    # A full block at the very end may, or may not, be followed by an empty one.
    for encoded, payload in zip(frames, payloads, strict=True):
        assert encoded in (frame(payload), frame(payload)[:-1] + b"\1\0")

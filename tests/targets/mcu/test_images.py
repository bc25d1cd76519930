"""Images for boards: what lies in a bundle, that it boots in QEMU and answers exactly, and that it can be rebuilt."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edgeml.bundle import Bundle, load, seal
from edgeml.cli import main
from edgeml.errors import CheckFailed, InputError
from edgeml.hil import session
from edgeml.hil.device import Device
from edgeml.profile import load_profile
from edgeml.targets.mcu.board_image import checked_image
from edgeml.targets.mcu.boards import QemuImage
from edgeml.targets.mcu.image import read_image

from .images import VECTORS, image_bundle, mcu_boards, read_hex, read_uf2

IN_QEMU = [name for name in mcu_boards() if load_profile(name).values.get("qemu")]
QUICK = ("microbit",)


@pytest.fixture(scope="module")
def pico(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return image_bundle("pico", tmp_path_factory.mktemp("pico") / "bundle")


@pytest.mark.parametrize(
    "board", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow(scaled=True)) for name in IN_QEMU]
)
def test_the_image_itself_boots_in_qemu_and_answers_exactly(
    board: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, machine = image_bundle(board, tmp_path / "bundle"), QemuImage()
    if missing := machine.missing(bundle):
        pytest.skip(missing)
    assert machine.applies(bundle)
    monkeypatch.setattr(session, "start_board", lambda name, bundle: machine.start(bundle))
    found = session.run(bundle, emulate="qemu-mps2-an386", timeout=60.0)
    assert (found.vectors, found.mismatches, found.self_test) == (VECTORS, 0, 0)
    assert bundle.manifest["metrics"]["target"]["image"]["trace"], "the device can tell the integers of each layer"
    assert found.counts["minimum"] > 0


def test_all_forms_of_an_image_hold_the_same_bytes(pico: Bundle) -> None:
    folder, start = pico.folder / "image", 0x1000_0000
    plain = (folder / "net.bin").read_bytes()
    wanted = dict(enumerate(plain, start))
    assert read_hex((folder / "net.hex").read_text()) == wanted
    in_uf2 = read_uf2((folder / "net.uf2").read_bytes(), 0xE48B_FF56)
    assert {address: in_uf2[address] for address in wanted} == wanted
    assert set(in_uf2) == set(range(start, start + -(-len(plain) // 256) * 256))
    segments = read_image((folder / "net.elf").read_bytes()).segments
    assert sum(len(part.content) for part in segments) > 0
    for part in segments:
        assert plain[part.load_address - start :][: len(part.content)] == part.content
    said = pico.manifest["metrics"]["target"]
    assert said["image_flash_bytes"] == {"used": len(plain), "budget": 2 << 20}


def test_the_build_command_of_a_bundle_gives_its_image(pico: Bundle, tmp_path: Path) -> None:
    copy = tmp_path / "bundle"
    shutil.copytree(pico.folder, copy)
    (copy / "image" / "net.elf").unlink()
    command = [sys.executable, "-m", "ziglang", "cc", "@image/build.args", "-o", "image/net.elf"]
    assert " ".join(["python", *command[1:]]) in (copy / "image" / "README.md").read_text()
    subprocess.run(command, cwd=copy, check=True)
    assert (copy / "image" / "net.elf").read_bytes() == (pico.folder / "image" / "net.elf").read_bytes()


def test_an_image_of_somebody_else_is_not_run(pico: Bundle, tmp_path: Path) -> None:
    board, elf = checked_image(pico)
    assert board.name == "pico"
    folder = tmp_path / "bundle"
    shutil.copytree(pico.folder, folder)
    content = bytearray(elf)
    content[-1] ^= 1
    (folder / "image" / "net.elf").write_bytes(content)
    seal(folder, dict(pico.manifest))
    with pytest.raises(CheckFailed, match="differs from the image that this edgeml makes"):
        checked_image(load(folder))
    manifest = dict(pico.manifest)
    manifest["metrics"] = {"target": {**manifest["metrics"]["target"], "image": {"name": "../net"}}}
    seal(folder, manifest)
    with pytest.raises(InputError, match="holds no image of a board"):
        checked_image(load(folder))


def test_an_image_that_passes_the_boards_memory_is_refused_with_the_bytes(tmp_path: Path) -> None:
    """The network's own rules hold, the buffers of the protocol do not fit as well."""
    path = tmp_path / "tiny.toml"
    text = 'kind = "mcu"\ndescription = ""\ncarries = "cortex-m3"\nflash_start = 0\nram_start = 0x20000000\n'
    text += 'clock = "fixed"\nclock_hz = 1000000\nuart = "cmsdk"\nuart_base = 0x40004000\ncounter = "systick"\n'
    path.write_text(text + "ram_bytes = 1024\n")
    with pytest.raises(CheckFailed, match=r"passes the 1024 bytes of RAM by \d+\. Use fewer bits"):
        image_bundle(str(path), tmp_path / "bundle")


def test_a_device_of_another_model_is_refused(pico: Bundle, tmp_path: Path) -> None:
    """The very image of one network, asked as if it were another's."""
    bundle = image_bundle("microbit", tmp_path / "bundle", (5, 4))
    if missing := QemuImage().missing(bundle):
        pytest.skip(missing)
    link = QemuImage().start(bundle)
    try:
        with pytest.raises(CheckFailed, match="computes model"):
            Device(link, pico.network, timeout=60.0)
    finally:
        link.close()


def test_flash_copies_to_the_drive_that_says_it_is_the_board(
    pico: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from edgeml.targets.mcu import flashing

    drives = [tmp_path / "stick", tmp_path / "other", tmp_path / "board"]
    for drive in drives:
        drive.mkdir()
    (drives[1] / "INFO_UF2.TXT").write_text("UF2 Bootloader v1.0\r\nModel: x\r\nBoard-ID: RP2350\r\n")
    monkeypatch.setattr(flashing, "_mounted", lambda: drives)
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["flash", str(pico.folder)]) == 2
    assert "shows no drive whose INFO_UF2.TXT says RPI-RP2" in capsys.readouterr().err
    (drives[2] / "INFO_UF2.TXT").write_text("UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: RPI-RP2\r\n")
    monkeypatch.setenv("PATH", "/bin:/usr/bin")
    assert main(["flash", str(pico.folder), "--show"]) == 0
    assert not (drives[2] / "net.uf2").exists()
    assert main(["flash", str(pico.folder)]) == 0
    assert (drives[2] / "net.uf2").read_bytes() == (pico.folder / "image" / "net.uf2").read_bytes()


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("pyocd", "load --target rp2040 {}/image/net.hex"),
        ("openocd", "-f interface/cmsis-dap.cfg -f target/rp2040.cfg -c program {{{}/image/net.elf}}"),
    ],
)
def test_flash_hands_the_image_to_the_program_of_a_probe(
    program: str, words: str, pico: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgeml.targets.mcu import flashing

    monkeypatch.setattr(flashing, "_mounted", tuple)
    stand_in = tmp_path / program
    stand_in.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/words\nexit $FLASH_STATUS\n')
    stand_in.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("FLASH_STATUS", "0")
    assert main(["flash", str(pico.folder)]) == 0
    said = (tmp_path / "words").read_text().strip().removesuffix(" verify reset exit")
    assert said == words.format(pico.folder)
    monkeypatch.setenv("FLASH_STATUS", "7")
    assert main(["flash", str(pico.folder)]) == 1

"""The folder as a Rust crate without std: golden's integers through its safe functions, and C for other targets."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeml.network import simulate

from ..networks import random_inputs
from .packaged import labelled_network, run, written

needs_cargo = pytest.mark.skipif(
    shutil.which("cargo") is None or shutil.which("rustc") is None, reason="cargo is not installed"
)
_PROGRAM = """
use std::io::Read;
fn main() {
    let mut network = edgeml_net::Network::new();
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).unwrap();
    assert_eq!(network.self_test(), Ok(()));
    let text = String::from_utf8(bytes).unwrap();
    let numbers: Vec<f32> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    for row in numbers.chunks_exact(edgeml_net::INPUTS) {
        let input = edgeml_net::quantize(row.try_into().unwrap());
        let mut output = [0; edgeml_net::OUTPUTS];
        let answer = network.invoke(&input, &mut output);
        let (label, real) = (edgeml_net::label(answer).unwrap(), edgeml_net::dequantize(&output));
        println!("{answer}\\t{label}\\t{output:?}\\t{real:?}");
    }
    assert_eq!(edgeml_net::label(edgeml_net::OUTPUTS), None);
}
"""


@needs_cargo
@pytest.mark.parametrize("signed", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_program_of_the_crate_gives_goldens_integers(signed: bool, tmp_path: Path) -> None:
    network = labelled_network(signed)
    written(network, tmp_path / "crate")
    program = tmp_path / "program"
    (program / "src").mkdir(parents=True)
    (program / "Cargo.toml").write_text(
        '[package]\nname = "program"\nversion = "0.0.0"\nedition = "2021"\n\n'
        '[dependencies]\nedgeml_net = { path = "../crate" }\n\n[workspace]\n'
    )
    (program / "src" / "main.rs").write_text(_PROGRAM)
    q = random_inputs(network, 1, 50)
    given = " ".join(map(str, q.ravel().tolist()))
    environment = {**os.environ, "RUSTFLAGS": "-D warnings"}
    printed = run(["cargo", "run", "--offline", "--quiet"], program, environment, given).splitlines()
    expected = [
        f"{row.argmax()}\t{network.output.labels[row.argmax()]}\t{row.tolist()}\t{[float(value) for value in row]}"
        for row in simulate(network, q)
    ]
    assert printed == expected
    assert len({int(np.argmax(row)) for row in simulate(network, q)}) > 1


@needs_cargo
@pytest.mark.parametrize(("target", "core", "machine"), [("thumbv7em-none-eabihf", "m4", "ARM")])
def test_the_build_script_compiles_for_bare_metal_with_zig(
    target: str, core: str, machine: str, tmp_path: Path
) -> None:
    """Rust's own libraries for such targets are not on every machine: the script is run as cargo would run it."""
    elffile = pytest.importorskip("elftools.elf.elffile", reason="pip install 'edgeml-exact[toolchain]'")
    pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
    firmware = written(labelled_network(), tmp_path, core)
    run(["rustc", "--edition", "2021", "rust/build.rs", "-o", "build"], tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    zig = f"{sys.executable} -m ziglang"
    environment = {**os.environ, "TARGET": target, "OUT_DIR": str(out), "CARGO_MANIFEST_DIR": str(tmp_path)}
    environment |= {"CC": f"{zig} cc", "AR": f"{zig} ar"}
    printed = run([tmp_path / "build"], tmp_path, environment)
    assert "cargo:rustc-link-lib=static=edgeml_net" in printed.splitlines()
    members = run([*zig.split(), "ar", "t", out / "libedgeml_net.a"], tmp_path).split()
    sources = [*firmware.sources, *firmware.sensor_sources]
    assert sorted(members) == sorted(f"{Path(source).stem}.o" for source in sources)
    with (out / "net.o").open("rb") as file:
        assert elffile.ELFFile(file)["e_machine"] == f"EM_{machine}"

"""A network as WebAssembly: bundles, the module in wasmtime, the JavaScript and the page in Node and Chromium."""

from __future__ import annotations

import functools
import html
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("wasmtime", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.bundle import Bundle, load
from edgeml.errors import CheckFailed
from edgeml.network import Network, simulate
from edgeml.targets.cpu.wasmtime_executor import WasmtimeExecutor
from edgeml.verification.verify import verify
from tests.targets.mcu.networks import bundle_for, random_inputs
from tests.targets.mcu.packaging.packaged import labelled_network

_SCRIPT = """
const { load, INPUTS, OUTPUTS, LABELS } = await import(WHERE);
const network = await load(WASM);
const answers = ROWS.map((row) => network.invoke(network.quantize(row)));
let refused = "";
try { network.invoke([1]); } catch (error) { refused = error.message; }
const found = JSON.stringify({
  answers: answers.map((each) => [each.answer, each.label, [...each.output]]),
  real: [...network.dequantize(answers[0].output)], refused, INPUTS, OUTPUTS, LABELS,
});
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundle_for(labelled_network(signed=True), "wasm32", tmp_path_factory.mktemp("web"))


def script(network: Network, where: str, wasm: str) -> tuple[str, dict[str, object]]:
    """What runs vectors in JavaScript (real numbers beside integers and out of range), and what it must find."""
    q = random_inputs(network, 1, 20)
    outputs = simulate(network, q)
    readings = np.where(q == 127, 1000, np.where(q == -128, -1000, q + 0.25))
    expected = {
        "answers": [[int(row.argmax()), network.output.labels[row.argmax()], row.tolist()] for row in outputs],
        "real": outputs[0].tolist(),
        "refused": "net takes 8 numbers, not 1",
        "INPUTS": 8,
        "OUTPUTS": 3,
        "LABELS": list(network.output.labels),
    }
    assert len({answer for answer, _, _ in expected["answers"]}) > 1  # type: ignore[attr-defined]
    text = _SCRIPT.replace("WHERE", json.dumps(where)).replace("WASM", wasm)
    return text.replace("ROWS", json.dumps(readings.tolist())), expected


def test_a_bundle_verifies_in_wasmtime_and_its_command_builds_the_same_module(bundle: Bundle, tmp_path: Path) -> None:
    found = {verdict.name: (verdict.status, verdict.mismatches) for verdict in verify(bundle, ["wasmtime"])}
    assert found == {"wasmtime": ("exact", 0), "wasmtime, real numbers": ("exact", 0)}
    shutil.copytree(bundle.folder, tmp_path / "copy")
    module = tmp_path / "copy" / "web" / "net.wasm"
    built = module.read_bytes()
    module.unlink()
    command = bundle.manifest["metrics"]["target"]["build"]["zig"]
    assert command in (bundle.folder / "web" / "README.md").read_text()
    command = command.replace("python ", f"{sys.executable} ", 1)
    subprocess.run(command, shell=True, cwd=module.parent, check=True, timeout=300)
    assert module.read_bytes() == built


def test_a_module_with_other_weights_or_of_another_kind_is_found(bundle: Bundle, tmp_path: Path) -> None:
    shutil.copytree(bundle.folder, tmp_path / "copy")
    copy = load(tmp_path / "copy")
    q = random_inputs(copy.network, 1, 20)
    executor = WasmtimeExecutor()
    module = tmp_path / "copy" / "web" / "net.wasm"
    built = module.read_bytes()
    changed = 0
    for place in range(len(built) - 200, len(built)):
        module.write_bytes(built[:place] + bytes([built[place] ^ 1]) + built[place + 1 :])
        try:
            changed += not np.array_equal(
                executor.run(copy, q, trace=False, options={}).outputs, simulate(copy.network, q)
            )
        except CheckFailed:
            changed += 1
    assert changed > 20
    module.write_bytes(b"\0asm\1\0\0\0")
    with pytest.raises(CheckFailed, match="is not a module of edgeml's"):
        executor.run(copy, q, trace=False, options={})


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_vectors_are_exact_in_node(bundle: Bundle, tmp_path: Path) -> None:
    web = bundle.folder / "web"
    wasm = f'(await import("node:fs")).readFileSync({json.dumps(str(web / "net.wasm"))})'
    (tmp_path / "net.mjs").write_text((web / "net.js").read_text())
    text, expected = script(bundle.network, str(tmp_path / "net.mjs"), wasm)
    (tmp_path / "run.mjs").write_text(f"{text}\nconsole.log(found);\n")
    done = subprocess.run(["node", tmp_path / "run.mjs"], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == expected


@pytest.fixture
def served(bundle: Bundle, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder with the bundle's `web/`, and its address."""
    shutil.copytree(bundle.folder / "web", tmp_path / "web")
    handler = functools.partial(_Quiet, directory=str(tmp_path / "web"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path / "web", f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def shown(address: str, folder: Path) -> str:
    """The page as Chromium shows it once its scripts have run."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no Chromium here: install Debian's package chromium")
    command = [program, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    done = subprocess.run(
        [*command, "--virtual-time-budget=20000", "--dump-dom", address],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def test_vectors_are_exact_in_chromium_and_the_page_runs(
    bundle: Bundle, served: tuple[Path, str], tmp_path: Path
) -> None:
    web, address = served
    text, expected = script(bundle.network, "./net.js", "undefined")
    (web / "test.html").write_text(
        f'<!doctype html><pre id="found"></pre><script type="module">{text}\n'
        'document.getElementById("found").textContent = found;</script>'
    )
    (found,) = re.findall('<pre id="found">(.*?)</pre>', shown(f"{address}/test.html", tmp_path), re.DOTALL)
    assert json.loads(html.unescape(found)) == expected

    output = simulate(bundle.network, bundle.network.quantizer.quantize(np.zeros((1, 8))))[0]
    label = bundle.network.output.labels[output.argmax()]
    wanted = f"{output.argmax()} {label} [{', '.join(map(str, output))}]"
    (answer,) = re.findall('<output id="answer">(.*?)</output>', shown(address, tmp_path), re.DOTALL)
    assert html.unescape(answer) == wanted

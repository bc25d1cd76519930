"""A package of somebody's adds a way to multiply: taken where it costs less, exact, and read only for C."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeml.errors import InputError, MissingTool
from edgeml.network import Network, simulate
from edgeml.profile import load_profile
from edgeml.targets.c import generate
from edgeml.targets.cpu import CpuTarget
from edgeml.targets.cpu.compiler import missing_compiler
from edgeml.targets.cpu.dialect import CPU_DIALECT, cpu_dialect
from edgeml.targets.cpu.native_network import NativeNetwork
from edgeml.targets.mcu.cores import core
from edgeml.targets.mcu.dialect import core_kernels
from tests.sdk.installed_plugin import install

KERNEL = '''
from edgeml.targets.c.dense_kernels.rows import RowsKernel


class PlainKernel(RowsKernel):
    """Row by row, and said to cost nothing."""

    name = "plain"

    def cost(self, problem):
        return -1.0

    def emit(self, problem):
        from dataclasses import replace

        return replace(super().emit(problem), kernel=self.name)
'''


def test_the_kernel_of_a_package_is_taken_where_it_costs_less_and_is_exact(
    small_network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "their_kernel", KERNEL, **{"kernels.cpu": "plain = their_kernel:PlainKernel"})
    metrics = CpuTarget().emit(small_network, load_profile("host"), tmp_path / "bundle", {})
    assert "plain" in metrics["kernels"].values()
    assert generate(small_network, cpu_dialect()).files != generate(small_network, CPU_DIALECT).files
    assert "plain" not in [kernel.name for kernel in core_kernels(core("m4"))], "it is declared for CPUs alone"
    if missing := missing_compiler():
        pytest.skip(missing)
    quantizer = small_network.quantizer
    q = np.random.default_rng(0).integers(quantizer.low, quantizer.high + 1, (50, quantizer.size)).astype(np.int32)
    np.testing.assert_array_equal(NativeNetwork(small_network).invoke(q), simulate(small_network, q))


def test_a_kernel_without_a_kind_of_target_is_for_every_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "their_kernel", KERNEL, kernels="plain = their_kernel:PlainKernel")
    assert [kernel.name for kernel in core_kernels(core("m4"))][-2:] == ["plain", core_kernels(core("m4"))[-1].name]
    assert cpu_dialect().dense_kernels[-1].name == "plain"


@pytest.mark.parametrize(
    ("entry", "error", "words"),
    [
        ("plain = their_kernel:absent", Exception, "kernel 'plain' of package their_kernel 1.0: cannot be loaded"),
        ("other = their_kernel:PlainKernel", InputError, "kernel 'other' of package .*: calls itself 'plain'"),
        ("plain = no_such_package:Kernel", MissingTool, "package their_kernel 1.0: cannot be imported"),
    ],
)
def test_a_broken_kernel_is_refused_with_the_name_of_its_package(
    entry: str, error: type[Exception], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "their_kernel", KERNEL, **{"kernels.cpu": entry})
    with pytest.raises(error, match=words):
        cpu_dialect()


def test_kernels_of_packages_are_imported_only_to_generate_c(tmp_path: Path) -> None:
    folder = tmp_path / "loud-1.0.dist-info"
    folder.mkdir()
    (tmp_path / "loud.py").write_text("raise SystemExit('imported')\n")
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[edgeml.kernels]\nloud = loud:Kernel\n")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import edgeml.pipeline\nfrom edgeml.plugins import executors, targets\n"
        "[targets(kind) for kind in ('cpu', 'mcu', 'fpga')]\n"
        "[entry.load() for entry in executors().values()]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)

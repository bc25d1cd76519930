"""Sums of tables on every core, in its emulator: golden's integers at every layer."""

from __future__ import annotations

import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.network import Network
from edgeml.targets.mcu.cores import UNICORN_CORES
from tests.sweeps import cases, seed_for
from tests.targets.tables_networks import kan, mixed, random_tables, requantized, tables_inputs

from .emulated import exact_on_core

NETWORKS = {
    "kan2": lambda seed: kan(seed, (13, 20, 5), 2, 2),
    "kan4": lambda seed: kan(seed, (7, 9, 11, 6), 3, 4),
    "kan8": lambda seed: kan(seed, (30, 6), 4, 8),
    "mixed": mixed,
    "requantized": requantized,
    "any": random_tables,
    "any8": lambda seed: random_tables(seed + 3),
}


def exact(network: Network, name: str, count: int, optimize: str = "-O2") -> None:
    exact_on_core(network, tables_inputs(network, 1, count), name, optimize)


@pytest.mark.parametrize(("name", "optimize"), [("m0", "-Os"), ("m4", "-O2"), ("rv32", "-Os")])
def test_tables_are_exact_on_a_core(name: str, optimize: str) -> None:
    for kind in ("kan2", "kan4", "any"):
        exact(NETWORKS[kind](5), name, 20, optimize)


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("name", UNICORN_CORES)
def test_twenty_thousand_vectors_are_exact_on_every_core(name: str) -> None:
    for number, kind in enumerate(NETWORKS):
        exact(NETWORKS[kind](seed_for(number)), name, cases(20_000 // len(NETWORKS) + 1), ("-O2", "-Os")[number % 2])

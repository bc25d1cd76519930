"""Boolean functions on every core, in its emulator: golden's integers at every layer."""

from __future__ import annotations

import pytest

pytest.importorskip("unicorn", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("ziglang", reason="pip install 'edgeml-exact[toolchain]'")
pytest.importorskip("elftools", reason="pip install 'edgeml-exact[toolchain]'")

from edgeml.network import Network
from edgeml.targets.mcu.cores import UNICORN_CORES
from tests.sweeps import cases, seed_for
from tests.targets.logic_networks import classifier, logic_inputs, random_logic_network

from .emulated import exact_on_core


def exact(network: Network, name: str, count: int, optimize: str = "-O2") -> None:
    exact_on_core(network, logic_inputs(network, 1, count), name, optimize)


@pytest.mark.parametrize(("name", "optimize"), [("m0", "-Os"), ("m4", "-O2"), ("rv32", "-Os")])
def test_logic_is_exact_on_a_core(name: str, optimize: str) -> None:
    exact(classifier(5), name, 20, optimize)
    exact(random_logic_network(7), name, 20, optimize)


@pytest.mark.slow(scaled=True)
@pytest.mark.parametrize("name", UNICORN_CORES)
def test_twenty_thousand_vectors_are_exact_on_every_core(name: str) -> None:
    made = [classifier(seed_for(1)), *(random_logic_network(seed_for(number)) for number in range(2, 6))]
    for number, network in enumerate(made):
        exact(network, name, cases(20_000 // len(made) + 1), ("-O2", "-Os")[number % 2])

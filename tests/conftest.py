"""Options of the test run, and fixtures that several test folders use."""

from __future__ import annotations

import os
import secrets
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from edgeml.network import Dense, InputQuantizer, Network, Node, Output, Threshold

from . import sweeps
from .installed import stale_entry_points
from .skipped import AllowedSkips

# The tests run side by side, a processor each; and sums of floats do not hang on how many processors there are.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("ci", derandomize=True, database=None, deadline=None)
settings.register_profile("long", derandomize=False, database=None, deadline=None, print_blob=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("edgeml's own tests")
    group.addoption(
        "--sweep", type=float, default=1.0, metavar="FRACTION", help="share of the slow tests' cases to try"
    )
    group.addoption(
        "--sweep-seed", default="0", metavar="N", help="another seed for all sweeps, or `new`: one is drawn"
    )
    group.addoption("--allowed-skips", type=Path, metavar="FILE", help="fail where another reason than these skips")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if stale := stale_entry_points():
        pytest.exit(stale, returncode=4)
    option = config.option
    if option.sweep_seed == "new":  # workers are given what is drawn here
        option.sweep_seed = str(secrets.randbelow(2**20) + 1)
    sweeps.fraction, sweeps.seed = option.sweep, int(option.sweep_seed)
    settings.load_profile("long" if sweeps.seed else "ci")
    if sweeps.seed:
        option.hypothesis_seed = str(sweeps.seed)
    if option.allowed_skips and not hasattr(config, "workerinput"):
        config.pluginmanager.register(AllowedSkips(option.allowed_skips))


def pytest_report_header(config: pytest.Config) -> str:
    again = f"again with --sweep-seed {sweeps.seed}" if sweeps.seed else "the seeds that stand in the tests"
    return f"sweeps: {sweeps.fraction:g} of the slow tests' cases, {again}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Below a whole sweep, leave out what tests/sweeps.py says."""
    if sweeps.fraction >= 1:
        return
    groups: dict[str, list[pytest.Item]] = defaultdict(list)
    left_out = set()
    for item in items:
        mark = item.get_closest_marker("slow")
        if mark is None:
            continue
        if mark.kwargs.get("whole"):
            left_out.add(item)
        elif mark.kwargs.get("scaled"):
            groups[item.nodeid.partition("[")[0]].append(item)
        else:
            groups[item.nodeid.partition("::")[0]].append(item)
    for name, slow in groups.items():
        count = len(slow)
        scaled = "::" in name
        kept = (count if count < 4 else (count + 2) // 3) if scaled else sweeps.cases(count)
        chosen = sweeps.thinned(count, kept, name)
        left_out.update(item for place, item in enumerate(slow) if place not in chosen)
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=list(left_out))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The project's real data; tests that need it skip, visibly, where it is absent."""
    folder = Path(__file__).parents[1].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared data folder is absent")
    return folder


@pytest.fixture(scope="session")
def small_network() -> Network:
    """A 2-bit network 12 → 9 → 4 with labels, random and fixed."""
    generator = np.random.default_rng(7)
    return Network(
        "small",
        (
            Node("input", InputQuantizer(12, np.array([0.25]), np.array([1.0]), 0, 8, True)),
            Node("dense1", Dense(generator.integers(-1, 2, (9, 12)), 2, generator.integers(-9, 9, 9)), ("input",)),
            Node("act1", Threshold(np.sort(generator.integers(-300, 300, (9, 3)), axis=1)), ("dense1",)),
            Node("dense2", Dense(generator.integers(-2, 2, (4, 9)), 2, generator.integers(-4, 4, 4)), ("act1",)),
        ),
        Output(np.array([0.5]), 0, ("a", "b", "c", "d")),
    )

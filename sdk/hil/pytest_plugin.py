"""pytest for devices: `pytest --edgeml-bundle build/m --edgeml-port /dev/ttyACM0 --edgeml-conformance`.

The fixture `device` is the connected device, checked to compute the bundle's network; `edgeml_bundle` is the bundle.
Tests that use them are skipped where no device is named. `--edgeml-conformance` adds ready tests: the self-test, every
golden vector, repeated answers, and the extremes of the input.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..bundle import Bundle
    from .device import Device

__all__ = ["device", "edgeml_bundle", "pytest_addoption"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of a device under test."""
    group = parser.getgroup("edgeml", "devices that run an edgeml bundle")
    group.addoption("--edgeml-bundle", metavar="FOLDER", help="the bundle that the device runs")
    group.addoption("--edgeml-port", metavar="PORT", help="the device: /dev/tty…, COM3, socket://host:port")
    group.addoption("--edgeml-emulate", metavar="NAME", help="an emulated board instead, e.g. unicorn-m4")
    group.addoption("--edgeml-baud", type=int, default=115200, metavar="N", help="baud rate of the port")
    group.addoption("--edgeml-timeout", type=float, default=2.0, metavar="S", help="seconds to wait for an answer")
    group.addoption("--edgeml-conformance", action="store_true", help="add the ready conformance tests")


@pytest.fixture(scope="session")
def edgeml_bundle(request: pytest.FixtureRequest) -> Bundle:
    """The bundle of `--edgeml-bundle`; skips where none is named."""
    folder = request.config.getoption("--edgeml-bundle")
    if not folder:
        pytest.skip("no bundle: pass --edgeml-bundle FOLDER")
    from ..bundle import load

    return load(folder)


@pytest.fixture(scope="session")
def device(request: pytest.FixtureRequest, edgeml_bundle: Bundle) -> Iterator[Device]:
    """The device of `--edgeml-port` or `--edgeml-emulate`, connected; skips where none is named."""
    option = request.config.getoption
    port, emulate = option("--edgeml-port"), option("--edgeml-emulate")
    if not port and not emulate:
        pytest.skip("no device: pass --edgeml-port PORT or --edgeml-emulate NAME")
    from .session import connect

    timeout = option("--edgeml-timeout")
    with connect(edgeml_bundle, port=port, emulate=emulate, baud=option("--edgeml-baud"), timeout=timeout) as found:
        yield found


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[Any]) -> None:
    """Adds the conformance tests where they are asked for."""
    if not config.getoption("--edgeml-conformance"):
        return
    from . import conformance

    module = pytest.Module.from_parent(session, path=_path_of(conformance))
    items.extend(module.collect())


def _path_of(module: Any) -> Any:
    from pathlib import Path

    return Path(module.__file__)

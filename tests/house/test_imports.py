"""Imports run one way."""

from __future__ import annotations

from .source import circles, imports

NETWORK_MAY_IMPORT = ("edgeml.errors", "edgeml.system.regular_file")


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert circles(imports()) == []


def test_a_circle_would_be_found() -> None:
    edges = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("a"), "d": frozenset("a")}
    assert circles(edges) == [["a", "b", "c"]]
    assert len(imports()) > 300
    assert "edgeml.network" in imports()["edgeml.pipeline"], "imports are seen"


def test_the_network_imports_errors_and_the_reading_of_files_alone() -> None:
    outside = {
        (name, other)
        for name, others in imports().items()
        if name.startswith("edgeml.network")
        for other in others
        if not other.startswith("edgeml.network") and other not in NETWORK_MAY_IMPORT
    }
    assert outside == set()


def test_converters_and_targets_import_the_sdk_and_never_each_other() -> None:
    rooms = {"edgeml.converters": "edgeml.targets", "edgeml.targets": "edgeml.converters"}
    crossing = {
        (name, other)
        for name, others in imports().items()
        for room, foreign in rooms.items()
        for other in others
        if name.startswith(room) and other.startswith(foreign)
    }
    assert crossing == set()


def test_the_sdk_imports_neither_converters_nor_targets() -> None:
    rooms = ("edgeml.converters", "edgeml.targets")
    upward = {
        (name, other)
        for name, others in imports().items()
        if not name.startswith(rooms)
        for other in others
        if other.startswith(rooms)
    }
    assert upward == set()

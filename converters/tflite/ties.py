"""Which tensors of a float graph must have one scale, or one zero point too."""

from __future__ import annotations

from collections.abc import Mapping

from .fusion import INPUT, FloatGraph

__all__ = ["kept_integers", "tied"]


def kept_integers(graph: FloatGraph) -> dict[str, str]:
    """Of each tensor whose integers are some of another's, which one that is."""
    found: dict[str, str] = {}
    for stage in graph.stages:
        if stage.keeps_integers:
            found[stage.name] = found.get(stage.inputs[0], stage.inputs[0])
    return found


def tied(graph: FloatGraph, kept: Mapping[str, str], word: str) -> dict[str, str]:
    """The representative of each tensor's group: of those that stages whose `word` is true tie together; without those
    of `kept`."""
    parent = {name: name for name in (INPUT, *(stage.name for stage in graph.stages))}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    for stage in graph.stages:
        if getattr(stage, word):
            for name in stage.inputs:
                parent[root(kept.get(name, name))] = root(stage.name)
    return {name: root(name) for name in parent if name not in kept}

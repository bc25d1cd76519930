"""Where a node of an ONNX file stands in the user's model, out of what PyTorch's exporter writes beside the nodes.

torch.onnx.export with dynamo=True (the default since PyTorch 2.9) names the modules and keeps the stack trace of each
node as metadata. Older files have module paths in the names of their nodes alone.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from ...errors import printable
from ..exported_program.origin import user_line

__all__ = ["node_origin"]

_SCOPES = "pkg.torch.onnx.name_scopes"
_CLASSES = "pkg.torch.onnx.class_hierarchy"
_TRACE = "pkg.torch.onnx.stack_trace"
_MOST_TEXT = 10_000
_MOST_ENTRIES = 64


def node_origin(node: Any, position: int) -> str:
    """The place of a node for people, such as "node node_einsum (Einsum), block (Block), model.py line 12"."""
    words = [f"node {printable(node.name or position)} ({printable(node.op_type, 40)})"]
    found = {entry.key: entry.value for entry in list(getattr(node, "metadata_props", ()))[:_MOST_ENTRIES]}
    if module := _module(found):
        words.append(module)
    if line := user_line(found.get(_TRACE)):
        words.append(printable(line, 100))
    return ", ".join(words)


def _module(metadata: Mapping[str, str]) -> str:
    """Path and class of the innermost module: the last entry but one of both lists, the last being the operator."""
    paths, kinds = (_texts(metadata.get(key, "")) for key in (_SCOPES, _CLASSES))
    if len(paths) < 2 or len(paths) != len(kinds) or not paths[-2]:
        return ""
    return f"{printable(paths[-2], 80)} ({printable(kinds[-2].rpartition('.')[2], 40)})"


def _texts(text: str) -> list[str]:
    """A list of texts as Python writes it; parsed, never run."""
    if not 2 < len(text) <= _MOST_TEXT:
        return []
    try:
        found = ast.literal_eval(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return found if isinstance(found, list) and all(isinstance(each, str) for each in found) else []

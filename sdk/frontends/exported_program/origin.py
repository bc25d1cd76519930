"""Where an operator of an exported program stands in the user's model, out of the metadata that torch keeps."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import printable

__all__ = ["call_origin", "raised_at", "user_line"]

_OURS = Path(__file__).parents[2]
_FRAME = re.compile(r'File "([^"\n]{1,1000})", line (\d{1,9})')
_INSTALLED = re.compile(r"[/\\](site-packages|dist-packages|torch[/\\](nn|utils|_\w+))[/\\]")


def call_origin(operator: str, metadata: Mapping[str, Any], result: str) -> tuple[str, str]:
    """The place of a call for people, such as "fc1 (Linear), model.py line 12", and a name for its layer."""
    module, kind = _module(metadata.get("nn_module_stack"))
    is_leaf = kind.startswith("torch.nn.modules.") and ".container." not in kind
    words = f"{module} ({kind.rsplit('.', 1)[-1]})" if module else ""
    if not is_leaf:
        simple = operator.split(".")[1] if operator.count(".") else operator
        words = f"{words + ', ' if words else ''}operator {simple}"
    line = user_line(metadata.get("stack_trace"))
    hint = module if is_leaf and module else f"{module}_{result}" if module else result
    return printable(f"{words}{', ' + line if line else ''}", 200), hint


def raised_at(module: Any, error: BaseException) -> str:
    """Where the user's code was when tracing a module ended in an error, such as "block (Block), model.py line 12"."""
    line_of_code = part_of_model = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        path = frame.f_code.co_filename
        if _INSTALLED.search(path) or path.startswith("<") or _OURS in Path(path).parents:
            continue
        line_of_code = f"{_file(path)} line {line}"
        owner = frame.f_locals.get("self")
        names = [name for name, part in module.named_modules() if part is owner and name]
        if names:
            part_of_model = f"{names[0]} ({type(owner).__name__}), "
    return printable(part_of_model + line_of_code, 200)


def _module(stack: Any) -> tuple[str, str]:
    """Path and class of the innermost module of an `nn_module_stack`: "key,path,class;key,path,class;…"."""
    if not isinstance(stack, str):
        return "", ""
    parts = stack[:100_000].rsplit(";", 1)[-1].split(",")
    if len(parts) < 3 or "_empty_nn_module_stack" in parts[0]:
        return "", ""
    return re.sub(r"@\d+$", "", ",".join(parts[1:-1])), parts[-1]


def user_line(trace: Any) -> str:
    """The innermost line of the user's own code in a stack trace: the last that is not torch's."""
    if not isinstance(trace, str):
        return ""
    frames = [frame for frame in _FRAME.findall(trace[:100_000]) if not _INSTALLED.search(frame[0])]
    if not frames:
        return ""
    path, line = frames[-1]
    return f"{_file(path)} line {line}"


def _file(path: str) -> str:
    """The last part of a path of any system."""
    return re.split(r"[/\\]", path)[-1]

"""`module.py:factory`: a function of the user's that makes the model, with its weights from `.safetensors`.

This runs the user's own Python, as `python module.py` would: the file is named on purpose. The weights are data.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from ...errors import EdgemlError, InputError
from ...network import Network
from ..format import Reader, Request, reader_for
from ..mlp import Mlp
from ..safetensors_weights import load_weights
from ..snn import Snn

__all__ = ["PythonFactoryFormat"]

_SOURCE = re.compile(r"(?P<file>.+\.py):(?P<factory>[^:/\\]*)", re.DOTALL)


class PythonFactoryFormat(Reader):
    """The object that the factory makes is read by whichever format takes it."""

    description: ClassVar[str] = (
        "module.py:factory, a function that makes the torch.nn.Module (with .safetensors weights)"
    )
    takes_weights: ClassVar[bool] = True

    def takes(self, request: Request) -> bool:
        """Whether it is a path of the form module.py:factory."""
        return request.is_path and _SOURCE.fullmatch(request.source) is not None

    def read(self, request: Request) -> Mlp | Snn | Network:
        """Import the file, call the factory, load the weights, read the model."""
        match = _SOURCE.fullmatch(request.source)
        if match is None or not match["factory"].isidentifier():
            raise InputError(request.where, "names no function", "Pass module.py:factory")
        path, factory_name = Path(match["file"]), match["factory"]
        if not path.is_file():
            raise InputError(str(path), "cannot be read (no such file)")
        with _importable(path.resolve().parent):
            module = _users(path, lambda: _imported(path))
            factory = getattr(module, factory_name, None)
            if not callable(factory):
                functions = [
                    n
                    for n, v in vars(module).items()
                    if callable(v) and getattr(v, "__module__", "") == module.__name__
                ]
                known = f"It defines {', '.join(functions)}" if functions else "It defines no function"
                raise InputError(str(path), f"has no function {factory_name!r}", known)
            model = _users(path, factory)
            if request.weights is not None:
                load_weights(model, request.weights, f"{path.name}:{factory_name}")
            inner = replace(request, source=model, weights=None, name=request.name or path.stem)
            reader = None if isinstance(model, str) else reader_for(inner)
            if reader is not None:
                return self._read(reader, inner, path)
        raise InputError(
            request.where, f"returned a {type(model).__name__}", "The factory has to return a torch.nn.Module"
        )

    @staticmethod
    def _read(reader: Reader, request: Request, path: Path) -> Mlp | Snn | Network:
        try:
            return reader.read(request)
        except EdgemlError as error:
            if error.where == request.where or error.where.startswith(f"{request.where}, "):
                error.where = f"{path.name}, {error.where}"
                error.args = (str(error),)
            raise


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """While this lasts, the file's neighbours can be imported, as they can when Python runs the file."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        if str(folder) in sys.path:
            sys.path.remove(str(folder))


def _imported(path: Path) -> Any:
    """The file as a module under a name of edgeml's own, which cannot hide one of the same name."""
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:16]
    name = f"_edgeml_model_{digest}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(str(path), "cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # torch.export and dataclasses look a class up by its module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _users(path: Path, call: Callable[[], Any]) -> Any:
    """Run the user's code; whatever it raises becomes an InputError with the file and line it comes from."""
    try:
        return call()
    except EdgemlError:
        raise
    except (Exception, SystemExit) as error:
        where = str(path)
        if isinstance(error, SyntaxError) and error.filename:
            where = f"{error.filename}:{error.lineno}"
        else:
            own = [
                f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).parent == path.resolve().parent
            ]
            own = own or [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) == path]
            if own:
                where = f"{own[-1].filename}:{own[-1].lineno}"
        raise InputError(where, f"{type(error).__name__}: {error}", "This is code of the model's own file") from error

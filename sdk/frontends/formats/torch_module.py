"""`torch.nn.Module`: traced by torch.export and read as the program that this gives."""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ...network import Network
from ..exported_program.origin import raised_at
from ..exported_program.program import read_program
from ..exported_program.reader import program_to_mlp
from ..format import Reader, Request
from ..mlp import Mlp
from ..quantized_modules.replacing import traceable
from ..self_check import TOLERANCE, check_against_source
from .exported_program import read_foreign, saved

__all__ = ["TorchModuleFormat"]

_BATCH = 7
"""Samples of an example that edgeml makes: no size that a model's own shapes are likely to have."""

_TOLERANCES = {"torch.float64": TOLERANCE, "torch.float32": 1e-4, "torch.float16": 0.05, "torch.bfloat16": 0.2}
"""What rounding may do to a model that runs only in its own number type."""


class TorchModuleFormat(Reader):
    """Any module whose forward is an MLP; it is neither changed nor left in another mode."""

    description: ClassVar[str] = "a torch.nn.Module"
    rank: ClassVar[int] = 100

    def takes(self, request: Request) -> bool:
        """Whether it is a torch.nn.Module."""
        torch = sys.modules.get("torch")
        return torch is not None and isinstance(request.source, torch.nn.Module)

    def read(self, request: Request) -> Mlp | Network:
        """The module as an `Mlp`, checked against the module itself; one that quantizes as a `Network`."""
        where = request.where
        module = traceable(request.source, where)
        example = _example(module, request)
        modes = [(part, part.training) for part in module.modules()]
        try:
            _evaluating(module)
            example, exported = _traced(module, example, request)
            content = saved(exported, where)
            program = read_program(content, where)
            name = request.model_name(type(request.source).__name__)
            if (found := read_foreign(program, where, name)) is not None:
                return found
            mlp = program_to_mlp(program, where, name)
            run, tolerance = _runner(module, example)
            check_against_source(mlp, run, where, tolerance, not example.is_floating_point())
        finally:
            for part, mode in modes:
                part.training = mode
        return mlp


def _evaluating(module: Any) -> None:
    """Bring a module into evaluation mode; the graph of an exported one has no modes, and says so."""
    try:
        module.eval()
    except NotImplementedError:
        for part in module.modules():
            part.training = False


def _traced(module: Any, example: Any, request: Request) -> tuple[Any, Any]:
    """The example that the module takes, and the program: one of integers is tried as real numbers first, and one that
    was made up of the first layer's size before one of the shape of the data's samples."""
    import torch

    try:
        return example, _exported(module, example, request.where)
    except InputError:
        given = request.example if request.example is not None else getattr(module, "example_input_array", None)
        shape = request.sample_shape or ()
        if given is None and len(shape) > 1 and shape != tuple(example.shape[1:]):
            sample = example.new_zeros(_BATCH, *shape)
            with suppress(InputError):
                return sample, _exported(module, sample, request.where)
        whole = torch.as_tensor(given) if given is not None else example
        if whole.is_floating_point() or whole.dtype == torch.bool:
            raise
        whole = whole.detach().to(device=example.device)
        return whole, _exported(module, whole, request.where)


def _exported(module: Any, example: Any, where: str) -> Any:
    import logging

    import torch

    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # torch logs a traceback of its own beside the error that it raises
    try:
        return torch.export.export(module, (example,), strict=False)
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        place = raised_at(module, error)
        raise InputError(
            f"{where}, {place}" if place else where,
            f"torch.export cannot trace it with an example of shape {list(example.shape)} "
            f"({type(error).__name__}: {' '.join(lines[:2])[:400]})",
            "Pass an example input of the right shape, and keep Python conditions on tensors out of forward",
        ) from error
    finally:
        logging.disable(before)


def _input_shape(module: Any, request: Request) -> tuple[int, ...]:
    """The shape of a sample that nobody gave an example of: what the first Linear takes, where nothing with weights of
    its own stands before it and the data does not hold several of these in a sample; else as the data's samples are."""
    import torch

    weighted = [part for part in module.modules() if next(part.parameters(recurse=False), None) is not None]
    linear = next((part for part in weighted if isinstance(part, torch.nn.Linear)), None)
    shape = request.sample_shape
    if shape is not None and weighted:
        widest = getattr(weighted[0], "weight", None)
        convolves = widest is not None and widest.ndim > 2
        if linear is None or convolves or (len(shape) > 1 and shape[-1] == linear.in_features):
            return shape
    if linear is None:
        raise InputError(
            request.where,
            "has no torch.nn.Linear that tells its input size",
            "Pass an example input [batch, features]",
        )
    return (linear.in_features,)


def _example(module: Any, request: Request) -> Any:
    """The example input as a tensor of the module's number type and device; made up if none was given."""
    import torch

    given = request.example if request.example is not None else getattr(module, "example_input_array", None)
    parameters = [p for p in (*module.parameters(), *module.buffers()) if p.is_floating_point()]
    kind = {"dtype": parameters[0].dtype, "device": parameters[0].device} if parameters else {}
    if given is None:
        return torch.zeros(_BATCH, *_input_shape(module, request), **kind)
    try:
        tensor = torch.as_tensor(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            "example", f"is not a tensor or array ({error})", "Pass one array [batch, features]"
        ) from error
    if tensor.ndim < 2 or tensor.numel() == 0:
        raise InputError("example", f"has shape {list(tensor.shape)}", "Pass an array [batch, features]")
    if tensor.is_complex() or not torch.isfinite(tensor.to(torch.float64)).all():
        raise InputError("example", "must hold finite real numbers")
    return tensor.detach().to(**kind) if kind else tensor.detach()


def _runner(module: Any, example: Any) -> tuple[Callable[[npt.NDArray[np.float64]], npt.NDArray[Any]], float]:
    """The module as a function of arrays, in float64 if it can run so, and the tolerance to compare it with."""
    import torch

    def run_with(runnable: Any, dtype: Any, x: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
        device = example.device
        with torch.no_grad():
            dtype = dtype if example.is_floating_point() else example.dtype
            shaped = torch.from_numpy(x).reshape([len(x), *example.shape[1:]]).to(device=device, dtype=dtype)
            result = runnable(shaped)
        return np.asarray(result.to("cpu", torch.float64).numpy())

    try:
        exact = copy.deepcopy(module).eval().double()
        run_with(exact, torch.float64, np.zeros((_BATCH, math.prod(example.shape[1:]))))
    except Exception:
        return lambda x: run_with(module, example.dtype, x), _TOLERANCES.get(str(example.dtype), 1e-4)
    return lambda x: run_with(exact, torch.float64, x), TOLERANCE

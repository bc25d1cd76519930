"""What a call of edgeml must not change of its caller's process, and must not be changed by."""

from __future__ import annotations

import copy
import locale
import os
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import numpy as np

__all__ = ["ordinary", "preserved"]


@contextmanager
def preserved(*models: Any) -> Iterator[None]:
    """Inside the block the settings of the process are the usual ones; behind it they are the caller's again.

    Covers the working folder, environment variables, the locale, filters of warnings; the random states of Python,
    numpy and torch; numpy's treatment of float errors and its print options; torch's default number type and
    device, its grad, inference and autocast modes, its number of threads and its flags of determinism and precision;
    and of each torch module in `models` the training mode of every part, `requires_grad` of every parameter and the
    values of all parameters and buffers.
    """
    with ExitStack() as stack:
        stack.enter_context(_process())
        stack.enter_context(_numpy())
        torch = sys.modules.get("torch")
        if torch is None:
            stack.callback(_as_imported)
        else:
            stack.enter_context(_torch(torch))
            for model in models:
                if isinstance(model, torch.nn.Module):
                    stack.enter_context(_module(torch, model))
        yield


def ordinary(model: Any) -> Any:
    """`model`, or a copy of it where its parameters were made in torch's inference mode and cannot be traced."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(model, torch.nn.Module):
        return model
    tensors = (*model.parameters(), *model.buffers())
    return copy.deepcopy(model) if any(tensor.is_inference() for tensor in tensors) else model


@contextmanager
def _process() -> Iterator[None]:
    environment, folder = dict(os.environ), _working_folder()
    numbers, python_random = locale.setlocale(locale.LC_ALL), random.getstate()
    with warnings.catch_warnings():
        # Where the caller makes warnings errors, those of the packages beneath would end a conversion.
        warnings.filters[:] = [each for each in warnings.filters if each[0] != "error"]  # type: ignore[index]
        try:
            yield
        finally:
            random.setstate(python_random)
            for name in [name for name in os.environ if name not in environment]:
                del os.environ[name]
            for name, value in environment.items():
                if os.environ.get(name) != value:
                    os.environ[name] = value
            if folder is not None and _working_folder() != folder:
                with suppress(OSError):  # it was removed meanwhile
                    os.chdir(folder)
            if locale.setlocale(locale.LC_ALL) != numbers:
                locale.setlocale(locale.LC_ALL, numbers)


def _working_folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return None


@contextmanager
def _numpy() -> Iterator[None]:
    state = np.random.get_state()
    with np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"), np.printoptions():
        try:
            yield
        finally:
            np.random.set_state(state)


@contextmanager
def _torch(torch: Any) -> Iterator[None]:
    with ExitStack() as stack:
        state = torch.random.get_rng_state()
        stack.callback(torch.random.set_rng_state, state)
        if torch.cuda.is_available() and torch.cuda.is_initialized():
            stack.callback(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all())
        _restore_torch_settings(torch, stack)
        torch.set_default_dtype(torch.float32)
        if torch.get_default_device() != torch.device("cpu"):
            stack.enter_context(torch.device("cpu"))
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        torch.set_float32_matmul_precision("highest")
        yield


def _restore_torch_settings(torch: Any, stack: ExitStack) -> None:
    stack.callback(torch.set_default_dtype, torch.get_default_dtype())
    stack.callback(torch.set_num_threads, torch.get_num_threads())
    stack.callback(
        torch.use_deterministic_algorithms,
        torch.are_deterministic_algorithms_enabled(),
        warn_only=torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    stack.callback(torch.set_float32_matmul_precision, torch.get_float32_matmul_precision())
    for owner, names in (
        (torch.backends.cudnn, ("benchmark", "deterministic", "enabled")),
        (torch.utils.deterministic, ("fill_uninitialized_memory",)),
    ):
        for name in names:
            stack.callback(setattr, owner, name, getattr(owner, name))


@contextmanager
def _module(torch: Any, model: Any) -> Iterator[None]:
    parts = [(part, part.training, dict(part._buffers), _tensors(torch, part)) for part in model.modules()]
    parameters = [(each, each.requires_grad, each.grad) for each in model.parameters()]
    with torch.no_grad():
        held = [
            tensor
            for tensor in (*model.parameters(), *model.buffers())
            if not torch.nn.parameter.is_lazy(tensor) and tensor.device.type != "meta"
        ]
        values = [(tensor, tensor.detach().clone()) for tensor in held]
    try:
        yield
    finally:
        for part, mode, buffers, tensors in parts:
            part.training = mode
            part._buffers.update(buffers)  # neurons with a memory put new tensors in the place of the old
            vars(part).update(tensors)
        for parameter, required, gradient in parameters:
            if parameter.requires_grad != required:
                parameter.requires_grad_(required)
            parameter.grad = gradient
        with torch.no_grad():
            for tensor, value in values:
                if tensor.shape == value.shape and not torch.equal(tensor, value):
                    tensor.copy_(value)


def _tensors(torch: Any, part: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(part).items() if isinstance(value, torch.Tensor)}


def _as_imported() -> None:
    """If torch was imported in the block: its random state drawn anew, as an import does."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.seed()

"""The user's own module, run: its neurons begin anew, its input comes in the layout that it takes."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ...errors import InputError, printable
from .populations import Reading, flat_results
from .recorder import STATES

__all__ = ["LAYOUTS", "ForwardSource", "Layout", "UsersError", "copied", "pristine"]

Floats = npt.NDArray[np.float64]
_SAMPLES = 256


class UsersError(InputError):
    """The user's forward raised an error for this layout of the input."""


@dataclass(frozen=True)
class Layout:
    """How forward takes its input: axes in front of the features, and the shape of one sample's features."""

    axes: str
    shape: tuple[int, ...]

    @property
    def features(self) -> int:
        """Channels per step."""
        return int(np.prod(self.shape))

    def tensor(self, events: Floats, dtype: Any) -> Any:
        """Events [steps, samples, features] as forward takes them: all of them, or the first step alone."""
        if self.axes == "samples":
            given = events[0]
        else:
            given = events if self.axes == "time, samples" else events.transpose(1, 0, 2)
        return torch.tensor(given.reshape(*given.shape[:-1], *self.shape), dtype=dtype)


LAYOUTS = ("samples", "time, samples", "samples, time")
_BLANK = ("mem", "syn", "spk", "syn_exc", "syn_inh")


def pristine(module: Any, where: str) -> Any:
    """A copy of the user's module in evaluation mode whose neurons hold no states. The module itself is not changed."""
    memo: dict[int, Any] = {}
    for part in module.modules():
        for held in (*vars(part).values(), *part._buffers.values()):
            for tensor in held if isinstance(held, (list, tuple)) else (held,):
                if isinstance(tensor, torch.Tensor) and not tensor.is_leaf:
                    memo[id(tensor)] = tensor.detach().clone()  # copy.deepcopy takes no tensor with a history
    try:
        result = copy.deepcopy(module, memo)
    except Exception as error:
        line = printable(f"{type(error).__name__}: {error}", 300)
        raise InputError(
            where, f"cannot be copied to be run ({line})", "Keep files and locks out of the module"
        ) from error
    for part in _neurons(result):
        for state in _BLANK:
            if isinstance(getattr(part, state, None), torch.Tensor):
                setattr(part, state, torch.zeros(0))
    return result.to("cpu").eval()


def _neurons(module: Any) -> list[Any]:
    import snntorch

    return [part for part in module.modules() if isinstance(part, snntorch.SpikingNeuron)]


@contextmanager
def copied(module: Any) -> Iterator[Any]:
    """A copy of a pristine module to run once, and snnTorch told that its neurons are all there are: `utils.reset`
    works on a list that snnTorch keeps of the neurons that were made."""
    import snntorch

    model = copy.deepcopy(module)
    kept = snntorch.SpikingNeuron.instances
    snntorch.SpikingNeuron.instances = _neurons(model)
    try:
        yield model
    finally:
        snntorch.SpikingNeuron.instances = kept


def further_arguments(module: Any) -> int:
    """How many arguments forward needs beside its input."""
    parameters = list(inspect.signature(module.forward).parameters.values())
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [p for p in parameters if p.kind in kinds and p.default is inspect.Parameter.empty]
    return max(len(needed) - 1, 0)


def called(model: Any, arguments: Sequence[Any], where: str) -> Any:
    """What forward gives; UsersError naming what it raised."""
    try:
        return model(*arguments)
    except InputError:
        raise
    except Exception as error:
        shapes = ", ".join(str(list(argument.shape)) for argument in arguments[:1])
        line = printable(f"{type(error).__name__}: {error}", 300)
        remedy = "Pass an example input: [samples, features], [time, samples, features] or [samples, time, features]"
        if "not tuple" in line:
            remedy = "Neurons without init_hidden=True give their states too, which nn.Sequential cannot pass on"
        problem = f"forward cannot be run with an input of shape {shapes} ({line})"
        raise UsersError(where, problem, remedy) from error


class ForwardSource:
    """Runs a pristine module; see `SnnSource`.

    Parameters
    ----------
    one_step : whether forward is one step. returned : for each further argument of forward, which of its results (in
        order) becomes that argument in the next step, or None. check : holds the reading against a run on events.
    """

    def __init__(
        self,
        module: Any,
        where: str,
        layout: Layout,
        one_step: bool,
        returned: Sequence[int | None],
        reading: Reading,
        check: Callable[[Floats], None],
    ) -> None:
        self.check = check
        self.module, self.where, self.layout = module, where, layout
        self.one_step, self.returned, self.reading = one_step, tuple(returned), reading
        self.steps: int | None = None

    def run(self, events: Floats) -> tuple[Floats, Floats]:
        """Spikes and membranes [steps, samples, outputs] of the output layer, in float32, as its spikes are."""
        with torch.random.fork_rng(devices=[]):
            parts = [self._run(events[:, at : at + _SAMPLES]) for at in range(0, events.shape[1], _SAMPLES)]
        return np.concatenate([part[0] for part in parts], 1), np.concatenate([part[1] for part in parts], 1)

    def _run(self, events: Floats) -> tuple[Floats, Floats]:
        spikes: list[Floats] = []
        membranes: list[Floats] = []
        dtype = torch.float32
        with copied(self.module) as kept, torch.no_grad():
            model = kept.float()
            neuron = model.get_submodule(self.reading.module)
            neuron.register_forward_hook(_keeper(spikes, membranes))
            further = [torch.zeros(0, dtype=dtype) for _ in self.returned]
            for step in events if self.one_step else [None]:
                given = events if step is None else step[None]
                results = list(flat_results(called(model, [self.layout.tensor(given, dtype), *further], self.where)))
                further = [old if at is None else results[at] for old, at in zip(further, self.returned, strict=True)]
        mine = slice(self.reading.turn, None, self.reading.calls_per_step)
        return np.stack(spikes[mine]), np.stack(membranes[mine])


def _keeper(spikes: list[Floats], membranes: list[Floats]) -> Callable[..., None]:
    def keep(neuron: Any, given: Any, result: Any) -> None:
        first = result[0] if isinstance(result, tuple) else result
        spikes.append(_rows(first))
        membranes.append(_rows(neuron.mem))

    return keep


def _rows(tensor: Any) -> Floats:
    result: Floats = tensor.detach().double().reshape(len(tensor), -1).numpy().copy()
    return result


assert set(_BLANK) >= {state for states in STATES.values() for state in states}

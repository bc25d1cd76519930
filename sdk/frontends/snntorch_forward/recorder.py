"""Watches a module with snnTorch neurons run: what each tensor is made of, and every call of a neuron."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.overrides import TorchFunctionMode

from .expressions import Expression, OverTime, Ranked, Signal, Unreadable, Value
from .neurons import check_neuron
from .operands import Operands, array, flat
from .operations import CONSTANTS, NUMBERS_OUT, carry_out

__all__ = ["STATES", "Call", "Recorder"]

Floats = npt.NDArray[np.float64]

STATES: dict[str, tuple[str, ...]] = {
    "Leaky": ("mem",),
    "Lapicque": ("mem",),
    "Synaptic": ("syn", "mem"),
    "RLeaky": ("spk", "mem"),
    "RSynaptic": ("spk", "syn", "mem"),
}
"""The states that the neurons which are read take, in the order of their arguments."""
_GIVEN = {"spk": "spikes", "syn": "current", "mem": "membrane"}
_JOINING = frozenset({"linear", "matmul", "mm", "__matmul__", "addmm", "batch_norm"})


@dataclass(eq=False)
class Call:
    """One call of a neuron.

    Parameters
    ----------
    where : the module's name and class. module : the module itself.
    given : what came in. before : index of the call whose states it went on from; None where it began with zeros.
    problem : why its states cannot be followed, or empty.
    spikes, membrane : [samples, neurons], as the module computed them.
    """

    name: str
    where: str
    module: Any
    given: Value
    before: int | None
    problem: str
    spikes: Floats
    membrane: Floats


class Recorder(TorchFunctionMode):
    """Knows the value of every tensor that depends on the input, and the neuron calls in order.

    Used as a context around runs of `module`, whose neurons it wraps for as long as `watching` lasts. All tensors that
    it knows stay alive, so that no other takes the place of one.
    """

    def __init__(self, module: Any, model: str) -> None:
        super().__init__()
        self.module, self.model = module, model
        self.calls: list[Call] = []
        self.taken_out: Unreadable | None = None
        self.state_arguments: dict[int, tuple[int, str]] = {}
        self._known: dict[int, tuple[Any, Value | Ranked]] = {}
        self._parameters: dict[int, tuple[Any, Floats]] = {}
        self._open: list[str] = []
        self._in_neuron = False
        self._unused: dict[int, Any] = {}

    @property
    def where(self) -> str:
        """The innermost module that is running."""
        return self._open[-1] if self._open else "forward"

    def know(self, tensor: Any, value: Value | Ranked) -> None:
        """From now on `tensor` holds `value`."""
        self._known[id(tensor)] = (tensor, value)

    def raw(self, tensor: Any) -> Value | Ranked | None:
        """What a tensor holds; None where it does not depend on the input."""
        known = self._known.get(id(tensor)) if isinstance(tensor, torch.Tensor) else None
        return None if known is None else known[1]

    def value(self, tensor: Any) -> Value | None:
        """As `raw`, for use within the network."""
        value = self.raw(tensor)
        return Unreadable(value.operation, self.where) if isinstance(value, Ranked) else value

    def expect_state(self, tensor: Any) -> None:
        """`tensor`, an argument of forward without content, may be used as a first state."""
        self._unused[id(tensor)] = tensor

    def _parameter(self, tensor: Any) -> Floats:
        kept = self._parameters.get(id(tensor))
        if kept is None:
            kept = self._parameters[id(tensor)] = (tensor, array(tensor))
        return kept[1]

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Record all that runs inside."""
        handles, neurons = [], []
        for name, part in self.module.named_modules():
            shown = f"{name} ({type(part).__name__})" if name else "forward"
            if _is_neuron(part):
                neurons.append(part)
                part.forward = self._wrapped(name, shown, part)
            elif name:
                handles.append(part.register_forward_pre_hook(lambda m, x, shown=shown: self._open.append(shown)))
                handles.append(part.register_forward_hook(lambda m, x, y: self._open.pop() and None))
        try:
            with torch.no_grad(), self:
                yield
        finally:
            for handle in handles:
                handle.remove()
            for part in neurons:
                del part.forward

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        name = getattr(func, "__name__", str(func))
        changed = args[0] if args and _in_place(name) else None
        if isinstance(changed, torch.Tensor) and self.raw(changed) is None:
            args = (changed.clone(), *args[1:])  # a constant as it was before
            result = func(changed, *args[1:], **named)
        else:
            result = func(*(_of_one_type(args, named) if name in _JOINING else args), **named)
        if self._in_neuron or name in CONSTANTS:
            return result
        tensors = [each for each in flat([*args, *named.values()]) if self.raw(each) is not None]
        if not tensors:
            return result
        if name in NUMBERS_OUT:
            self.taken_out = self.taken_out or Unreadable(
                f"a number taken out of a tensor ({name.strip('_')})",
                self.where,
                "Keep Python conditions out of forward",
            )
        elif name == "__setitem__":
            self._write(*args)
        else:
            self._follow(name, args, named, result)
        return result

    def _follow(self, name: str, args: Any, named: dict[str, Any], result: Any) -> None:
        if name == "unbind" and isinstance(result, tuple):
            axis = named.get("dim", args[1] if len(args) > 1 else 0) % args[0].ndim
            for step, tensor in enumerate(result):
                key = (slice(None),) * axis + (step,)
                operands = Operands(self.value, (args[0], key), {}, tensor, self._parameter)
                self.know(tensor, carry_out("__getitem__", operands, self.where))
            return
        results = [each for each in flat([result]) if isinstance(each, torch.Tensor)]
        if not results:
            return
        if name == "__get__":  # an attribute: .data and .real are the tensor itself, others are not read
            same = results[0].data_ptr() == args[0].data_ptr() and results[0].shape == args[0].shape
            found = self.raw(args[0])
            self.know(results[0], found if same and found is not None else Unreadable("an attribute", self.where))
            return
        value = carry_out(name, Operands(self.value, args, named, results[0], self._parameter), self.where)
        if _in_place(name):
            self._overwrite(results[0], value)
        for number, tensor in enumerate(results):
            self.know(tensor, value if not number else Unreadable(name.strip("_"), self.where))

    def _overwrite(self, tensor: Any, value: Value | Ranked) -> None:
        """Others that share the memory of a tensor that is changed in place hold nothing known any more."""
        place = tensor.untyped_storage().data_ptr()
        for key, (other, _) in list(self._known.items()):
            if other is not tensor and other.untyped_storage().data_ptr() == place:
                self._known[key] = (other, Unreadable("a change in place of a tensor that others share", self.where))
        self.know(tensor, value)

    def _write(self, target: Any, key: Any, source: Any) -> None:
        """`record[t] = spikes`, into zeros that were laid out before."""
        axis, step = (1, key[1]) if isinstance(key, tuple) and len(key) == 2 and key[0] == slice(None) else (0, key)
        if isinstance(key, tuple) and len(key) == 1:
            step = key[0]
        held, written = self.raw(target), self.value(source)
        fits = isinstance(step, int) and isinstance(written, Expression) and target.ndim == source.ndim + 1
        if fits and (held is None or (isinstance(held, OverTime) and held.axis == axis)):
            steps: list[Any] = list(held.steps) if isinstance(held, OverTime) else [None] * target.shape[axis]
            steps[step] = written
            self._overwrite(target, OverTime(tuple(steps), axis))
        else:
            self._overwrite(target, Unreadable("writing into a part of a tensor", self.where))

    def _wrapped(self, name: str, where: str, part: Any) -> Callable[..., Any]:
        original = part.forward

        def forward(*args: Any, **named: Any) -> Any:
            self._in_neuron, outer = True, self._in_neuron
            try:
                return self._call(name, where, part, original, args, named)
            finally:
                self._in_neuron = outer

        return forward

    def _call(self, name: str, where: str, part: Any, original: Any, args: Any, named: dict[str, Any]) -> Any:
        """Run a neuron, and remember what it was given and what it gave."""
        kind = type(part).__name__
        states = STATES.get(kind, ())
        given = args[0] if args else named["input_"]
        explicit = dict(zip(states, args[1:], strict=False)) | {k: v for k, v in named.items() if k in states}
        held = {s: explicit[s] if explicit.get(s) is not None else getattr(part, s, None) for s in states}
        value = self.value(given)
        if value is None:
            value = self._constant(given, where)
        elif isinstance(value, OverTime):
            value = Unreadable("all steps at once", where, "Call the neurons step by step")
        if kind not in STATES:
            value = Unreadable(f"neurons of the class {kind}", where, f"{', '.join(STATES)} are")
        check_neuron(f"{self.model}, {where}", part)
        before, problem = self._origin(part, held, given)
        result = original(*args, **named)
        results = list(result) if isinstance(result, tuple) else [result]
        features, index = int(results[0][0].numel()), len(self.calls)
        for state, tensor in held.items():
            if id(tensor) in self._unused:
                self.state_arguments[id(tensor)] = (index, _GIVEN[state])
        given_now = [("spk", results[0]), *((s, getattr(part, s, None)) for s in states if s != "spk")]
        for state, tensor in [*given_now, *zip((s for s in states if s != "spk"), results[1:], strict=False)]:
            self.know(tensor, Expression.of(Signal(_GIVEN[state], index), features))
        spikes, membrane = (array(t).reshape(len(t), -1) for t in (results[0], getattr(part, "mem", results[0])))
        self.calls.append(Call(name, where, part, value, before, problem, spikes, membrane))
        return result

    def _constant(self, given: Any, where: str) -> Value:
        flat_input = given.detach().double().reshape(len(given), -1)
        if not torch.equal(flat_input, flat_input[:1].expand_as(flat_input)):
            return Unreadable("numbers that differ from sample to sample", where)
        return Expression(flat_input.shape[1], {}, array(flat_input[0]))

    def _origin(self, part: Any, held: dict[str, Any], given: Any) -> tuple[int | None, str]:
        """The call that states come from, and what is wrong with them."""
        found: set[int | None] = set()
        for state, tensor in held.items():
            if not isinstance(tensor, torch.Tensor) or tensor.shape != given.shape:
                found.add(None)  # snnTorch begins with zeros
                continue
            value = self.raw(tensor)
            if value is None:
                if bool(tensor.any()):
                    return None, f"begins with a {_GIVEN[state]} that is not zero"
                found.add(None)
                continue
            signal = value.signal if isinstance(value, Expression) else None
            if signal is None or signal.kind != _GIVEN[state] or self.calls[signal.place].module is not part:
                return None, f"goes on from a {_GIVEN[state]} that was changed outside of it, or that others gave"
            found.add(signal.place)
        if len(found) > 1:
            return None, "goes on from states of different steps"
        return next(iter(found), None), ""


def _in_place(name: str) -> bool:
    """Whether a torch function of this name changes its first argument."""
    return (name.startswith("__i") and name != "__init__") or (name.endswith("_") and not name.startswith("__"))


def _is_neuron(part: Any) -> bool:
    import snntorch

    return isinstance(part, snntorch.SpikingNeuron)


def _of_one_type(args: Any, named: dict[str, Any]) -> Any:
    """snnTorch's spikes are float32 whatever the model computes in: a product brings them to the weights' type."""
    tensors = [t for t in flat([*args, *named.values()]) if isinstance(t, torch.Tensor) and t.is_floating_point()]
    types = {tensor.dtype for tensor in tensors}
    if len(types) < 2:
        return args
    widest = torch.float64 if torch.float64 in types else torch.float32
    return tuple(arg.to(widest) if isinstance(arg, torch.Tensor) and arg.is_floating_point() else arg for arg in args)

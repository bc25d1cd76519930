"""The generated C as a function for programs that call it often: arrays in place, working memory for each thread."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError

from .native_network import Buffers, NativeNetwork

__all__ = ["NativeCall"]

_Integers = npt.NDArray[Any]
_INT32 = np.dtype(np.int32)
_ONE = ctypes.c_size_t(1)
_NO_BYTES = ctypes.c_char * 0


class _Output(threading.local):
    """Where one thread finds the outputs of one sample: made anew in every thread that touches it."""

    def __init__(self, size: int) -> None:
        self.output: npt.NDArray[np.int32] = np.empty((1, size), np.int32)
        self.address = ctypes.c_void_p(_address(self.output))


class NativeCall:
    """The C of a network, called on arrays where they lie; what `Bundle.compile("native")` gives.

    Inputs are NumPy arrays, or tensors that offer DLPack and lie in this machine's memory (PyTorch's), of input
    integers: `dtype` [samples, inputs], or [inputs] for one sample. Outputs are int32 [samples, outputs], or [outputs].
    Any number of threads may call at once: each has working memory of its own, and the C runs without Python's lock.

    Parameters
    ----------
    native : the compiled network.
    """

    def __init__(self, native: NativeNetwork) -> None:
        network = native.network
        self.dtype: np.dtype[Any] = np.dtype(np.int8 if network.quantizer.signed else np.uint8)
        self.inputs, self.outputs = network.input_size, network.output_size
        self._low, self._high = network.quantizer.low, network.quantizer.high
        self._native = native
        self._call, self._call_bound, self._thread = native.call, native.call_bound, _Output(self.outputs)
        self._one_sample = ((1, self.inputs), (self.inputs,))

    def __call__(self, x: Any, out: Any = None) -> Any:
        """Output integers for input integers x: a new array, or `out`, into which they are written.

        Raises InputError where x or `out` is of another type or shape, does not lie as C wants it (row by row, without
        gaps), or x holds an integer that the network's input does not have; `out` is not touched then.
        """
        if out is None and type(x) is np.ndarray and x.dtype == self.dtype and x.shape in self._one_sample:
            # To copy one sample takes less than to find out where an array lies.
            thread = self._thread
            if self._call(x.tobytes(), _ONE, thread.address):
                raise self._out_of_range(x)
            output = thread.output.copy()
            return output if x.ndim == 2 else output[0]
        source = self._source(x)
        target, given = self._target(source, out)
        if self._call(_pointer(source), ctypes.c_size_t(_samples(source)), _pointer(target)):
            raise self._out_of_range(source)
        return given

    def bind(self, x: Any, out: Any = None) -> Callable[[], Any]:
        """A function without arguments that reads x and writes `out` (a new array where none is given) at each call,
        and returns `out`: the quickest call from Python. Write the next sample into x, call, read `out`.

        Threads may call it at once, but all of them share x and `out`. Arguments and errors as for calls; the values
        of x are looked at in each call. Memory of x and `out` is kept; neither may be resized.
        """
        source = self._source(x)
        target, given = self._target(source, out)
        buffers = Buffers(_address(source), _samples(source), _address(target))
        call = partial(self._call_bound, ctypes.byref(buffers))

        def run() -> Any:  # keeps source, given and, in `call`, buffers
            if call():
                raise self._out_of_range(source)
            return given

        return run

    def _source(self, x: Any) -> _Integers:
        source = _array("input", x)
        if source.dtype != self.dtype or source.ndim not in (1, 2) or source.shape[-1] != self.inputs:
            wanted = f"{self.dtype} [samples, {self.inputs}] or [{self.inputs}]"
            remedy = f"Use bundle.quantize(x).astype(numpy.{self.dtype}) for real numbers and other integers"
            raise InputError("input", f"must be {wanted}, found {source.dtype} {list(source.shape)}", remedy)
        if not source.flags.c_contiguous:
            remedy = "Use numpy.ascontiguousarray(x), or x.contiguous() of a tensor"
            raise InputError("input", f"must lie row by row without gaps, found strides {source.strides}", remedy)
        return source

    def _target(self, source: _Integers, out: Any) -> tuple[npt.NDArray[np.int32], Any]:
        """Where outputs go, as an array; and the object that the caller has of it."""
        shape = (*source.shape[:-1], self.outputs)
        if out is None:
            made = np.empty(shape, np.int32)
            return made, made
        target = _array("out", out)
        if target.dtype != _INT32 or target.shape != shape:
            raise InputError("out", f"must be int32 {list(shape)}, found {target.dtype} {list(target.shape)}")
        if not target.flags.carray:
            problem = f"must be writable, aligned and lie row by row without gaps, found strides {target.strides}"
            raise InputError("out", problem if target.flags.writeable else "must be writable, and is not")
        if np.may_share_memory(source, target):
            raise InputError("out", "shares memory with the input", "Give it memory of its own")
        return target, out

    def _out_of_range(self, x: _Integers) -> InputError:
        found = f"{x.min()} … {x.max()}"
        return InputError("input", f"integers must lie in {self._low} … {self._high}, found {found}")


def _array(what: str, x: Any) -> _Integers:
    """x itself if it is an array, else an array of the memory that it offers by DLPack; InputError for all else."""
    if isinstance(x, np.ndarray):
        return x
    if not hasattr(x, "__dlpack__"):
        problem = f"must be a NumPy array or offer DLPack, found {type(x).__name__}"
        raise InputError(what, problem, "Use numpy.asarray")
    try:
        return np.from_dlpack(x)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        problem = f"gives no array by DLPack ({error})"
        raise InputError(what, problem, "Move it to the CPU, detach it, use a type that NumPy has") from error


def _address(array: _Integers) -> int:
    return int(array.ctypes.data)


def _samples(source: _Integers) -> int:
    return 1 if source.ndim == 1 else len(source)


def _pointer(array: _Integers) -> Any:
    """What ctypes passes as the array's address; of a writable one quicker than asking for the number."""
    if array.flags.writeable:
        return _NO_BYTES.from_buffer(array)  # type: ignore[arg-type]
    return ctypes.c_void_p(_address(array))

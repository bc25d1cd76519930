"""The generated C of a network that adapts, compiled for this machine, with one state."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeml.errors import InputError, MissingTool
from edgeml.network import Network
from edgeml.targets.c import CProgram, generate
from edgeml.targets.c.adaptation.plan import AdaptationPlan

from .compiler import Compiler, find_compiler, missing_compiler
from .dialect import cpu_dialect
from .shared_library import build_library

__all__ = ["NativeAdaptation"]

_ROOM = 64


class NativeAdaptation:
    """What `AdaptingNetwork` is in golden, by the functions of `<name>_adaptation.h`.

    compiler : by default the one that `find_compiler` finds; MissingTool where there is none. flags : for it. program :
    the C; by default that of the target for CPUs. InputError where nothing adapts.
    """

    def __init__(
        self,
        network: Network,
        compiler: Compiler | None = None,
        flags: Sequence[str] | None = None,
        program: CProgram | None = None,
    ) -> None:
        compiler, plan = compiler or find_compiler(), AdaptationPlan.of(network)
        if compiler is None:
            raise MissingTool("native", f"cannot build the generated C: {missing_compiler()}")
        if plan is None:
            raise InputError(f"network {network.name}", "states nothing that adapts")
        self.network, self.image_bytes = network, plan.image_bytes
        self._program = program or generate(network, cpu_dialect())
        self._name = self._program.layout.name
        self._dtype = np.int8 if network.quantizer.signed else np.uint8
        chosen = tuple(compiler.native_flags() if flags is None else flags)
        sources = [f"{self._name}.c", f"{self._name}_adaptation.c"]
        self._loaded = ctypes.CDLL(str(build_library(compiler, dict(self._program.files), sources, chosen)))
        # A state in C is no larger than its image and the gaps between its fields.
        self._state = np.zeros(plan.image_bytes + _ROOM, np.uint8)
        self._arena = np.zeros(self._program.arena_bytes + _ROOM, np.uint8)
        self.reset()

    @property
    def address(self) -> int:
        """Where the state lies."""
        return _aligned(self._state)

    def call(self, function: str, *arguments: Any) -> int:
        """What a function of the C returns; integers are addresses, numbers are given as objects of ctypes."""
        called = getattr(self._loaded, f"{self._name}_{function}")
        called.restype = ctypes.c_int32
        return int(called(*(ctypes.c_void_p(each) if isinstance(each, int) else each for each in arguments)))

    def reset(self) -> None:
        """Back to the factory state."""
        self.call("reset", self.address)

    def outputs(self, q: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
        """Output integers int32 [samples, outputs] for q [samples, inputs], as adapted."""
        x = np.ascontiguousarray(q, self._dtype)
        outputs = np.empty((len(x), self.network.output_size), np.int32)
        for source, target in zip(x, outputs, strict=True):
            self.call("adapted_invoke", self.address, source.ctypes.data, target.ctypes.data, _aligned(self._arena))
        return outputs

    def learn(self, x: npt.NDArray[Any], label: int) -> int:
        """The class that x [inputs] was taken for; −1 if it was not learned."""
        source = np.ascontiguousarray(x, self._dtype)
        return self.call("learn", self.address, source.ctypes.data, ctypes.c_int32(label), _aligned(self._arena))

    def rehearse(self) -> int:
        """On how many windows weights changed; −1 while a calibration is under way."""
        return self.call("rehearse", self.address)

    def calibrate(self, windows: npt.NDArray[Any]) -> int:
        """How many windows are still wanted after those [samples, inputs], or after the last that was."""
        wanted = 0
        for source in np.ascontiguousarray(windows, self._dtype):
            wanted = self.call("calibrate", self.address, source.ctypes.data, _aligned(self._arena))
            if not wanted:
                break
        return wanted

    def state(self, sequence: int = 1) -> bytes:
        """The image of the state."""
        image = np.empty(self.image_bytes, np.uint8)
        self.call("state_pack", self.address, ctypes.c_uint32(sequence), image.ctypes.data)
        return image.tobytes()

    def load(self, image: bytes) -> int:
        """0 if the state of the image was taken; else why not (`<NAME>_STATE_…`)."""
        content = np.frombuffer(image + b"\0", np.uint8)
        size = ctypes.c_size_t(len(image))
        return self.call("state_unpack", self.address, content.ctypes.data, size, ctypes.c_void_p(None))


def _aligned(memory: npt.NDArray[np.uint8]) -> int:
    return -(-memory.ctypes.data // _ROOM) * _ROOM

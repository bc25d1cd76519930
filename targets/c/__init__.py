"""C99 from an integer network: what the `cpu` and `mcu` targets share.

`generate(network, dialect)` gives the files of a self-contained folder: `<name>.h`, `<name>.c` and the kernels that
they use (`edgeml/*.h`, copied from `firmware_stubs/c`). No malloc, no libc, no float in the invoke path; all state
lives in an arena of the caller's.

How it goes together
--------------------
- `tensor.py`: how the integers of a node lie in memory. A tensor whose values fit 256 integers is `uint8_t`, stored
  as value − low; a wider one is `int16_t` or `int32_t`, stored as it is. Consumers fold `low` into their constants.
- `layers/`: one file for each kind of layer, found by `kind`. **To add a layer, add a file there** with a subclass of
  `LayerEmitter` (`emitter.py` says what it gets and gives); a package of somebody's adds one by an
  entry point of the group `edgeml.c_layers`.
- `dense_kernels/`: one file for each way to pack and multiply weights; `kernel.py` says what one must offer. A target
  lists in its `Dialect` which of them a dense layer may use, best first.
- `arena.py`: the order of the stages, which layers are computed together, and where each tensor lies in the arena.
- `source.py`, `header.py`: the text of the two generated files; `arrays.py` formats constants.
- `dialect.py`: what a target chooses: kernels, padding, alignment, samples in flight.

Every stage of the generated code serves the plain, the batched and the traced entry point; there is no second
implementation to compare with golden than the one that runs.
"""

from .arrays import ConstantArray
from .dialect import Dialect
from .emitter import LayerEmitter, LayerJob, emitter_kinds, has_emitter, layer_emitter
from .layer_code import LayerCode
from .program import MOST_CONSTANTS, CProgram, generate
from .tensor import Tensor

__all__ = [
    "MOST_CONSTANTS",
    "CProgram",
    "ConstantArray",
    "Dialect",
    "LayerCode",
    "LayerEmitter",
    "LayerJob",
    "Tensor",
    "emitter_kinds",
    "generate",
    "has_emitter",
    "layer_emitter",
]

"""What every operator of the float `Mlp` is, and how an operator is found by its kind."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ...network import Layer
from .arrays import NUMPY, ArrayLibrary
from .clamped_line import ClampedLine
from .interval import Interval

__all__ = ["FloatOperator", "Floats", "Interval", "Role", "finite_array", "registered_kinds"]

Floats = npt.NDArray[np.float64]

_KINDS: dict[str, type[FloatOperator]] = {}


class Role(Enum):
    """How an operator behaves between integers, which decides where quantizers stand."""

    WEIGHTS = "weights"
    """Sums of products with trained weights: takes integers, gives accumulators. See `weights.Weights`."""
    LINE = "line"
    """Each channel is a line in the same channel of its input, perhaps clamped: becomes part of thresholds."""
    JOIN = "join"
    """Computed on the integers themselves, which stand for multiples of one step common to all its inputs. For all
    integers q, steps s > 0 and offsets o per channel it keeps: f(q·s + o) = integer_layer(q)·s + f(o). Sums with whole
    factors and other orders of channels do; a product of two tensors, whose step is s², does not. That it holds is
    tried when the operator becomes integers, with the offsets that are not 0."""
    PRODUCT = "product"
    """Computed on integers of zero point 0, each input's of a step of its own; the integers that it gives are of the
    product of these steps: f(p·s, q·t) = integer_layer(p, q)·s·t. They are quantized before anything takes them."""
    ENCODING = "encoding"
    """Takes integers of a grid that it states itself, and gives integers of step 1. Of `encode` alone."""
    FUNCTION = "function"
    """Any other function of each value by itself: becomes part of thresholds where it never turns between rising and
    falling, else a table of few integers."""
    EDGES = "edges"
    """Sums of trained functions of one channel each, as a KAN has them: becomes an encoding on a grid and weights that
    are the functions' values there, before anything is quantized. Of `edge_functions` and `spread` alone."""
    QUANTIZER = "quantizer"
    """Gives levels already; occurs only in models that were read as quantized ones, and in no package."""


@dataclasses.dataclass(frozen=True, eq=False)
class FloatOperator(ABC):
    """One primitive of the float MLP: a frozen dataclass with the equation in its docstring.

    A subclass defines everything about the operator that is true in every form, in one file of this folder or in a
    package of anybody's that names the class in the entry-point group `edgeml.float_operators` (the entry's name is
    the kind). Reading, calibration, training, the Brevitas network, equalization, sensitivity and fidelity walk a model
    by `graph_walk.walk` and ask the operator; none of them knows its class. Arrays in its fields are float64 and are
    its parameters; all other fields are numbers, truth values or text.

    Must be defined: `kind`, `role`, `output_size`, `compute`, `output_range`.

    How the operator becomes integers follows from its role:

    - `Role.JOIN` (additions): `integer_layer` gives the layer of the integer network, which may be a layer of the same
      outside package. The quantizers of all its inputs get one step, which its outputs have too; one that does not
      keep that step (a product of two tensors) is refused when it becomes integers.
    - `Role.LINE` (batch norm, clamps): `on_lines` gives the exact line of each channel, in rational numbers, and
      `compute` must use each parameter array channel by channel.
    - `Role.FUNCTION` (tanh, GELU): `direction` says where it rises and falls. `compute` must use each parameter array
      channel by channel, and those functions of `arrays.functions` that `elementary` has, which every processor rounds
      alike.

    How models are read into it: `exported_program_readers` and `onnx_readers`. The tflite form finds what it makes of
    an operator by its kind in a table of its own, and refuses other kinds by name.
    """

    kind: ClassVar[str] = ""
    """Name of the operator in files and reports; unique."""
    role: ClassVar[Role]
    """How it behaves between integers."""
    input_count: ClassVar[int] = 1
    """How many tensors it takes."""
    rises_everywhere: ClassVar[bool] = False
    """Whether it is one strictly increasing function of each value: at the model's end it changes no decision."""
    gives_probability: ClassVar[bool] = False
    """Whether an only output that it ends is the probability of class 1."""
    quantized_remedy: ClassVar[str] = ""
    """What to do where a form has no integers for it; a sentence for the user."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.kind:
            if _KINDS.setdefault(cls.kind, cls).__qualname__ != cls.__qualname__:
                raise TypeError(f"two float operators are of kind {cls.kind!r}")
            _KINDS[cls.kind] = cls

    # Meaning

    @abstractmethod
    def output_size(self, *input_sizes: int) -> int:
        """Number of output channels for inputs of these sizes; InputError if they do not fit."""

    @abstractmethod
    def compute(self, arrays: ArrayLibrary, parameters: Mapping[str, Any], *inputs: Any) -> Any:
        """Output [samples, channels] of inputs [samples, channels], all arrays of the library `arrays`.

        `parameters` are those of `self.parameters`, or what training has made of them, as arrays of that library.
        """

    @abstractmethod
    def output_range(self, *inputs: Interval) -> Interval:
        """Range of each output channel if input channels take any values within `inputs`, infinite ends included."""

    def direction(self, *inputs: Interval) -> Floats:
        """Of each channel, or [1] of all, within `inputs`: 1 if it never falls, −1 if it never rises, 0 if it does
        both or nothing is known; asked of operators on each value by itself."""
        if self.role is not Role.LINE:
            return np.array([1.0 if self.rises_everywhere else 0.0])
        channels = max(end.size for end in (inputs[0].low, *self.parameters.values()))
        lines = self.on_lines([ClampedLine(Fraction(1), Fraction(0))] * channels)
        return np.array([-1.0 if line.slope < 0 else 1.0 for line in lines])

    def evaluate(self, *inputs: Floats) -> Floats:
        """`compute` in numpy and float64."""
        return np.asarray(self.compute(NUMPY, self.parameters, *inputs))

    @property
    def parameters(self) -> dict[str, Floats]:
        """The arrays in its fields, float64, by field name."""
        values = ((field.name, getattr(self, field.name)) for field in dataclasses.fields(self))
        return {name: value for name, value in values if isinstance(value, np.ndarray)}

    @property
    def constants(self) -> dict[str, Any]:
        """What else its fields hold, by field name."""
        arrays = self.parameters
        names = (field.name for field in dataclasses.fields(self))
        return {name: getattr(self, name) for name in names if name not in arrays}

    @property
    def saturated_beyond(self) -> tuple[float, float] | None:
        """Of an activation: outputs at or beyond these ends, (low, high), hardly move with the input."""
        return None

    @property
    def moves_only(self) -> bool:
        """Whether each output is one of its inputs or 0."""
        return False

    @property
    def pads(self) -> bool:
        """Whether it takes a 0 beside its inputs at some positions and not at others."""
        return False

    @property
    def is_identity(self) -> bool:
        """Whether it gives its input as it is."""
        return False

    # What it becomes

    def integer_layer(self) -> Layer | None:
        """The integer layer that computes it on integers of one step; None if there is none. See `Role.JOIN`."""
        return None

    def on_lines(self, lines: Sequence[ClampedLine]) -> list[ClampedLine]:
        """The lines [channels] behind this operator, for `lines` before it; only of `Role.LINE`."""
        raise InputError(self.kind, "is not a line in each channel")

    # What it takes in from its neighbours

    @property
    def scale_and_shift(self) -> tuple[Floats, Floats] | None:
        """(scale, shift) [channels] if the operator is x · scale + shift; else None."""
        return None

    def followed_by(self, following: FloatOperator) -> FloatOperator | None:
        """One operator that computes `following` after this one and rounds no number that the user's model does not
        round; None if there is none. InputError if the two leave nothing of their input."""
        return None

    def scaled_and_shifted(self, scale: Floats, shift: Floats) -> FloatOperator | None:
        """One operator for y · scale + shift [channels] of this one's output y; None if there is none."""
        return None

    def of_scaled_and_shifted(self, scale: Floats, shift: Floats) -> FloatOperator | None:
        """One operator for this one of x · scale + shift [channels]; None if there is none."""
        return None

    # Equalization: factors s > 0 for each channel

    @property
    def passes_factors(self) -> bool:
        """Whether f(s · x) = s · f(x) for every s > 0 of each channel, of all inputs alike."""
        return False

    absorbs_factors: ClassVar[bool] = False
    """Whether any factors of its inputs and outputs can be taken into its parameters: see `with_factors`."""
    asks_behind: ClassVar[bool] = False
    """Whether `effect_of_inputs` depends on what follows."""

    def with_factors(self, before: Floats, after: Floats) -> FloatOperator:
        """The operator that gives after · y for before · x, [channels] or [1] each; called if `absorbs_factors`."""
        raise InputError(self.kind, "takes no factors in")

    def effect_of_inputs(self, after: Floats | None, behind: Floats | None) -> Floats | None:
        """How much each channel that it takes counts in what follows; None if nothing is known of that.

        Parameters
        ----------
        after : factors [outputs] of its outputs; None stands for 1.
        behind : how much each of its outputs counts in what takes them [outputs]; None if nothing is known of that.
        """
        return None

    # How models are read into it

    @classmethod
    def exported_program_readers(cls) -> Mapping[str, Callable[..., Any]]:
        """How calls of a torch program become this operator, by torch's name of the called operator ("cat").

        Each is called with the `MlpBuilder` and the arguments by the names of torch's schema, and gives a `Signal`
        (`builder.apply` makes one) or a constant; it raises `NotAnMlp` for what it does not read. It is asked before
        edgeml's own, which reads the calls that it refuses.
        """
        return {}

    @classmethod
    def onnx_readers(cls) -> Mapping[str, Callable[[Any], Any]]:
        """The same for ONNX, by the operator's name there ("Concat"); each takes an `onnx_model.operators.Applied`."""
        return {}


def registered_kinds() -> Mapping[str, type[FloatOperator]]:
    """All classes that have been defined, by kind."""
    return _KINDS


def finite_array(where: str, values: Any, dimensions: int) -> Floats:
    """`values` as a float64 array of so many dimensions that nobody can write to; InputError naming `where`."""
    array = np.array(values, dtype=np.float64)
    if array.ndim != dimensions or array.size == 0:
        raise InputError(where, f"must be a non-empty array of {dimensions} dimensions, found {list(array.shape)}")
    if not np.all(np.isfinite(array)):
        raise InputError(where, "holds NaN or infinity", "Train the model again, or mend its weights")
    array.setflags(write=False)
    return array


def one_size(kind: str, sizes: Sequence[int]) -> int:
    """The one size that all inputs have; InputError if they differ."""
    if len(set(sizes)) != 1:
        raise InputError(kind, f"cannot take inputs of sizes {list(sizes)}")
    return sizes[0]

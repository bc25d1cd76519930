"""Functions of one 8-bit integer in int8 files: all 256 integers of random scales in every runtime."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.converters.tflite.lowering import lower
from edgeml.converters.tflite.model import Model
from edgeml.converters.tflite.operators.float_function import FloatFunction
from edgeml.converters.tflite.operators.gelu import Gelu
from edgeml.converters.tflite.operators.hard_swish import HardSwish
from edgeml.converters.tflite.operators.leaky_relu import LeakyRelu
from edgeml.converters.tflite.operators.operator import TfliteOperator
from edgeml.converters.tflite.operators.retype import Retype
from edgeml.converters.tflite.operators.tensor_info import TensorInfo
from edgeml.converters.tflite.runtimes import RUNTIMES, Session
from edgeml.converters.tflite.tables import tie_distance
from edgeml.converters.tflite.writer import write
from edgeml.network import simulate

from .random_models import random_scale

LACKING = {("gelu", "tflm"), ("elu", "litert-ref"), ("elu", "tflite-runtime-ref")}
ALL = np.arange(-128, 128, dtype=np.int32)[None]
FILES = 60
"""Of each operator; each holds all 256 integers."""


def _leaky(generator: np.random.Generator) -> TfliteOperator:
    return LeakyRelu("y", ("x",), float(np.float32(generator.choice([0.01, 0.1, 0.25, generator.uniform(0, 2)]))))


OPERATORS = {
    "leaky relu": _leaky,
    "hard swish": lambda generator: HardSwish("y", ("x",)),
    "gelu": lambda generator: Gelu("y", ("x",), bool(generator.integers(2))),
    "elu": lambda generator: FloatFunction("y", ("x",)),
    "quantize": lambda generator: Retype("y", ("x",)),
}


def model_of(name: str, generator: np.random.Generator) -> Model:
    """The operator between tensors of scales that are powers of two, so that there are ties, or not."""
    powers = bool(generator.integers(2))
    source = TensorInfo("x", 256, random_scale(generator, 0.01, 0.1, powers), int(generator.integers(-128, 128)))
    # A hard swish's kernel takes no output scale that is far below its input's.
    widest = random_scale(generator, 0.6 if name == "hard swish" else 0.3, 3, powers)
    target = TensorInfo("y", 256, float(np.float32(source.scale * widest)), int(generator.integers(-128, 128)))
    operator = OPERATORS[name](generator)
    if operator.function and tie_distance(operator.function, source, target) < 2.0**-14:
        return model_of(name, generator)
    return Model("curve", {"x": source, "y": target}, (operator,), "x", "y")


@pytest.mark.parametrize("runtime", sorted(RUNTIMES))
@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_all_integers_of_random_scales(name: str, runtime: str) -> None:
    if missing := RUNTIMES[runtime].missing():
        pytest.skip(f"{runtime}: {missing}")
    generator = np.random.default_rng(8)
    with Session(RUNTIMES[runtime]) as session:
        for turn in range(FILES):
            model = model_of(name, generator)
            if RUNTIMES[runtime].refusal(model.operators[0]):
                assert (name, runtime) in LACKING
                return
            (found,), _ = session.run(write(model), ALL.astype(np.int8))
            expected = simulate(lower(model, RUNTIMES[runtime].rounding), ALL)
            assert np.array_equal(found, expected), (turn, model.tensors, model.operators)
            assert len(np.unique(expected)) > 2


def test_rules_of_the_runtimes_are_not_one() -> None:
    """Else the test above would not see which one is taken."""
    generator, differ = np.random.default_rng(8), {"leaky relu": 0, "quantize": 0}
    for name in differ:
        for _ in range(FILES):
            model = model_of(name, generator)
            tables = [simulate(lower(model, rule), ALL) for rule in ("fp32_rne", "double_rounding")]
            differ[name] += not np.array_equal(*tables)
    assert min(differ.values()) > FILES // 4

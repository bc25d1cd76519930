"""Random networks that are legal but extreme: how far their integers are from the float model, and what is said.

`python -m benchmarks.fidelity [COUNT] [--seed S] [--bits 8]` converts COUNT networks to each of the two forms and
prints how many are far: off by more than 20 % of the outputs' spread, or in 10 % of the answers. Exit code 1 if convert
does not say so of one of them, with the layer named, or if one is refused as a defect.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edgeml import plugins
from edgeml.data.dataset import Dataset
from edgeml.errors import CheckFailed, EdgemlError
from edgeml.frontends.mlp import Add, Affine, Clamp, FloatOperator, Linear, Mlp, MlpNode, Sigmoid, Tanh
from edgeml.judging import fidelity
from edgeml.network import argmax, simulate

__all__ = ["EXTREMES", "Case", "Outcome", "case", "cases", "outcome"]

Floats = npt.NDArray[np.float64]

EXTREMES = (
    "none",
    "tiny layer",
    "huge layer",
    "huge bias",
    "tiny layer under a huge bias",
    "row",
    "column",
    "channels",
    "feature",
    "features",
    "constant data",
    "constant feature",
    "far sample",
    "dead layer",
    "dead channels",
    "zero rows",
)


_CURVED = (Sigmoid, Tanh)
"""Their outputs have scales that the runtimes prescribe, so that no addition may take them."""


@dataclass(frozen=True, eq=False)
class Case:
    """A model with samples x, and what is extreme about it."""

    seed: int
    what: str
    mlp: Mlp
    x: Floats


@dataclass(frozen=True)
class Outcome:
    """What one form makes of a case.

    Parameters
    ----------
    error : largest error as a share of the spread of the outputs that spread most.
    agreement : share of samples whose largest output is the float model's.
    note : what convert says first, where it says anything of how far the integers are.
    layer : the layer that it names.
    refused : the error's text, where there is one; `defect`: whether it blames edgeml.
    """

    error: float = 0.0
    agreement: float = 1.0
    note: str = ""
    layer: str = ""
    refused: str = ""
    defect: bool = False

    @property
    def far(self) -> bool:
        """Beyond 20 % of the spread, or 10 % of the answers."""
        return self.error > 0.2 or self.agreement < 0.9

    @property
    def silent(self) -> bool:
        """Whether nobody is told that it is far, and where."""
        return self.defect or (self.far and not (self.note and self.layer))


def _activation(rng: np.random.Generator, form: str) -> FloatOperator | None:
    choices: list[FloatOperator | None] = [Clamp(0.0, np.inf)] * 5 + [Clamp(0.0, 6.0), Clamp(-1.0, 1.0), None]
    if form == "tflite":
        choices += [Sigmoid(), Tanh()]
    return choices[rng.integers(len(choices))]


def case(seed: int, form: str) -> Case:
    """One random network of 1 to 4 layers for a form, and one extreme of it; the same seed gives the same case."""
    rng = np.random.default_rng((seed, 7))
    chosen = rng.choice(len(EXTREMES), 1 if rng.integers(3) else 2, replace=False)
    extremes = [EXTREMES[number] for number in chosen]
    depth = int(rng.integers(1, 5))
    widths = [int(width) for width in rng.choice([1, 2, 3, 4, 8, 9, 12, 16, 32], depth + 1)]
    if rng.integers(3) == 0:
        widths[1:-1] = [widths[1]] * (depth - 1)
    x = rng.normal(size=(400, widths[0])) * float(10 ** rng.uniform(-1, 1)) + float(rng.integers(0, 2))
    x = np.maximum(x, 0) if rng.integers(4) == 0 else x
    layers = []
    for inputs, outputs in pairwise(widths):
        bound = 1 / np.sqrt(inputs)
        layers.append([rng.uniform(-bound, bound, (outputs, inputs)), rng.uniform(-bound, bound, outputs)])
    for extreme in extremes:
        x = _made_extreme(rng, extreme, layers, x)
    nodes: list[MlpNode] = []
    at = "input"
    curved: set[str] = set()

    def add(name: str, operator: FloatOperator, *inputs: str) -> str:
        nodes.append(MlpNode(name, operator, inputs))
        return name

    for number, (weight, bias) in enumerate(layers):
        begin = at
        at = add(f"linear{number}", Linear(weight, bias), at)
        if number == depth - 1:
            break
        if rng.integers(4) == 0:
            gamma = rng.normal(size=len(bias)) * (rng.random(len(bias)) > 0.1)
            at = add(f"norm{number}", Affine(gamma, rng.normal(size=len(bias)) * 0.3), at)
        activation = _activation(rng, form)
        if activation is not None:
            at = add(f"act{number}", activation, at)
        square = number > 0 and weight.shape[0] == weight.shape[1]
        if square and rng.integers(2) == 0 and not isinstance(activation, _CURVED) and begin not in curved:
            at = add(f"sum{number}", Add(), begin, at)
        if isinstance(activation, _CURVED):
            curved.add(at)
    return Case(seed, " and ".join(extremes), Mlp("extreme", widths[0], tuple(nodes)), x)


def _made_extreme(rng: np.random.Generator, what: str, layers: list[list[Floats]], x: Floats) -> Floats:
    """Change layers in place; the samples come back."""
    which = int(rng.integers(len(layers)))
    weight, bias = layers[which]
    much = float(10 ** rng.uniform(2, 6))
    if what == "tiny layer":
        weight *= 10 ** rng.uniform(-30, -3)
    elif what == "huge layer":
        weight *= much
    elif what == "huge bias":
        bias *= much
    elif what == "tiny layer under a huge bias":
        weight *= 1e-30
        bias *= 1e3
    elif what == "row":
        weight[rng.integers(len(weight))] *= much
    elif what == "column":
        weight[:, rng.integers(weight.shape[1])] *= much
    elif what == "channels":
        factors = 10 ** rng.uniform(-3, 3, len(weight))
        weight *= factors[:, None]
        bias *= factors
        if which + 1 < len(layers):
            layers[which + 1][0] /= factors
    elif what == "feature":
        x[:, 0] *= much
        layers[0][0][:, 0] /= much
    elif what == "features":
        units = 10 ** rng.uniform(-3, 6, x.shape[1])
        x *= units
        layers[0][0] /= units
    elif what == "constant data":
        x[:] = x[0]
    elif what == "constant feature":
        x[:, 0] = much
    elif what == "far sample":
        x[rng.integers(len(x))] *= 1e3
    elif what == "dead layer":
        bias -= 1e3
    elif what == "dead channels":
        bias -= 1e3 * (rng.random(len(bias)) < 0.5)
    elif what == "zero rows":
        weight[rng.random(len(weight)) < 0.5] = 0.0
    return x


def outcome(form: str, one: Case, bits: int = 8) -> Outcome:
    """Convert a case as `edgeml convert` does, up to the files, and measure it anew."""
    data = Dataset(one.x[:320], one.x[320:])
    options = {"epochs": 0, "bits": bits}
    try:
        conversion = plugins.converters(form).convert(one.mlp, data, options, lambda *progress: None)
    except CheckFailed as error:
        return Outcome(refused=str(error), defect="defect" in str(error))
    except EdgemlError as error:
        return Outcome(refused=str(error))
    network, wanted = conversion.network, one.mlp.evaluate(one.x)
    y = simulate(network, network.quantizer.quantize(one.x))
    spread = float(np.ptp(wanted, axis=0).max()) or 1.0
    error = float(np.abs(network.output.real(y) - wanted).max()) / spread
    assert conversion.reference is not None
    told = fidelity.measure(conversion.reference, fidelity.samples(network, data))
    same = float(np.mean(argmax(y) == argmax(wanted)))
    return Outcome(error, same, told.note, told.layer)


def cases(count: int, seed: int, bits: int = 8) -> Iterator[tuple[str, Case, Outcome]]:
    """So many cases, each in both forms."""
    for number in range(count):
        for form in ("tflite", "quantized"):
            one = case(seed + number, form)
            yield form, one, outcome(form, one, bits)


def main() -> int:
    """Run, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bits", type=int, default=8)
    parser.add_argument("--show", action="store_true", help="print every case that is far")
    given = parser.parse_args()
    warnings.simplefilter("error", RuntimeWarning)
    counted: Counter[tuple[str, str]] = Counter()
    silent = 0
    for form, one, found in cases(given.count, given.seed, given.bits):
        kind = "refused" if found.refused else "far" if found.far else "near"
        counted[form, kind] += 1
        for extreme in one.what.split(" and "):
            counted[extreme, kind] += 1
        silent += found.silent
        if found.silent or (given.show and kind != "near"):
            said = found.refused or found.note or "NOTHING SAID"
            print(f"{form} seed {one.seed} {one.what}: {found.error:.3g}, {found.agreement:.2f}: {said}")
    kinds = ("near", "far", "refused")
    print(f"{'':30}" + "".join(f"{kind:>10}" for kind in kinds))
    for name in ("tflite", "quantized", *EXTREMES):
        print(f"{name:30}" + "".join(f"{counted[name, kind]:10}" for kind in kinds))
    print(f"far or refused as a defect without a word: {silent}")
    return int(silent > 0)


if __name__ == "__main__":
    sys.exit(main())

"""What a stage of a program must have left in memory, and whether it has, for all inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from ...network import Network
from ...network import Node as Layer
from ..statement import Affine, Function, FunctionOfSum, Largest, Product, SumOfFunctions, composed, statement_of
from ..statement import Source as Place
from .dataflow import Dataflow, Node, Operand
from .forms import as_form, plus
from .joint import assignments, by_variable, evaluated, inputs_of
from .products_and_maxima import largest, product
from .values import WORD, Base, Fit, Form, Unknown, Value, centred, form

__all__ = ["METHODS", "PLANES", "UNTRIED", "Claim", "Source", "claim_of", "claim_of_function"]

_ROWS, _SUM, _INPUTS, _TABLES, _JOINED = "rows", "sum", "inputs", "tables", "joined"
PLANES = "planes"
_MOST_ASSIGNMENTS = 1 << 16
METHODS = {
    "sum": "as weighted sums",
    "rows": "for all values of their sum",
    "inputs": "for all values of their inputs",
    "tables": "as sums of functions of one input each",
    "joined": "as products or maxima",
    "chain": "as a chain of comparisons",
    "planes": "as counts in planes of bits",
    "gates": "as Boolean functions and adders of their bits",
}
"""How a claim was proved, in words."""
UNTRIED = "no proof knows"
"""How the detail of a claim begins of which no proof is known."""
_Line = tuple[dict[int, int], int]
"""Terms and a constant: an exact integer."""


@dataclass(frozen=True)
class Source:
    """A tensor that a stage takes: the nodes that stand for its stored integers, and the value that 0 stands for."""

    nodes: Sequence[Node]
    low: int


@dataclass(frozen=True)
class Claim:
    """What was found of one channel.

    Parameters
    ----------
    word : what the program left. proved : whether it is the layer's value, for all inputs. method : `sum` (both are the
        same weighted sum), `rows` (all values of one sum were looked at), `inputs` (of a few inputs together), `tables`
        (both are the same sum of functions of one input each), `joined` (the same product or maximum), `planes`
        (planes of bits count a sum, of which it is a function). detail : why it is not proved.
        corner : variables where to look for a counterexample. planes : of `planes`, the words that count, lowest
        first, and which bit of each.
    """

    channel: int
    word: Operand
    proved: bool
    method: str = ""
    detail: str = ""
    corner: Any = None
    planes: tuple[Sequence[int], int] = ((), 0)

    @classmethod
    def of_copy(cls, flow: Dataflow, channel: int, word: Operand, node: Node, low: int) -> Claim:
        """That a word is a stored integer + low."""
        terms, constant = _line(Source([node], low), 0)
        return _compared(flow, channel, word, form(terms, constant))


class _Job(Protocol):
    network: Network
    nodes: tuple[Layer, ...]


class _Tensor(Protocol):
    low: int


class _Stage(Protocol):
    @property
    def job(self) -> Any: ...

    @property
    def output(self) -> Any: ...


def _variable(node: Node) -> int:
    assert isinstance(node.value, Form)
    (variable,) = node.value.terms
    return variable


def _stored(node: Node, weight: int) -> _Line:
    """A stored integer times a weight: that of a node whose range holds one integer is a constant."""
    if isinstance(node.value, int):
        return {}, weight * centred(node.value)
    return {_variable(node): weight}, 0


def claim_of(flow: Dataflow, stage: _Stage, channel: int, word: Operand, sources: Sequence[Source]) -> Claim:
    """Whether a word is the stored integer that the layers of a stage say."""
    layers, low = stage.job.nodes, stage.output.low
    if not stage.job.inputs:
        quantizer = layers[0].layer
        return _by_rows(
            flow, channel, word, _line(sources[0], channel), lambda x: np.clip(x, quantizer.low, quantizer.high) - low
        )
    if len(layers) == 2 and (counted := _counted(layers[0], layers[1], channel)) is not None:
        return _by_tables(flow, channel, word, counted, sources, low)
    statement = statement_of(layers[0], channel)
    for behind in layers[1:]:
        last = statement_of(behind, channel)
        own = isinstance(last, Function) and last.sources == ((0, channel),)
        statement = composed(statement, last) if own else None
    if isinstance(statement, Affine):
        terms, constant = _affine(statement, sources)
        return _compared(flow, channel, word, form(terms, constant - low))
    if isinstance(statement, FunctionOfSum):
        of_sum = statement.of_sum
        return _by_rows(flow, channel, word, _affine(statement.sum, sources), lambda z: of_sum(z) - low)
    if isinstance(statement, Product | Largest):
        return _joined(flow, channel, word, statement, sources, low)
    if isinstance(statement, Function) and len(statement.sources) == 1:
        tensor, place = statement.sources[0]
        function = statement.values
        return _by_rows(flow, channel, word, _line(sources[tensor], place), lambda x: function([x]) - low)
    if isinstance(statement, Function):
        return _by_inputs(flow, channel, word, statement, sources, low)
    if isinstance(statement, SumOfFunctions):
        return _by_tables(flow, channel, word, statement, sources, low)
    return Claim(channel, word, False, "", f"{UNTRIED} {' and '.join(_kinds(layers))}")


def _kinds(layers: Sequence[Layer]) -> list[str]:
    """What layers are, those of chains in parentheses."""
    return [f"{kind} ({', '.join(inner)})" if inner else kind for kind, *inner in (each.layer.kinds for each in layers)]


def _joined(
    flow: Dataflow, channel: int, word: Operand, statement: Product | Largest, sources: Sequence[Source], low: int
) -> Claim:
    """Equality of a word with a product or a maximum: as the same variable, else for all values of the inputs."""
    wholes = [_whole(flow, _line(sources[tensor], place)) for tensor, place in statement.sources]
    made = product(flow.space, *wholes) if isinstance(statement, Product) else largest(flow.space, wholes)
    wanted = plus(as_form(flow.space, made), Form({}, -low % WORD))
    claim = _compared(flow, channel, word, wanted)
    if claim.proved:
        return replace(claim, method=_JOINED)
    return _by_inputs(flow, channel, word, statement, sources, low)


def _whole(flow: Dataflow, line: _Line) -> Fit:
    """An exact integer with its ends."""
    terms, constant = line
    first, last = flow.space.span(terms)
    return Fit(terms, constant, first + constant, last + constant)


def _counted(encode: Layer, dense: Layer, channel: int) -> SumOfFunctions | None:
    """A dense layer's sum of what `encode` makes of single inputs, as a function of each; None for other layers."""
    statement = statement_of(dense, channel)
    if encode.layer.kind != "encode" or not isinstance(statement, Affine):
        return None
    parts: dict[Place, list[tuple[int, Function]]] = {}
    for (_, place), weight in statement.weights.items():
        function = statement_of(encode, place)
        if not isinstance(function, Function) or len(function.sources) != 1:
            return None
        parts.setdefault(function.sources[0], []).append((weight, function))

    def summed(of: list[tuple[int, Function]]) -> Any:
        return lambda x: sum(weight * np.asarray(function.values([x]), np.int64) for weight, function in of)

    return SumOfFunctions({source: summed(of) for source, of in parts.items()}, statement.constant)


def claim_of_function(flow: Dataflow, channel: int, word: Operand, source: Source, place: int, values: Any) -> Claim:
    """Whether a word is a function of one value of a tensor."""
    return _by_rows(flow, channel, word, _line(source, place), values)


def _by_tables(
    flow: Dataflow, channel: int, word: Operand, statement: SumOfFunctions, sources: Sequence[Source], low: int
) -> Claim:
    """Equality of a word with a sum of functions of one input each: the same of each input, but for a constant."""
    found = _value(word)
    parts = by_variable(flow.space, found)
    if parts is None:
        return Claim(channel, word, False, "", *_why(flow, found, 0))
    left, columns = parts
    left -= statement.constant - low
    for (tensor, place), function in statement.terms.items():
        terms, constant = _line(sources[tensor], place)
        inputs = np.array([constant])
        column: Any = np.zeros(1, np.int64)
        if terms:
            ((variable, weight),) = terms.items()
            inputs = constant + weight * np.arange(flow.space.low[variable], flow.space.high[variable] + 1)
            column = columns.pop(variable, column)
        difference = (column - function(inputs)) % (1 << 32)
        if np.any(difference != difference[0]):
            return Claim(channel, word, False, "", f"of input {place} it is another function")
        left += int(difference[0])
    left += sum(int(column[0]) for column in columns.values())
    if not any(np.ptp(column) for column in columns.values()) and left % (1 << 32) == 0:
        return Claim(channel, word, True, _TABLES)
    return Claim(channel, word, False, "", "it is another sum of functions")


def _by_inputs(
    flow: Dataflow, channel: int, word: Operand, statement: Function, sources: Sequence[Source], low: int
) -> Claim:
    """Equality of a word with a function of a few inputs, for all of their values together."""
    lines = [_line(sources[tensor], place) for tensor, place in statement.sources]
    every = assignments(flow.space, {v for terms, _ in lines for v in terms}, _MOST_ASSIGNMENTS)
    if every is None:
        return Claim(channel, word, False, "", "a function of inputs that have more than 2^16 values together")
    base, given = every
    found = _value(word)
    column = evaluated(flow.space, found, given)
    if column is None:
        return Claim(channel, word, False, "", *_why(flow, found, 0))
    rows = base.high - base.low + 1
    inputs = [
        np.full(rows, constant, np.int64) + sum(c * given[v] for v, c in terms.items()) for terms, constant in lines
    ]
    wanted = ((np.asarray(statement.values(inputs), np.int64) - low) & 0xFFFF_FFFF).astype(np.uint32)
    wrong = np.flatnonzero(wanted != column)
    if not wrong.size:
        return Claim(channel, word, True, _INPUTS)
    first = int(wrong[0])
    corner = {v: int(values[first]) for v, values in given.items()}
    detail = f"for inputs {[int(x[first]) for x in inputs]} it is another value than {int(wanted[first])}"
    return Claim(channel, word, False, "", detail, corner)


def _line(source: Source, channel: int) -> _Line:
    terms, constant = _stored(source.nodes[channel], 1)
    return terms, constant + source.low


def _affine(statement: Affine, sources: Sequence[Source]) -> _Line:
    terms: dict[int, int] = {}
    constant = statement.constant
    for (tensor, channel), weight in statement.weights.items():
        stored, fixed = _stored(sources[tensor].nodes[channel], weight)
        for variable, factor in stored.items():
            terms[variable] = terms.get(variable, 0) + factor
        constant += fixed + weight * sources[tensor].low
    return {v: c for v, c in terms.items() if c}, constant


def _value(operand: Operand) -> Value:
    return operand if isinstance(operand, int) else operand.value


def _compared(flow: Dataflow, channel: int, word: Operand, wanted: int | Form) -> Claim:
    """Equality of two sums modulo 2^32."""
    found = _value(word)
    if isinstance(found, int) or isinstance(wanted, int):
        same = isinstance(found, int) and found == wanted
    else:
        same = isinstance(found, Form) and found.terms == wanted.terms and found.constant == wanted.constant
    if same:
        return Claim(channel, word, True, _SUM)
    if not isinstance(found, Unknown) and _alike(flow, found, wanted):
        return Claim(channel, word, True, _INPUTS)
    return Claim(channel, word, False, "", *_why(flow, found, wanted))


def _alike(flow: Dataflow, found: Value, wanted: Value) -> bool:
    """Whether two words are the same for all values of the few inputs that they are made of."""
    every = assignments(flow.space, inputs_of(flow.space, found) | inputs_of(flow.space, wanted), _MOST_ASSIGNMENTS)
    if every is None:
        return False
    one, other = (evaluated(flow.space, value, every[1]) for value in (found, wanted))
    return one is not None and other is not None and not np.any(one != other)


def _why(flow: Dataflow, found: Value, wanted: Value) -> tuple[str, Any]:
    if isinstance(found, Unknown):
        return found.why, found.corner
    if isinstance(found, Form) and isinstance(wanted, Form):
        terms = {
            v: found.terms.get(v, 0) - wanted.terms.get(v, 0) for v in sorted(found.terms.keys() | wanted.terms.keys())
        }
        return "it is another sum", flow.space.corner({v: c for v, c in terms.items() if c}, True)
    return "it is another function", None


def _by_rows(flow: Dataflow, channel: int, word: Operand, line: _Line, values: Any) -> Claim:
    """Equality of a word with a function of a sum, for all values of the sum."""
    terms, constant = line
    found = _value(word)
    if not terms:
        wanted = int(values(np.array([constant]))[0]) & 0xFFFF_FFFF
        same = isinstance(found, int) and found == wanted
        return Claim(channel, word, same, _ROWS if same else "", "" if same else _why(flow, found, wanted)[0])
    base = flow.space.direction(terms)
    if base is None:
        return Claim(channel, word, False, "", "a sum of more than 2^22 values")
    column = flow.space.over(found, base)
    if column is None:
        return Claim(channel, word, False, "", *_why(flow, found, 0))
    sums = _factor(terms, base) * base.sums() + constant
    wanted_column = (np.asarray(values(sums), np.int64) & 0xFFFF_FFFF).astype(np.uint32)
    column = np.broadcast_to(column, wanted_column.shape)
    wrong = np.flatnonzero(wanted_column != column)
    if not wrong.size:
        return Claim(channel, word, True, _ROWS)
    first = int(wrong[0])
    detail = f"where the sum is {int(sums[first])} it is {int(column[first])}, not {int(wanted_column[first])}"
    return Claim(channel, word, False, "", detail, ("sum", terms, int(sums[first]) - constant))


def _factor(terms: dict[int, int], base: Base) -> int:
    variable, weight = base.terms[0]
    return terms[variable] // weight

"""What a stage of a program must have left in memory, and whether it has, for all inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from ...network import Network
from ...network import Node as Layer
from ..statement import Affine, Function, statement_of
from .dataflow import Dataflow, Node, Operand
from .values import Base, Form, Unknown, Value, centred, form

__all__ = ["UNTRIED", "Claim", "Source", "claim_of"]

_ROWS, _SUM = "rows", "sum"
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
        same weighted sum), `rows` (all values of one sum were looked at). detail : why it is not proved.
        corner : variables where to look for a counterexample.
    """

    channel: int
    word: Operand
    proved: bool
    method: str = ""
    detail: str = ""
    corner: Any = None

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
    if len(layers) > 2 or (len(layers) == 2 and layers[0].layer.kind == "encode"):
        return Claim(channel, word, False, "", f"{UNTRIED} {' and '.join(each.layer.kind for each in layers)}")
    value: Value = 0
    statement = statement_of(layers[0], channel)
    if len(layers) == 2:
        last = statement_of(layers[1], channel)
        if isinstance(statement, Affine) and isinstance(last, Function) and last.sources == ((0, channel),):
            inner = _affine(statement, sources)
            return _by_rows(flow, channel, word, inner, lambda x: last.values([x]) - low)
        return Claim(channel, word, False, "", f"{UNTRIED} {layers[0].layer.kind} and {layers[1].layer.kind}")
    if isinstance(statement, Affine):
        terms, constant = _affine(statement, sources)
        value = form(terms, constant - low)
        return _compared(flow, channel, word, value)
    if isinstance(statement, Function) and len(statement.sources) == 1:
        tensor, place = statement.sources[0]
        function = statement.values
        return _by_rows(flow, channel, word, _line(sources[tensor], place), lambda x: function([x]) - low)
    return Claim(channel, word, False, "", f"{UNTRIED} layers of kind {layers[0].layer.kind}")


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
    return Claim(channel, word, False, "", *_why(flow, found, wanted))


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

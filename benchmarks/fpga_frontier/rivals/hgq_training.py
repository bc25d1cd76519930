"""The training of HGQ2's networks: Keras' own step of training, many epochs in one compiled call.

`fit` spends most of its time between the steps where networks are as small as here. This computes what `fit` computes
with the callbacks `LearningRateScheduler`, `BetaScheduler`, `FreeEBOPs` and `ParetoFront`: a rate of learning and a
price β for each epoch, samples in a new order in each epoch, and after it the score on the validation samples and the
EBOPs; the weights of each epoch on the front are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import keras
import numpy as np
import numpy.typing as npt
from hgq.layers import QLayerBase
from jax import numpy as jnp

__all__ = ["Course", "Kept", "train"]

_TOGETHER = 50


@dataclass(frozen=True, eq=False)
class Course:
    """Inputs [samples, inputs] and classes; `rates` and `prices` (β) of each epoch; the seed of the order."""

    x: npt.NDArray[np.float32]
    y: npt.NDArray[np.int64]
    x_validation: npt.NDArray[np.float32]
    y_validation: npt.NDArray[np.int64]
    batch: int
    rates: Sequence[float]
    prices: Sequence[float]
    seed: int

    def orders(self, epochs: int) -> Iterator[npt.NDArray[np.int32]]:
        """For so many epochs at a time: indices [epochs, steps, batch]; the last step is filled from the start."""
        generator = np.random.default_rng(self.seed)
        steps = -(-len(self.x) // self.batch)
        while True:
            orders = [np.resize(generator.permutation(len(self.x)), steps * self.batch) for _ in range(epochs)]
            yield np.stack(orders).reshape(epochs, steps, self.batch).astype(np.int32)


def _places(variables: Sequence[Any], wanted: Sequence[Any]) -> list[int]:
    """Where the variables `wanted` stand in `variables`."""
    return [next(at for at, one in enumerate(variables) if one is each) for each in wanted]


@dataclass(frozen=True, eq=False)
class Kept:
    """An epoch on the front: its score on the validation samples, its EBOPs, and the values of all variables."""

    epoch: int
    score: float
    ebops: int
    values: list[npt.NDArray[Any]]

    def restore(self, model: keras.Model) -> None:
        """Put the values into the model."""
        variables = (*model.trainable_variables, *model.non_trainable_variables)
        for variable, value in zip(variables, self.values, strict=True):
            variable.assign(value)


def train(model: keras.Model, course: Course) -> list[Kept]:
    """Train the compiled `model`; the front of its epochs, by the rule of the authors' `ParetoFront`."""
    model.optimizer.build(model.trainable_variables)
    several = _several(model, course)
    model_parts = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    # Copies: the buffers of the state are given away with each call.
    state: Any = tuple([jnp.array(one.value) for one in part] for part in model_parts)
    front: list[Kept] = []
    epochs = len(course.rates)
    for start, order in zip(range(0, epochs, _TOGETHER), course.orders(_TOGETHER), strict=False):
        rates, prices = (np.float32(each[start : start + _TOGETHER]) for each in (course.rates, course.prices))
        state, (scores, ebops, values) = several(state, (rates, prices, order[: len(rates)]))
        scores, ebops, values = np.asarray(scores), np.asarray(ebops), [np.asarray(each) for each in values]
        for at in range(len(rates)):
            score, count = float(scores[at]), int(ebops[at])
            if any(old.score >= score and old.ebops <= count for old in front):
                continue
            front = [old for old in front if not (old.score < score and old.ebops > count)]
            front.append(Kept(start + at, score, count, [each[at].copy() for each in values]))
        if start % 1000 == 0:
            print(f"epoch {start}: {scores[-1]:.4f}, {ebops[-1]:.0f} EBOPs, {len(front)} on the front", flush=True)
    return front


def _several(model: keras.Model, course: Course) -> Any:
    """A compiled function: state, (rates, prices, orders) → state, (scores, EBOPs, variables after each epoch)."""
    priced = [layer for layer in model._flatten_layers() if isinstance(layer, QLayerBase) and layer.enable_ebops]
    betas = _places(model.non_trainable_variables, [layer._beta for layer in priced])
    counts = _places(model.non_trainable_variables, [layer._ebops for layer in priced])
    (rate_at,) = _places(model.optimizer.variables, [model.optimizer.learning_rate])
    x, y, x_validation, y_validation = (
        jnp.asarray(each) for each in (course.x, course.y, course.x_validation, course.y_validation)
    )

    def step(state: Any, chosen: Any) -> Any:
        _, state = model.train_step(state, (x[chosen], y[chosen]))
        return tuple(list(part) for part in state), None

    def epoch(state: Any, given: Any) -> Any:
        rate, price, order = given
        weights, others, moments, metrics = state
        others = [jnp.full_like(one, price) if at in betas else one for at, one in enumerate(others)]
        moments = [jnp.full_like(one, rate) if at == rate_at else one for at, one in enumerate(moments)]
        state, _ = jax.lax.scan(step, (weights, others, moments, metrics), order)
        logits, _ = model.stateless_call(state[0], state[1], x_validation, training=False)
        score = (logits.argmax(axis=1) == y_validation).mean()
        return state, (score, sum(state[1][at].astype(jnp.float32) for at in counts), [*state[0], *state[1]])

    return jax.jit(lambda state, given: jax.lax.scan(epoch, state, given), donate_argnums=0)

"""HGQ2: bits of each weight and activation learned under a growing price; da4ml makes circuits of the whole front.

The schedule is that of the authors' jet training, with fewer epochs: Adam, a cosine that starts again fifty times at
0.94 of the rate, the price β constant for a fiftieth of the epochs, then growing geometrically to the end; epochs are
kept by the rule of their `ParetoFront`, by validation score and EBOPs. Settings: hidden (widths), tables (their
lookup-table layers instead), epochs, batch, learning_rate, first_beta, last_beta, networks (how many of the front),
bits_apart (each bit of a feature is an input), least (below the best, what scores are of no interest).
"""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import keras
import numpy as np
import numpy.typing as npt
from contract import DataSet, Task, asked, leave
from da4ml.codegen import rtl
from da4ml.codegen.rtl.verilog.comb import comb_logic_gen, table_mem_gen
from da4ml.converter import trace_model
from da4ml.trace import comb_trace
from da4ml.types import CombLogic, minimal_kif
from hgq.config import QuantizerConfig, QuantizerConfigScope
from hgq.layers import QDense, QDenseT, QEinsumDenseBatchnorm
from hgq.utils import trace_minmax
from hgq.utils.sugar import PieceWiseSchedule
from hgq_training import Course, Kept, train

_RESTARTS, _DECAY, _LEAST_RATE = 50, 0.94, 1e-6


def inputs_of(x: npt.NDArray[np.int64], task: Task) -> npt.NDArray[np.float32]:
    """What the network takes: features as fractions in [0, 1), or all their bits, lowest first."""
    bits = task.data.bits
    if task.settings["bits_apart"]:
        return (x[:, :, None] >> np.arange(bits) & 1).reshape(len(x), -1).astype(np.float32)
    return (x / 2.0**bits).astype(np.float32)


def built(inputs: int, classes: int, settings: dict[str, Any]) -> keras.Model:
    """The authors' dense network, or their lookup-table layers; features are cut, not rounded, which costs no logic."""
    first = QuantizerConfig(place="datalane", k0=0, i0=1 if settings["bits_apart"] else 0, f0=3, round_mode="TRN")
    x = entry = keras.Input(shape=(inputs,))
    if settings["tables"]:
        with QuantizerConfigScope(k0=1, b0=6, i0=2), QuantizerConfigScope(place="table", homogeneous_axis=(0,)):
            for width in settings["hidden"]:
                x = QDenseT(width, batch_norm=True)(x)
            x = QDenseT(classes, batch_norm=True)(x)
        return keras.Model(entry, x)
    with (
        QuantizerConfigScope(place="weight", overflow_mode="SAT_SYM", f0=3, trainable=True),
        QuantizerConfigScope(place="bias", overflow_mode="WRAP", f0=3, trainable=True),
        QuantizerConfigScope(place="datalane", i0=1, f0=3),
    ):
        for number, width in enumerate(settings["hidden"]):
            more = {"iq_conf": first} if number == 0 else {}
            x = QEinsumDenseBatchnorm("bc,cC->bC", width, bias_axes="C", activation="relu", **more)(x)
        x = QDense(classes)(x)
    return keras.Model(entry, x)


def trained(model: keras.Model, task: Task) -> list[Kept]:
    """Train; epochs on the front, fewest EBOPs first, not more than asked for."""
    settings, data = task.settings, task.data
    epochs = settings["epochs"]
    cycle = max(epochs // _RESTARTS, 2)

    def rate(epoch: int) -> float:
        number, place = divmod(epoch, cycle)
        shape = 0.5 * (1 + math.cos(math.pi * min(place / max(cycle - 1, 1), 1)))
        return float(_LEAST_RATE + (settings["learning_rate"] - _LEAST_RATE) * shape * _DECAY**number)

    first, last = settings["first_beta"], settings["last_beta"]
    price = PieceWiseSchedule([(0, first, "constant"), (epochs // 50, first, "log"), (epochs, last, "constant")])
    model.compile(
        keras.optimizers.Adam(settings["learning_rate"]),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    course = Course(
        x=inputs_of(data.x_train, task),
        y=data.y_train,
        x_validation=inputs_of(data.x_validation, task),
        y_validation=data.y_validation,
        batch=settings["batch"],
        rates=[rate(epoch) for epoch in range(epochs)],
        prices=[price(epoch) for epoch in range(epochs)],
        seed=task.seed,
    )
    return picked(train(model, course), settings)


def picked(front: list[Kept], settings: dict[str, Any]) -> list[Kept]:
    """Of the front, those whose score is near the best, spread evenly over the logarithm of EBOPs."""
    best = max(kept.score for kept in front)
    near = [kept for kept in front if kept.score >= best - settings["least"] and kept.ebops > 0]
    near.sort(key=lambda kept: kept.ebops)
    size = np.log([kept.ebops for kept in near])
    wanted = np.linspace(size[0], size[-1], settings["networks"])
    return [near[k] for k in sorted({int(np.abs(size - one).argmin()) for one in wanted})]


def entrance(logic: CombLogic, data: DataSet) -> str:
    """da4ml's input: whole features (or bits of them), without those that nothing depends on."""
    each = data.features * data.bits // len(logic.inp_qint)
    taken = []
    for number, interval in enumerate(logic.inp_qint):
        sign, whole, fraction = minimal_kif(interval)
        if width := int(sign) + int(whole) + int(fraction):
            assert (width, sign) == (each, False), f"input {number} was to be a whole feature, is {interval}"
            taken.append(f"in_data[{number * each} +: {each}]")
    return f"{{{', '.join(reversed(taken))}}}"


def verilog(logic: CombLogic, data: DataSet) -> tuple[str, int]:
    """da4ml's module and its library inside of `m`, all outputs with the same bits behind the point; and those bits."""
    shapes = [minimal_kif(interval) for interval in logic.out_qint]
    fraction = max(f for _, _, f in shapes)
    bits = max(int(i) + 1 + fraction for _, i, _ in shapes)
    lines, names, position = [], [], 0
    for number, (sign, whole, f) in enumerate(shapes):
        width = int(sign) + int(whole) + int(f)
        part = f"made[{position + width - 1}:{position}]" if width else "1'b0"
        signed = f"$signed({part})" if sign else f"$signed({{1'b0, {part}}})"
        lines.append(f"  wire signed [{bits - 1}:0] y{number} = {signed};")
        names.append(
            f"{{y{number}[{bits - fraction + f - 1}:0]{f', {fraction - f}{chr(39)}d0' if f < fraction else ''}}}"
        )
        position += width
    entered = entrance(logic, data)
    library = Path(rtl.__file__).parent / "verilog" / "source"
    texts = [path.read_text(encoding="utf-8") for path in sorted(library.glob("*.v"))]
    ports = f"input [{data.features * data.bits - 1}:0] in_data, output [{len(shapes) * bits - 1}:0] out_data"
    body = [f"  wire [{max(position, 1) - 1}:0] made;", f"  da4ml_network n(.model_inp({entered}), .model_out(made));"]
    end = [f"  assign out_data = {{{', '.join(reversed(names))}}};", "endmodule", ""]
    return "\n".join([*texts, comb_logic_gen(logic, "da4ml_network"), f"module m({ports});", *body, *lines, *end]), bits


def main() -> None:
    """Train once and leave several networks of the front."""
    task = asked()
    keras.utils.set_random_seed(task.seed)
    data = task.data
    apart = task.settings["bits_apart"]
    model = built(data.features * (data.bits if apart else 1), data.classes, task.settings)
    for kept in trained(model, task):
        kept.restore(model)
        # With WRAP a value beyond the range seen here would come out wrong, in the circuit as in Keras.
        trace_minmax(model, inputs_of(np.concatenate([data.x_train, data.x_validation]), task), verbose=False)
        logic = comb_trace(*trace_model(model, inputs_kif=(0, 1, 0) if apart else (0, 0, data.bits)))
        text, bits = verilog(logic, data)
        leave(
            task,
            f"epoch{kept.epoch}",
            text,
            output_bits=bits,
            signed=True,
            test_classes=np.asarray(model.predict(inputs_of(data.x_test, task), verbose=0)).argmax(axis=1),
            packages=("hgq2", "da4ml", "keras", "jax"),
            memories=table_mem_gen(logic),
            validation=kept.score,
            ebops=kept.ebops,
        )


if __name__ == "__main__":
    main()

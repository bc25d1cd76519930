"""Makes the files of this folder with HGQ2: `NAME.keras`, and in `NAME.npz` what HGQ2 gives for samples.

pip install hgq2==0.2.0 keras==3.15.1 tensorflow-cpu==2.21 && python make.py
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
from hgq.config import QuantizerConfig, QuantizerConfigScope
from hgq.layers import QDense

FOLDER = Path(__file__).resolve().parent


def learnt() -> Any:
    """Bits of each weight and channel as training leaves them, activations that saturate."""
    with (
        QuantizerConfigScope(place="datalane", overflow_mode="SAT", i0=2, f0=4),
        QuantizerConfigScope(place="weight", b0=5, i0=1),
        QuantizerConfigScope(place="bias", b0=6, i0=2),
    ):
        entry = x = keras.Input((6,))
        x = QDense(10, activation="relu", beta0=3e-4)(x)
        x = QDense(8, activation="relu", beta0=3e-4)(x)
        return keras.Model(entry, QDense(3, beta0=3e-4)(x))


def symmetric() -> Any:
    """Ends as far on both sides, rounding to even and cutting off, kif weights, a quantizer behind a layer, softmax."""
    with (
        QuantizerConfigScope(place="datalane", overflow_mode="SAT_SYM", round_mode="RND_CONV", i0=1, f0=4),
        QuantizerConfigScope(place="weight", q_type="kif", overflow_mode="WRAP", round_mode="RND_CONV", i0=0, f0=4),
        QuantizerConfigScope(place="bias", q_type="kif", i0=1, f0=4),
    ):
        cut = QuantizerConfig(place="datalane", overflow_mode="SAT", round_mode="TRN", i0=2, f0=3)
        return keras.Sequential(
            [
                keras.Input((6,)),
                QDense(8, beta0=1e-4, enable_oq=True),
                QDense(6, activation="relu", use_bias=False, beta0=1e-4, iq_conf=cut),
                keras.layers.Dropout(0.1),
                QDense(3, activation="softmax", beta0=1e-4),
            ]
        )


def wrapping() -> Any:
    """Activations that wrap around, with bits for all that the sums can be; the input saturates."""
    first = QuantizerConfig(place="datalane", overflow_mode="SAT", i0=1, f0=2, trainable=False)
    with (
        QuantizerConfigScope(place="datalane", overflow_mode="WRAP", i0=5, f0=2, i_decay_speed=0.0),
        QuantizerConfigScope(place="weight", b0=3, i0=0),
        QuantizerConfigScope(place="bias", b0=4, i0=0),
    ):
        return keras.Sequential(
            [keras.Input((6,)), QDense(8, activation="relu", iq_conf=first, beta0=0.0), QDense(3, beta0=0.0)]
        )


def unlike(model: Any, generator: np.random.Generator) -> None:
    """Give channels and weights unlike bits, as many epochs at a higher price do: a channel and a row have none."""
    for layer in model.layers[1:]:
        for quantizer, learnt in ((layer.iq.quantizer, "_f"), (layer.kq.quantizer, "_b")):
            bits = getattr(quantizer, learnt)
            bits.assign(np.rint(bits.numpy()) - generator.integers(0, 3, bits.shape))
        layer.iq.quantizer._f.assign(
            np.where(np.arange(layer.iq.quantizer._f.shape[1]) == 1, -9.0, layer.iq.quantizer._f)
        )
        layer.iq.quantizer._i.assign(layer.iq.quantizer._i - generator.integers(0, 2, layer.iq.quantizer._i.shape))
        layer.kq.quantizer._b.assign(np.where(np.arange(layer.units) == 2, 0.0, layer.kq.quantizer._b))


def main() -> None:
    """Train each for a few epochs: bits and weights of their own."""
    generator = np.random.default_rng(0)
    for name, build in (("learnt", learnt), ("symmetric", symmetric), ("wrapping", wrapping)):
        keras.utils.set_random_seed(1)
        model = build()
        x = (generator.normal(size=(512, 6)) * 2).astype(np.float32)
        y = np.argmax(x[:, :3] + np.abs(x[:, 3:]), axis=1)
        probabilities = name == "symmetric"
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=not probabilities)
        model.compile(keras.optimizers.Adam(0.02), loss)
        model.fit(x, y, epochs=12, batch_size=64, verbose=0)
        if name == "learnt":
            unlike(model, generator)
        # Ties of the input's grid, its ends and what lies beyond, beside samples.
        ties = (generator.integers(-40, 40, (64, 6)) / 32).astype(np.float32)
        given = np.concatenate([x[:192], ties])
        model.compile()
        model.save(FOLDER / f"{name}.keras")
        np.savez_compressed(FOLDER / f"{name}.npz", x=given, y=model.predict(given, verbose=0))


if __name__ == "__main__":
    main()

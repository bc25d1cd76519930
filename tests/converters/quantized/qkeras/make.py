"""Makes the files of this folder with QKeras: `NAME.keras` and `NAME.h5`, and in `NAME.npz` what QKeras gives.

pip install tensorflow-cpu==2.15.1 'numpy<2' qkeras==0.9.0 'pyparsing<3.2' && python make.py
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
from qkeras import QActivation, QDense, quantized_bits, quantized_relu

FOLDER = Path(__file__).resolve().parent
FIXED = quantized_bits(4, 0, alpha=1)
BIAS = quantized_bits(8, 2, alpha=1)


def plain() -> Any:
    """Weights of 4 bits, activations of 4; quantizers as objects."""
    entry = x = keras.Input((6,))
    x = QActivation(quantized_bits(8, 3, alpha=1))(x)
    x = QDense(8, kernel_quantizer=FIXED, bias_quantizer=BIAS)(x)
    x = QActivation(quantized_relu(4, 2))(x)
    return keras.Model(entry, QDense(3, kernel_quantizer=FIXED, bias_quantizer=BIAS)(x))


def normalised() -> Any:
    """A batch norm before a quantizer, quantizers as text, symmetric weights, signed activations, softmax."""
    return keras.Sequential(
        [
            keras.Input((6,)),
            QActivation("quantized_bits(6, 2, 1, alpha=1)"),
            QDense(8, kernel_quantizer="quantized_bits(3, 0, 1, alpha=1)", use_bias=False),
            keras.layers.BatchNormalization(),
            QActivation("quantized_relu(3, 1)"),
            QDense(6, kernel_quantizer="quantized_bits(2, 1, alpha=1)", bias_quantizer="quantized_bits(5, 1, alpha=1)"),
            QActivation("quantized_bits(4, 1, alpha=1)"),
            QDense(3, kernel_quantizer="quantized_bits(6, 0, alpha=1)", bias_quantizer="quantized_bits(6, 0, alpha=1)"),
            keras.layers.Activation("softmax"),
        ]
    )


def main() -> None:
    generator = np.random.default_rng(0)
    for name, build in (("plain", plain), ("normalised", normalised)):
        keras.utils.set_random_seed(1)
        model = build()
        model.compile(keras.optimizers.Adam(0.02), "mse")
        x = (generator.normal(size=(256, 6)) * 2).astype(np.float32)
        model.fit(x, generator.normal(size=(256, 3)), epochs=4, verbose=0)
        model.compile()
        model.save(FOLDER / (f"{name}.keras" if name == "plain" else f"{name}.h5"))
        np.savez_compressed(FOLDER / f"{name}.npz", x=x[:64], y=model.predict(x[:64], verbose=0))


if __name__ == "__main__":
    main()

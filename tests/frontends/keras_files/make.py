"""Makes the files of this folder: small models of Keras, trained for a moment so that no variable is at its start.

    pip install tensorflow-cpu==2.21 keras==3.15.1 && python make.py       # into keras_3/
    pip install tensorflow-cpu==2.15.1 'numpy<2' && python make.py         # into keras_2/

Of each model: `NAME.keras` or `NAME.h5` (without its optimizer), and in `NAME.npz` samples `x` and what Keras gives for
them, `y`, in float32.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
from keras import layers

KERAS_2 = keras.__version__.startswith("2.")
FOLDER = Path(__file__).resolve().parent / ("keras_2" if KERAS_2 else "keras_3")
KEPT = {
    "keras_3": ("mlp.keras", "binary.keras", "residual.keras", "windows.keras", "images.keras", "mixer.keras",
                "residual.h5", "windows.h5"),
    "keras_2": ("binary.keras", "residual.keras", "mlp.h5", "images.h5", "residual.h5", "mixer.h5"),
}  # fmt: skip


def mlp() -> keras.Model:
    """Features as they are measured, normalised in the model; dropout, batch norm, three kinds of activations."""
    entry = layers.Normalization()
    entry.adapt(np.random.default_rng(0).normal([0, 5, -3, 100], [1, 2, 0.1, 30], (200, 4)))
    return keras.Sequential(
        [
            keras.Input((4,)),
            entry,
            layers.Dense(6, activation="relu"),
            layers.GaussianNoise(0.1),
            layers.Dense(6, use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(**{"alpha" if KERAS_2 else "negative_slope": 0.1}),
            layers.Dropout(0.2),
            layers.Dense(5, activation="gelu"),
            layers.Dense(3, activation="softmax"),
        ]
    )


def binary() -> keras.Model:
    """One answer, yes or no; activations that are layers of their own, one inside a Dense."""
    return keras.Sequential(
        [
            keras.Input((5,)),
            layers.Rescaling(1 / 4, offset=-1.0),
            layers.Dense(6),
            layers.PReLU(alpha_initializer=keras.initializers.Constant(0.25)),
            layers.Dense(6, activation=layers.ReLU(max_value=2.0)),
            layers.Dense(5, activation="relu6"),
            layers.Dense(4, activation="hard_sigmoid"),
            layers.ELU(alpha=0.5),
            layers.Dense(1, activation="sigmoid"),
        ]
    )


def residual() -> keras.Model:
    """Residual sums, also as the operator +, outputs side by side, a layer used twice, models in the model."""
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(6, activation="tanh"), layers.Dense(6)], name="inner")
    twice = layers.Dense(6, activation="silu")
    first = keras.Input((6,))
    block = keras.Model(first, layers.Add()([first, layers.Dense(6, activation="relu")(first)]), name="block")
    entry = keras.Input((6,), name="measured")
    h = layers.Dense(6, activation="selu")(entry)
    h = layers.Add()([twice(h), h])
    h = block(inner(block(twice(h))) + h)
    h = layers.Subtract()([h, layers.Average()([h, layers.Dense(6)(h)])])
    h = layers.Activation("softplus")(h * 0.5 + 1.0)
    h = layers.Concatenate()([layers.Dense(3, activation="relu")(h), h])
    return keras.Model(entry, layers.Dense(2, name="values")(h))


def windows() -> keras.Model:
    """Conv1D over windows of a sensor, with every kind of padding, pools, and slopes shared over time."""
    return keras.Sequential(
        [
            keras.Input((24, 3)),
            layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0]),
            layers.Conv1D(4, 3, padding="same", strides=2, activation="relu"),
            layers.BatchNormalization(),
            layers.Conv1D(6, 3, padding="causal", dilation_rate=2, groups=2),
            layers.PReLU(shared_axes=[1], alpha_initializer=keras.initializers.Constant(0.25)),
            layers.MaxPooling1D(2),
            layers.ZeroPadding1D((1, 2)),
            layers.SeparableConv1D(4, 3, depth_multiplier=2, activation="relu"),
            layers.AveragePooling1D(3, strides=2, padding="same"),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def images() -> keras.Model:
    """Conv2D, depthwise as in MobileNet and DS-CNN, and the mean over all positions at the end."""
    return keras.Sequential(
        [
            keras.Input((8, 6, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, (3, 2), strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2),
            layers.BatchNormalization(scale=False),
            layers.ReLU(6.0),
            layers.Conv2D(4, 1, activation="relu"),
            layers.MaxPooling2D((2, 1), padding="same"),
            layers.Cropping2D(((0, 0), (0, 1))),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3),
            layers.Softmax() if not KERAS_2 else layers.Activation("softmax"),
        ]
    )


def mixer() -> keras.Model:
    """An MLP-Mixer's block: Dense over channels and, between permutations, over positions; its head is a model."""
    pooled = keras.Input((5,))
    head = keras.Model(pooled, layers.Dense(3, activation="softmax")(pooled), name="head")
    entry = keras.Input((12,))
    h = layers.Reshape((4, 3))(entry)
    h = layers.Dense(5, activation="relu")(h)
    mixed = layers.Permute((2, 1))(h)
    mixed = layers.Dense(4, activation="relu")(mixed)
    mixed = layers.PReLU(alpha_initializer=keras.initializers.Constant(0.25))(mixed)
    h = layers.Add()([layers.Permute((2, 1))(mixed), h])
    h = layers.GlobalAveragePooling1D()(h)
    return keras.Model(entry, head(h))


MODELS = {
    "mlp": (mlp, "sparse_categorical_crossentropy"),
    "binary": (binary, "binary_crossentropy"),
    "residual": (residual, "mse"),
    "windows": (windows, "sparse_categorical_crossentropy"),
    "images": (images, "sparse_categorical_crossentropy"),
    "mixer": (mixer, "sparse_categorical_crossentropy"),
}


def made(name: str) -> tuple[keras.Model, np.ndarray]:
    """The model after an epoch on noise, and samples."""
    keras.utils.set_random_seed(len(name))
    build, loss = MODELS[name]
    model = build()
    generator = np.random.default_rng(1)
    scale = 255.0 if name == "images" else 3.0
    x = (generator.normal(size=(64, *model.input_shape[1:])) * scale).astype(np.float32)
    if name == "mlp":
        x = (x * [0.4, 1, 0.05, 10] + [0, 5, -3, 100]).astype(np.float32)
    outputs = model.output_shape[-1]
    y = {
        "mse": lambda: generator.normal(size=(64, outputs)),
        "binary_crossentropy": lambda: generator.integers(0, 2, 64),
    }.get(loss, lambda: generator.integers(0, outputs, 64))()
    model.compile(keras.optimizers.Adam(0.02), loss)
    model.fit(x, y, epochs=3, verbose=0)
    return model, x[:16]


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in MODELS:
        model, x = made(name)
        model.compile()
        for kept in KEPT[FOLDER.name]:
            if kept.startswith(f"{name}."):
                model.save(FOLDER / kept, **({} if KERAS_2 else {"include_optimizer": False}))
                np.savez_compressed(FOLDER / f"{name}.npz", x=x, y=model.predict(x, verbose=0))


if __name__ == "__main__":
    main()

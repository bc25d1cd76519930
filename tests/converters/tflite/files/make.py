"""Makes the .tflite files of this folder: Keras models through TensorFlow's own converter, and what they answer.

Run it where TensorFlow is installed (`pip install tensorflow-cpu==2.21.0`), from any folder: `python make.py`, or
with the names of some. The answers in `NAME.npz` are those of TensorFlow Lite's interpreter with its reference kernels
(of `curves` with its usual ones, as the others have no ELU): `x` float32 [samples, …] what the model took, `q` what the
file took, `y` its answer.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers

HERE = Path(__file__).parent
SAMPLES = 60


def flatten() -> Any:
    """A Flatten of a free batch: SHAPE, STRIDED_SLICE, PACK and RESHAPE in the file."""
    return tf.keras.Sequential([layers.Input((6, 3)), layers.Flatten(), layers.Dense(12, "relu"), layers.Dense(4)])


def residual() -> Any:
    """A sum of two branches, whose ReLU the converter fuses into the ADD."""
    x = layers.Input((10,))
    first = layers.Dense(10, "relu")(x)
    second = layers.Dense(10)(first)
    return tf.keras.Model(x, layers.Dense(3)(layers.ReLU()(layers.Add()([first, second]))))


def classifier() -> Any:
    """An MLP that ends in a softmax."""
    return tf.keras.Sequential(
        [layers.Input((8,)), layers.Dense(12, "relu6"), layers.Dense(12, "tanh"), layers.Dense(4, "softmax")]
    )


def detector() -> Any:
    """An MLP with one output, a probability."""
    return tf.keras.Sequential([layers.Input((8,)), layers.Dense(12, "sigmoid"), layers.Dense(1, "sigmoid")])


def normalised() -> Any:
    """A Normalization in front, fitted to the data."""
    first = layers.Normalization(axis=-1, mean=np.linspace(-2, 2, 8), variance=np.linspace(0.5, 4, 8))
    return tf.keras.Sequential([layers.Input((8,)), first, layers.Dense(12, "relu"), layers.Dense(4)])


def rescaled() -> Any:
    """A Rescaling in front, as for pixels."""
    first = layers.Rescaling(1 / 127.5, offset=-1)
    return tf.keras.Sequential([layers.Input((8,)), first, layers.Dense(12, "relu"), layers.Dense(4)])


def image() -> Any:
    """A small convolutional network: CONV_2D, MAX_POOL_2D, DEPTHWISE_CONV_2D and MEAN."""
    return tf.keras.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.DepthwiseConv2D(3, activation="relu"),
            layers.Conv2D(6, 1, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3),
        ]
    )


def pooled_image() -> Any:
    """Strides, batch norm, AVERAGE_POOL_2D, and a Flatten of channels last."""
    return tf.keras.Sequential(
        [
            layers.Input((9, 7, 2)),
            layers.Conv2D(4, (3, 2), strides=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ]
    )


def window() -> Any:
    """Conv1D over a window of a sensor: RESHAPE or EXPAND_DIMS around CONV_2D."""
    return tf.keras.Sequential(
        [
            layers.Input((16, 3)),
            layers.Conv1D(6, 5, strides=2, activation="relu"),
            layers.MaxPooling1D(2),
            layers.Flatten(),
            layers.Dense(4),
        ]
    )


def curves() -> Any:
    """Functions of one number other than ReLU."""
    return tf.keras.Sequential(
        [
            layers.Input((8,)),
            layers.Dense(10, "elu"),
            layers.Dense(10, "gelu"),
            layers.Dense(10),
            layers.LeakyReLU(negative_slope=0.25),
            layers.Dense(10, "silu"),
            layers.Dense(10, "hard_sigmoid"),
            layers.Dense(3),
        ]
    )


def joined() -> Any:
    """Concatenations along channels, along positions, and of features, one of them a tanh of another scale."""
    x = layers.Input((6, 4))
    near = layers.Conv1D(3, 3, padding="same", activation="relu")(x)
    both = layers.Concatenate()([near, layers.Conv1D(5, 1, activation="relu")(x)])
    longer = layers.Concatenate(axis=1)([layers.Conv1D(4, 1)(both), layers.Conv1D(4, 1, activation="relu")(x)])
    y = layers.Flatten()(longer)
    y = layers.Concatenate()([layers.Dense(6, "relu")(y), layers.Dense(5, "tanh")(y), layers.Dense(4)(y)])
    return tf.keras.Model(x, layers.Dense(3)(y))


def gated() -> Any:
    """Products of two tensors: a gate, SiLU, and a square."""
    x = layers.Input((8,))
    y = layers.Multiply()([layers.Dense(10)(x), layers.Dense(10, "sigmoid")(x)])
    y = layers.Dense(10, "silu")(y)
    return tf.keras.Model(x, layers.Dense(3)(layers.Multiply()([y, y])))


def excited() -> Any:
    """Squeeze and excite: a product whose gate all positions share; then a mean over the borders."""
    x = layers.Input((5, 6, 3))
    y = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    gate = layers.Conv2D(4, 1, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(y))
    y = layers.AveragePooling2D(3, strides=2, padding="same")(layers.Multiply()([y, gate]))
    return tf.keras.Model(x, layers.Dense(3)(layers.Flatten()(y)))


def bent() -> Any:
    """Leaky ReLU and hard swish."""
    return tf.keras.Sequential(
        [
            layers.Input((8,)),
            layers.Dense(10),
            layers.LeakyReLU(negative_slope=0.25),
            layers.Dense(10),
            layers.Activation("hard_silu"),
            layers.Dense(3),
        ]
    )


def smooth() -> Any:
    """GELU in both forms."""
    return tf.keras.Sequential(
        [
            layers.Input((8,)),
            layers.Dense(10, "gelu"),
            layers.Dense(10),
            layers.Activation(lambda y: tf.nn.gelu(y, approximate=True)),
            layers.Dense(3),
        ]
    )


def wide() -> Any:
    """Layers that are large enough for the converter to store their weights as int8."""
    return tf.keras.Sequential(
        [layers.Input((32,)), layers.Dense(36, "relu"), layers.Dense(36, "relu"), layers.Dense(4)]
    )


def recurrent() -> Any:
    """An LSTM, which is no MLP."""
    return tf.keras.Sequential([layers.Input((6, 3)), layers.LSTM(4), layers.Dense(2)])


FILES: dict[str, tuple[Callable[[], Any], str, bool]] = {
    "flatten_float": (flatten, "float", True),
    "flatten_int8": (flatten, "int8", True),
    "flatten_int8_one": (flatten, "int8", False),
    "residual_float": (residual, "float", True),
    "residual_int8": (residual, "int8", True),
    "classifier_float": (classifier, "float", True),
    "classifier_int8": (classifier, "int8", True),
    "classifier_uint8": (classifier, "uint8", True),
    "classifier_float_io": (classifier, "float_io", True),
    "detector_uint8": (detector, "uint8", True),
    "normalised_float": (normalised, "float", True),
    "normalised_int8": (normalised, "int8", True),
    "rescaled_int8": (rescaled, "int8", True),
    "rescaled_uint8": (rescaled, "uint8", True),
    "image_float": (image, "float", True),
    "image_int8": (image, "int8", True),
    "pooled_image_float": (pooled_image, "float", True),
    "pooled_image_uint8": (pooled_image, "uint8", True),
    "window_float": (window, "float", True),
    "window_int8": (window, "int8", True),
    "curves_float": (curves, "float", True),
    "curves_int8": (curves, "int8", True),
    "joined_float": (joined, "float", True),
    "joined_int8": (joined, "int8", True),
    "gated_float": (gated, "float", True),
    "gated_int8": (gated, "int8", True),
    "excited_float": (excited, "float", True),
    "excited_uint8": (excited, "uint8", True),
    "bent_int8": (bent, "int8", True),
    "smooth_int8": (smooth, "int8", True),
    "wide_float16": (wide, "float16", True),
    "wide_dynamic": (wide, "dynamic", True),
    "wide_int16": (wide, "int16", True),
    "recurrent_float": (recurrent, "float", False),
}


def converted(model: Any, kind: str, free: bool, x: Any) -> bytes:
    """The file of a model: of a free batch, or of one sample."""
    if not free:
        one = layers.Input(model.input_shape[1:], batch_size=1)
        model = tf.keras.Model(one, model(one))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if kind != "float":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if kind in ("int8", "uint8", "float_io", "int16"):
        converter.representative_dataset = lambda: ([one[None]] for one in x)
        sets = tf.lite.OpsSet
        int16 = sets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        converter.target_spec.supported_ops = [int16 if kind == "int16" else sets.TFLITE_BUILTINS_INT8]
    if kind in ("int8", "uint8"):
        converter.inference_input_type = converter.inference_output_type = getattr(tf, kind)
    return bytes(converter.convert())


def answers(content: bytes, x: Any, reference: bool) -> tuple[Any, Any]:
    """What a file takes for samples x, and what it gives, by the reference kernels or by the usual ones."""
    resolvers = tf.lite.experimental.OpResolverType
    kernels = resolvers.BUILTIN_REF if reference else resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = tf.lite.Interpreter(model_content=content, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    q = x
    if source["dtype"] != np.float32:
        scale, zero = source["quantization"]
        ends = np.iinfo(source["dtype"])
        q = np.clip(np.rint(x / np.float64(scale)) + zero, ends.min, ends.max).astype(source["dtype"])
    found = []
    for one in q:
        interpreter.set_tensor(source["index"], one[None])
        interpreter.invoke()
        found.append(interpreter.get_tensor(target["index"])[0])
    return q, np.stack(found)


def main() -> None:
    """Write all files, or those that are named, with the answers beside them."""
    for name in sys.argv[1:] or FILES:
        build, kind, free = FILES[name]
        tf.keras.backend.clear_session()
        tf.keras.utils.set_random_seed(7)
        model = build()
        generator = np.random.default_rng(7)
        spread = 127.5 if build is rescaled else 2.0
        x = (generator.normal(size=(SAMPLES, *model.input_shape[1:])) * spread / 2).astype(np.float32)
        for layer in model.layers:
            if weights := layer.get_weights():
                layer.set_weights([w + 0.1 * np.abs(generator.normal(size=w.shape)) for w in weights])
        content = converted(model, kind, free, x)
        (HERE / f"{name}.tflite").write_bytes(content)
        q, y = answers(content, x, reference=build is not curves)
        np.savez_compressed(HERE / f"{name}.npz", x=x, q=q, y=y)
        print(name, len(content))


if __name__ == "__main__":
    main()

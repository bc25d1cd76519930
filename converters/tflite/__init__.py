"""The int8 form and its interchange file, .tflite: written, read and compared with the runtimes, without TensorFlow."""

from .converter import TfliteConverter
from .reader import read_model, read_network

__all__ = ["TfliteConverter", "read_model", "read_network"]

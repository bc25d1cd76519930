"""The quantized form: an MLP of 1 to 8 bits, trained with Brevitas or calibrated, as thresholds on integers.

Read in this order: `fold` (batch norm into weights), `input_quantizer`, `plan` (where quantizers go), `calibrate` and
`training` (parameters), `freeze` (integers and constant scales: `model`), then two ways from there: `brevitas_network`
runs the model in float64, `extract` derives the integer network with `thresholds`, and `proof` shows they are equal.
"""

from .converter import QuantizedConverter

__all__ = ["QuantizedConverter"]

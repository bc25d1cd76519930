"""The quantized form: an MLP of 1 to 8 bits, trained with Brevitas or calibrated, as thresholds on integers.

Read in this order: `fold` (batch norm into weights), `input_quantizer`, `quantizer_placement` (where quantizers go),
`calibrate` and `training` (parameters), `freeze` (integers and constant scales: `model`), then two ways from there:
`brevitas_network` runs the model in float64, `extract` derives the integer network with `thresholds`, and `proof` shows
that they are equal. Operators of the user's model are asked for what they are; `user_operators` says how they stand
between integers.
"""

from .converter import QuantizedConverter

__all__ = ["QuantizedConverter"]

"""What a QONNX file of edgeml's states of real numbers, put back into the network that is read from it.

FINN's files begin and end with integers. Ours carry beside them how the host quantizes and what the results stand for
(`verification.stated_scales`); read without it, the network would take real numbers as if they were integers already.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgeml.errors import CheckFailed, InputError
from edgeml.network import InputQuantizer, Network, Node
from edgeml.verification.stated_scales import StatedScales

__all__ = ["as_stated"]


def as_stated(network: Network, statement: str, where: str) -> Network:
    """`network`, whose input and output are integers, with the scales of `statement` [JSON].

    Raises
    ------
    InputError : the statement is not sound, or does not fit the integers of the file.
    """
    try:
        stated = StatedScales.from_json(statement, where)
    except CheckFailed as error:
        raise InputError(where, error.problem, "Convert the model that the file was made from") from error
    first = network.quantizer
    low, high = stated.input_low, stated.input_high
    whole = np.all(first.scale == 1) and np.all(first.offset == 0) and first.zero_point == 0
    whole = whole and np.all(network.output.scale == 1) and network.output.zero_point == 0
    if not (whole and first.low <= low < high <= first.high):
        raise InputError(
            where,
            f"states scales for input integers of {low} … {high} and whole results; its nodes take {first.low} … "
            f"{first.high} in steps of {first.scale[0]:g} and give steps of {network.output.scale[0]:g}",
            "The file was changed after it was written: convert the model that it was made from",
        )
    signed = low < 0
    bits = (high - low).bit_length()
    quantizer = InputQuantizer(
        network.input_size, stated.input_scale, stated.input_offset, stated.input_zero_point, bits, signed
    )
    if (quantizer.low, quantizer.high) != (low, high):
        raise InputError(where, f"states input integers of {low} … {high}, which no number of bits has")
    head = Node(network.nodes[0].name, quantizer)
    output = replace(network.output, scale=stated.output_scale, zero_point=stated.output_zero_point)
    return Network(network.name, (head, *network.layers), output)

"""Constants that follow from a network's weights, as inputs: what is proved holds for each of their values.

The model's hash, and the self-test's seed and CRC, are parameters of two library modules. A proof is made of a text in
which each is an input of its module, which the bench holds as it is from clock to clock: it is a constant of any value.
Of a top, the network's own constants are inputs likewise, wherever its text has them; another network's stay.
yosys reads the changed text. Where such a parameter is needed before any clock (a width, an initial value), that fails.
"""

from __future__ import annotations

import re

from edgeml.errors import CheckFailed
from edgeml.network import Network
from edgeml.network.network_file import model_hash

__all__ = ["SYMBOLIC", "axi_text", "module_text", "uart_text"]

SYMBOLIC = {"axi_lite_status": ("MODEL_HASH",), "hil_device": ("TEST_SEED", "TEST_CRC", "HELLO")}
"""Parameters that a library module is proved for every value of."""


def module_text(name: str, text: bytes) -> bytes:
    """The text of `edgeml_NAME` with these parameters as inputs."""
    found = text.decode()
    for parameter in SYMBOLIC.get(name, ()):
        line = re.compile(rf"^    parameter (\[.*?\]) {parameter} = [^,\n]*?(,?) *(?://[^\n]*)?\n", re.MULTILINE)
        match = line.search(found)
        if match is None:
            raise CheckFailed(f"edgeml_{name}", f"has no parameter {parameter}")
        found = found[: match.start()] + found[match.end() :]
        if not match[2]:  # it was the last: the one before has no comma behind it then
            found = re.sub(r",( *//[^\n]*)?\n\) \(", r"\1\n) (", found, count=1)
        found = _with_input(found, f"{match[1]} {parameter}")
    return found.encode()


def axi_text(text: bytes, network: Network) -> bytes:
    """The text of the top with registers for any hash: `MODEL_HASH` is an input in the place of the network's."""
    found = text.decode().replace(f"256'h{model_hash(network)}", "MODEL_HASH")
    return _with_input(_joined(found, "axi_lite_status"), "[255:0] MODEL_HASH").encode()


def uart_text(text: bytes, network: Network) -> bytes:
    """The text of the UART top for any hash, seed and CRC: `MODEL_HASH`, as hello has it, `TEST_SEED` and `TEST_CRC`
    are inputs in the place of the network's."""
    backwards = bytes.fromhex(model_hash(network))[::-1].hex()
    found = text.decode().replace(f"256'h{backwards}", "MODEL_HASH")
    found = re.sub(r"localparam (\[\S+\] HELLO = \{)", r"wire \1", found)
    found = _joined(
        re.sub(r"^ *localparam \[31:0\] TEST_\w+ = 32'h\w+;\n", "", found, flags=re.MULTILINE), "hil_device"
    )
    for declared in ("[31:0] TEST_CRC", "[31:0] TEST_SEED", "[255:0] MODEL_HASH"):
        found = _with_input(found, declared)
    return found.encode()


def _with_input(text: str, declared: str) -> str:
    """A module with one more input, the first of its ports."""
    head = re.compile(r"^(module \w+ (?:#\(.*?\n\) )?\(\n)", re.MULTILINE | re.DOTALL)
    return head.sub(rf"\g<1>    input wire {declared},\n", text, count=1)


def _joined(text: str, name: str) -> str:
    """Each instance of `edgeml_NAME` with what it is given for those parameters at inputs of the same names."""

    def moved(instance: re.Match[str]) -> str:
        given, ports = instance[1], ""
        for parameter in SYMBOLIC[name]:
            match = re.search(rf"\.{parameter}\(((?:[^()]|\([^()]*\))*)\)(,\s*)?", given)
            if match is not None:
                given = given[: match.start()] + given[match.end() :]
                ports += f".{parameter}({match[1]}), "
        given = re.sub(r",(\s*)$", r"\1", given)
        return f"edgeml_{name} #({given}) {instance[2]} ({ports}"

    return re.sub(rf"edgeml_{name} #\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\) (\w+) \(", moved, text)

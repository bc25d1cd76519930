"""The second look at a certificate of a circuit: every claim followed again from the gates and the network, in seconds.

This file shares no code with what writes Verilog or with what proves: it takes the network's definition
(`edgeml.network`), the files of a bundle, and numpy. It looks at each gate in the circuit of the certificate, but not
at the Verilog itself: that the circuit is what the Verilog says is yosys's word, and its hash is compared.
"""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any

from ...network import Network
from ...system.regular_file import read_regular
from .circuit_claims import followed
from .statements import check_file, need

__all__ = ["check_certificate"]

_LARGEST = 2**28


def check_certificate(folder: Path, prover: str) -> dict[str, tuple[int, int]]:
    """Check `proof/PROVER` of a bundle in `folder`; of each place how many claims there are, and how many are proved.

    Raises CheckFailed naming what does not follow; InputError where a file cannot be read.
    """
    return check_file(folder, prover, "circuit", partial(_places, folder, prover))


def _places(
    folder: Path, prover: str, network: Network, files: dict[str, bytes], certificate: dict[str, Any]
) -> dict[str, tuple[int, int]]:
    gates = read_regular(folder / f"proof/{prover}/circuit.json", _LARGEST)
    need(certificate["circuit"] == hashlib.sha256(gates).hexdigest(), "circuit", "is another")
    need(f"rtl/{network.name}_pipeline.v" in files, "artifacts", "lack the pipeline")
    return followed(network, certificate, json.loads(gates))

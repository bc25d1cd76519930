"""Programs of torch.export with torch's own quantizers (pt2e), as `edgeml convert` reads them."""

from __future__ import annotations

from edgeml.frontends.exported_program.program import Program
from edgeml.frontends.mlp import Mlp
from edgeml.network import Network

__all__ = ["QuantizedProgramReader"]

_NAMESPACE = "quantized_decomposed."


class QuantizedProgramReader:
    """Gives the network of integers that such a program states; where only weights are integers, the float MLP."""

    def takes(self, program: Program) -> bool:
        """Whether one of the operators quantizes."""
        return any(name.startswith(_NAMESPACE) for name in program.operators)

    def read(self, program: Program, where: str, name: str) -> Mlp | Network:
        """See `reader.read_quantized_program`."""
        from .reader import read_quantized_program

        return read_quantized_program(program, where, name)

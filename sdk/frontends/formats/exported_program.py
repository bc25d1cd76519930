"""`.pt2` and `torch.export.ExportedProgram`: a model as torch.export saves it."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

from ...errors import InputError
from ...network import Network
from ..exported_program.execution import run_program
from ..exported_program.operators import is_known
from ..exported_program.program import INTEGERS, Program, read_program
from ..exported_program.reader import program_to_mlp, simple_name
from ..format import Reader, Request, program_reader, read_bounded
from ..mlp import Mlp
from ..self_check import check_against_source

__all__ = ["ExportedProgramFormat", "read_archive", "read_foreign", "saved"]

LARGEST_FILE = 2**29


class ExportedProgramFormat(Reader):
    """A file is read without torch and unpickles nothing; an object is saved to memory and read like a file."""

    description: ClassVar[str] = "a model saved by torch.export (.pt2, or the ExportedProgram)"

    def takes(self, request: Request) -> bool:
        """Whether it is a path or an ExportedProgram."""
        torch_export = sys.modules.get("torch.export")
        return request.is_path or (
            torch_export is not None and isinstance(request.source, torch_export.ExportedProgram)
        )

    def read(self, request: Request) -> Mlp | Network:
        """The program as an `Mlp`, checked against the program run by torch in float64; one that quantizes as a
        `Network`."""
        if request.is_path:
            content = read_bounded(request.path, LARGEST_FILE)
            name = request.model_name(request.path.stem)
        else:
            content, name = saved(request.source, request.where), request.model_name()
        return read_archive(content, request.where, name)


def read_archive(content: bytes, where: str, name: str) -> Mlp | Network:
    """The program in the bytes of a `.pt2` file as an `Mlp`, checked against torch; one of other operators than aten's
    as their reader has it."""
    program = read_program(content, where)
    mlp = read_foreign(program, where, name)
    if mlp is None:
        mlp = program_to_mlp(program, where, name)
        check_against_source(mlp, lambda x: run_program(program, x), where, whole=program.input_type in INTEGERS)
    return mlp


def read_foreign(program: Program, where: str, name: str) -> Mlp | Network | None:
    """A program with operators that are not aten's, by the reader that knows them (`edgeml.program_readers`); None if
    there are no such operators, or no such reader."""
    if all(is_known(simple_name(operator)[0]) for operator in program.operators):
        return None
    foreign = program_reader(program)
    return None if foreign is None else foreign.read(program, where, name)


def saved(exported: Any, where: str) -> bytes:
    """The bytes of the `.pt2` file of an ExportedProgram."""
    import io

    import torch

    buffer = io.BytesIO()
    try:
        torch.export.save(exported, buffer)
    except Exception as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else ""
        raise InputError(
            where, f"torch.export cannot save this model ({type(error).__name__}: {first[:300]})"
        ) from error
    return buffer.getvalue()

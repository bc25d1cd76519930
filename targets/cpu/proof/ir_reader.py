"""The text of LLVM's intermediate form, as a compiler's front end writes it: its globals, functions and instructions.

Only what clang makes of generated C is read, before any optimization; anything else raises `Unread`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .ir_line import Line
from .ir_module import Block, Function, Global, Instruction, Module, Unread
from .ir_types import POINTER, Type

__all__ = ["read_module"]

_COMPARISONS = {"eq", "ne", "ugt", "uge", "ult", "ule", "sgt", "sge", "slt", "sle"}
_CASTS = {"zext", "sext", "trunc", "bitcast", "ptrtoint", "inttoptr", "freeze", "sitofp"}
_BINARY = {
    "add",
    "sub",
    "mul",
    "udiv",
    "sdiv",
    "urem",
    "srem",
    "shl",
    "lshr",
    "ashr",
    "and",
    "or",
    "xor",
    "fadd",
    "fsub",
    "fmul",
}


def read_module(text: str) -> Module:
    """Read it. Raises Unread."""
    module = Module()
    function: Function | None = None
    joined = ""
    for raw in text.splitlines():
        line = raw.split(", !", 1)[0] if ' c"' not in raw else raw
        stripped = line.strip()
        if joined:
            joined += " " + stripped
            if stripped.startswith("]"):
                _instruction(joined, function, module)
                joined = ""
            continue
        if not stripped or stripped.startswith(
            (";", "#dbg", "!", "attributes", "source_filename", "target ", "declare")
        ):
            continue
        if function is None:
            function = _outside(line, module)
        elif stripped == "}":
            function = None
        elif label := re.match(r'([\w.$-]+|"[^"]*"):', line):
            function.blocks.append(Block(label[1].strip('"')))
        elif stripped.startswith("switch") and stripped.endswith("["):
            joined = line
        else:
            _instruction(line, function, module)
    return module


def _outside(text: str, module: Module) -> Function | None:
    line = Line(text, module)
    token = line.take()
    if token == "define":
        return _function(line, module)
    if token.startswith("%"):
        line.expect("=")
        line.expect("type")
        module.types[token[1:]] = line.type()
        return None
    if not token.startswith("@"):
        raise Unread(f"something else beside functions: {text[:120]}")
    line.expect("=")
    while line.next not in ("constant", "global"):
        if not line.take():
            raise Unread(f"a global of another kind: {text[:120]}")
    constant = line.take() == "constant"
    found = line.type()
    value = line.value(found)
    alignment = re.search(r", align (\d+)", text[-60:] if len(text) > 60 else text)
    name = token[1:].strip('"')
    module.globals[name] = Global(name, found, value, constant, int(alignment[1]) if alignment else found.alignment)
    return None


def _function(line: Line, module: Module) -> Function:
    while not line.next.startswith("@"):
        if not line.take():
            raise Unread(f"a function without a name: {line.text[:120]}")
    name = line.take()[1:].strip('"')
    line.expect("(")
    parameters: list[tuple[str, Type]] = []
    while not line.accept(")"):
        found = line.type()
        line.attributes()
        parameters.append((line.take()[1:], found))
        line.accept(",")
    # The first block may have no label: it is called by the number behind the parameters'.
    function = Function(name, parameters, [Block(str(len(parameters)))])
    module.functions[name] = function
    return function


def _instruction(text: str, function: Function | None, module: Module) -> None:
    assert function is not None
    line = Line(text, module)
    target = ""
    if line.next.startswith("%") and line.tokens[1:2] == ["="]:
        target = line.take()[1:]
        line.take()
    flags = line.flags()
    kind = line.take()
    found = Instruction(kind, target, flags=flags | line.flags(), text=text.strip())
    try:
        read = _READERS.get(kind)
        if read is None:
            raise Unread(f"instruction {kind!r}")
        read(line, found)
    except Unread as error:  # of no matter, unless it is come to
        found = Instruction("unread", target, text=f"{error}: {text.strip()}")
    if len(function.blocks) > 1 and not function.blocks[0].instructions:
        del function.blocks[0]
    function.blocks[-1].instructions.append(found)


def _read_binary(line: Line, found: Instruction) -> None:
    found.type = line.type()
    found.operands = [line.value(found.type)]
    line.expect(",")
    found.operands.append(line.value(found.type))


def _read_comparison(line: Line, found: Instruction) -> None:
    found.flags |= line.flags()
    found.extra = line.take()
    if found.extra not in _COMPARISONS:
        raise Unread(f"comparison {found.extra!r}")
    _read_binary(line, found)


def _read_cast(line: Line, found: Instruction) -> None:
    type_, operand = line.typed()
    found.types, found.operands = [type_], [operand]
    found.type = type_
    if line.accept("to"):
        found.type = line.type()


def _read_list(line: Line, found: Instruction) -> None:
    """Operands with their types, separated by commas."""
    while line.next:
        type_, operand = line.typed()
        found.types.append(type_)
        found.operands.append(operand)
        if not line.accept(","):
            break
    found.type = found.types[0]


def _read_alloca(line: Line, found: Instruction) -> None:
    found.types, found.type = [line.type()], POINTER
    found.extra = found.types[0].alignment
    while line.accept(","):
        if not line.accept("align"):
            raise Unread(f"memory whose size is not constant: {found.text[:120]}")
        found.extra = int(line.take())


def _alignment(line: Line, otherwise: int) -> int:
    return int(line.take()) if line.accept(",") and line.accept("align") else otherwise


def _read_load(line: Line, found: Instruction) -> None:
    found.flags |= line.flags()
    found.type = line.type()
    line.expect(",")
    found.operands = [line.typed()[1]]
    found.extra = _alignment(line, found.type.alignment)


def _read_store(line: Line, found: Instruction) -> None:
    found.flags |= line.flags()
    type_, value = line.typed()
    line.expect(",")
    found.types, found.operands = [type_], [value, line.typed()[1]]
    found.extra = _alignment(line, type_.alignment)


def _read_address(line: Line, found: Instruction) -> None:
    found.flags |= line.flags()
    pointee = line.type()
    line.expect(",")
    _read_list(line, found)
    found.extra, found.type = pointee, POINTER


def _read_phi(line: Line, found: Instruction) -> None:
    found.type = line.type()
    found.extra = []
    while line.accept("["):
        found.operands.append(line.value(found.type))
        line.expect(",")
        found.extra.append(line.take()[1:])
        line.expect("]")
        line.accept(",")


def _read_branch(line: Line, found: Instruction) -> None:
    if line.accept("label"):
        found.extra = [line.take()[1:]]
        return
    found.operands = [line.typed()[1]]
    found.extra = []
    for _ in range(2):
        line.expect(",")
        line.expect("label")
        found.extra.append(line.take()[1:])


def _read_switch(line: Line, found: Instruction) -> None:
    found.type, operand = line.typed()
    found.operands, found.extra = [operand], []
    line.expect(",")
    line.expect("label")
    otherwise = line.take()[1:]
    line.expect("[")
    while not line.accept("]"):
        _, value = line.typed()
        line.expect(",")
        line.expect("label")
        found.operands.append(value)
        found.extra.append(line.take()[1:])
    found.extra.append(otherwise)


def _read_return(line: Line, found: Instruction) -> None:
    if line.accept("void"):
        return
    found.type, operand = line.typed()
    found.operands = [operand]


def _read_call(line: Line, found: Instruction) -> None:
    while not line.is_type():
        if line.take() == "asm" or not line.next:
            raise Unread(f"a call of another kind: {found.text[:120]}")
        if line.next == "(":
            line.skip_parentheses()
    found.type = line.type()
    if line.next == "asm":
        strings = re.findall(r'asm[^"]*"([^"]*)"', found.text)
        if strings != [""]:
            raise Unread(f"assembly: {found.text[:120]}")
        while line.next != "(":
            line.take()
        found.extra = ""
    else:
        if not line.next.startswith("@"):
            raise Unread(f"a call of what is not a named function: {found.text[:120]}")
        found.extra = line.take()[1:].strip('"')
    line.expect("(")
    while not line.accept(")"):
        type_, operand = line.typed()
        found.types.append(type_)
        found.operands.append(operand)
        line.accept(",")
    if not found.extra and found.operands and (len(found.operands) != 1 or found.types != [found.type]):
        raise Unread(f"assembly that gives something else than it takes: {found.text[:120]}")


def _read_nothing(line: Line, found: Instruction) -> None:
    pass


_READERS: dict[str, Callable[[Line, Instruction], None]] = {
    **dict.fromkeys(_BINARY, _read_binary),
    **dict.fromkeys(_CASTS, _read_cast),
    "icmp": _read_comparison,
    "select": _read_list,
    "extractelement": _read_list,
    "insertelement": _read_list,
    "shufflevector": _read_list,
    "alloca": _read_alloca,
    "load": _read_load,
    "store": _read_store,
    "getelementptr": _read_address,
    "phi": _read_phi,
    "br": _read_branch,
    "switch": _read_switch,
    "ret": _read_return,
    "unreachable": _read_nothing,
    "call": _read_call,
}

"""A line of the text of LLVM's intermediate form: its types and values, taken from the left."""

from __future__ import annotations

import re
from struct import pack, unpack

from .ir_module import POISON, Constant, Local, Module, Operand, Symbol, Unread
from .ir_types import DOUBLE, FLOAT, LABEL, POINTER, VOID, Array, Integer, Struct, Type, Vector

__all__ = ["Line"]

_TOKEN = re.compile(
    r'c"(?:[^"\\]|\\[0-9A-Fa-f]{2}|\\\\)*"|"[^"]*"|[%@](?:[\w.$-]+|"[^"]*")|![\w.]*|#\d+|0x[0-9A-Fa-f]+|-?\d+(?:\.\d+(?:e[+-]?\d+)?)?'
    r"|[A-Za-z_][\w.]*|\.\.\.|[\[\](){}<>,=*:|]"
)
_TYPES = {"void": VOID, "label": LABEL, "ptr": POINTER, "float": FLOAT, "double": DOUBLE}
_REALS: dict[Type, tuple[str, str]] = {FLOAT: ("<f", "<I"), DOUBLE: ("<d", "<Q")}
_FLAGS = {
    "nsw",
    "nuw",
    "exact",
    "inbounds",
    "nneg",
    "disjoint",
    "volatile",
    "samesign",
    "fast",
    "nusw",
    "tail",
    "musttail",
    "notail",
}


class Line:
    """The tokens of one line, taken from the left."""

    def __init__(self, text: str, module: Module) -> None:
        self.text, self.module = text, module
        self.tokens: list[str] = _TOKEN.findall(text)
        self.at = 0

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""

    def accept(self, token: str) -> bool:
        if self.next == token:
            self.at += 1
            return True
        return False

    def expect(self, token: str) -> None:
        if not self.accept(token):
            raise Unread(f"{token!r} is expected: {self.text.strip()[:160]}")

    def skip_parentheses(self) -> None:
        self.expect("(")
        depth = 1
        while depth:
            token = self.take()
            if not token:
                raise Unread(f"no end: {self.text.strip()[:160]}")
            depth += (token == "(") - (token == ")")

    def flags(self) -> frozenset[str]:
        found = set()
        while self.next in _FLAGS:
            found.add(self.take())
        return frozenset(found)

    # Types

    def is_type(self) -> bool:
        token = self.next
        return (
            token in _TYPES
            or bool(re.fullmatch(r"i\d+", token))
            or token in ("<", "[", "{")
            or token[1:] in self.module.types
        )

    def type(self) -> Type:
        token = self.take()
        if token in _TYPES:
            return _TYPES[token]
        if re.fullmatch(r"i\d+", token):
            return Integer(int(token[1:]))
        if token.startswith("%") and token[1:] in self.module.types:
            return self.module.types[token[1:]]
        if token == "{":
            return self._struct("}", packed=False)
        if token == "<" and self.accept("{"):
            found = self._struct("}", packed=True)
            self.expect(">")
            return found
        if token in ("<", "["):
            count = int(self.take())
            self.expect("x")
            element = self.type()
            self.expect(">" if token == "<" else "]")
            return Vector(count, element) if token == "<" else Array(count, element)
        raise Unread(f"a type of another kind, {token!r}: {self.text.strip()[:160]}")

    def _struct(self, end: str, packed: bool) -> Struct:
        members: list[Type] = []
        while not self.accept(end):
            members.append(self.type())
            self.accept(",")
        return Struct(tuple(members), packed)

    # Values

    def value(self, type_: Type) -> Operand:
        token = self.take()
        if token.startswith("%"):
            return Local(token[1:])
        if token.startswith("@"):
            return Symbol(token[1:].strip('"'))
        if token in ("undef", "poison"):
            return Constant(POISON)
        if token in ("zeroinitializer", "null"):
            return Constant(None)
        if token in ("true", "false"):
            return Constant(int(token == "true"))
        if type_ in _REALS:
            return Constant(_real(token, type_))
        if re.fullmatch(r"-?\d+", token):
            return Constant(int(token))
        if token.startswith('c"'):
            return Constant(_bytes(token[2:-1]))
        if token == "splat" and isinstance(type_, Vector):
            self.expect("(")
            element = self.typed()[1]
            self.expect(")")
            return Constant([element] * type_.count)
        if token in ("<", "[", "{"):
            return self._elements(token)
        if token == "getelementptr":
            return self._address()
        raise Unread(f"a value of another kind, {token!r}: {self.text.strip()[:160]}")

    def _elements(self, token: str) -> Constant:
        packed = token == "<" and self.accept("{")
        end = "}" if packed else {"<": ">", "[": "]", "{": "}"}[token]
        found = []
        while not self.accept(end):
            found.append(self.typed()[1])
            self.accept(",")
        if packed:
            self.expect(">")
        return Constant(found)

    def _address(self) -> Symbol:
        self.flags()
        self.expect("(")
        pointee = self.type()
        found = []
        while self.accept(","):
            found.append(self.typed()[1])
        self.expect(")")
        base, *places = found
        if not isinstance(base, Symbol) or not all(isinstance(place, Constant) for place in places):
            raise Unread(f"an address of another kind: {self.text.strip()[:160]}")
        return Symbol(base.name, base.offset + _offset(pointee, [int(place.value or 0) for place in places]))  # type: ignore[union-attr]

    def attributes(self) -> int:
        """Skips attributes of a parameter or result; its alignment."""
        alignment = 0
        while self.next and not self.next.startswith(("%", "@", 'c"')) and self.next not in (",", ")", "<", "[", "{"):
            if self.next == "align":
                self.take()
                alignment = int(self.take())
            elif (
                re.fullmatch(r"[a-z_]+", self.next)
                and self.next
                not in ("null", "undef", "poison", "zeroinitializer", "true", "false", "splat", "getelementptr")
                and not self.is_type()
            ):
                self.take()
                if self.next == "(":
                    self.skip_parentheses()
            else:
                break
        return alignment

    def typed(self) -> tuple[Type, Operand]:
        found = self.type()
        self.attributes()
        return found, self.value(found)


def _real(token: str, type_: Type) -> int:
    """The bits of a number, which the text gives in decimals or as those of a float64."""
    if token.startswith("0x"):
        (real,) = unpack("<d", pack("<Q", int(token, 16)))
    else:
        real = float(token)
    code, integer = _REALS[type_]
    return int(unpack(integer, pack(code, real))[0])


def _bytes(text: str) -> bytes:
    found = bytearray()
    at = 0
    while at < len(text):
        if text[at] == "\\" and text[at + 1] == "\\":
            found.append(ord("\\"))
            at += 2
        elif text[at] == "\\":
            found.append(int(text[at + 1 : at + 3], 16))
            at += 3
        else:
            found.append(ord(text[at]))
            at += 1
    return bytes(found)


def _offset(pointee: Type, places: list[int]) -> int:
    """Bytes that constant places lie behind an address."""
    at, rest = places[0] * pointee.bytes, pointee
    for place in places[1:]:
        if isinstance(rest, Struct):
            at, rest = at + rest.offset(place), rest.members[place]
        elif isinstance(rest, Array | Vector):
            rest = rest.element
            at += place * rest.bytes
        else:
            raise Unread("an address within something that has no parts")
    return at

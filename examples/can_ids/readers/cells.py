"""Rows of cells as programs write them: which character parts them, quotes, and numbers in either base."""

from __future__ import annotations

import csv
import re

from edgeml.errors import printable

from .lines import problem

__all__ = ["LARGEST_EXTENDED", "LARGEST_STANDARD", "Base", "cells_of", "length_of", "name_of", "separator_of"]

LARGEST_STANDARD = 0x7FF
LARGEST_EXTENDED = 0x1FFF_FFFF
_LONGEST_NAME = 64
_LENGTH = re.compile(r"0{0,8}([0-8])(\.0{0,8})?", re.ASCII)
_HEXADECIMAL = re.compile(r"(0[xX])?([0-9a-fA-F]{1,16})", re.ASCII)
_DECIMAL = re.compile(r"([0-9]{1,10})(\.0{0,8})?", re.ASCII)


def separator_of(line: str) -> str:
    """The character that parts the cells of a line: semicolon, tab or comma, whichever occurs most."""
    return max(";\t,", key=line.count)


def cells_of(line: str, separator: str) -> list[str]:
    """The cells of a line without quotes and outer spaces; ValueError where quotes do not close."""
    if '"' not in line:
        return [cell.strip() for cell in line.split(separator)]
    try:
        row = next(csv.reader([line], delimiter=separator, strict=True, skipinitialspace=True))
    except csv.Error as error:
        raise ValueError(f"has cells whose quotes do not close ({error})") from None
    return [cell.strip() for cell in row]


def length_of(text: str) -> int:
    """A DLC; ValueError where it is none."""
    match = _LENGTH.fullmatch(text)
    if match is None:
        raise problem(text, "a DLC of 0 … 8")
    return int(match[1])


def name_of(text: str, what: str) -> str:
    """A name that may be printed; ValueError naming `what` where it is none."""
    if not text or len(text) > _LONGEST_NAME or printable(text) != text:
        raise problem(text, f"the name of a {what}")
    return text


class Base:
    """How the numbers of a file are written.

    Parameters
    ----------
    decimal : base 10, where whole numbers may end in `.0`; else base 16, with or without 0x.
    """

    def __init__(self, decimal: bool) -> None:
        self.decimal = decimal
        texts = [(f"{value:x}", f"{value:02x}", f"0x{value:02x}") for value in range(256)]
        if decimal:
            texts = [(f"{value}", f"{value:03}", f"{value}.0") for value in range(256)]
        self._bytes = {text: value for value, row in enumerate(texts) for text in row}

    def number(self, text: str, most: int, what: str) -> int:
        """A number of at most `most`; ValueError naming `what` where it is none."""
        match = (_DECIMAL if self.decimal else _HEXADECIMAL).fullmatch(text)
        value = -1 if match is None else int(match[1]) if self.decimal else int(match[2], 16)
        if not 0 <= value <= most:
            kind, last = ("decimal", str(most)) if self.decimal else ("hexadecimal", f"{most:X}")
            raise ValueError(f"{what} {printable(text, 30)!r} is not a {kind} number up to {last}")
        return value

    def byte(self, text: str) -> int:
        """A data byte; ValueError where it is none."""
        value = self._bytes.get(text.lower())
        return self.number(text, 255, "data byte") if value is None else value

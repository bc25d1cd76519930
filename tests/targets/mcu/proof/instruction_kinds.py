"""Instructions of each kind that proofs know, with random fields: patterns of bits for Thumb and RV32IMC.

A letter stands for a field: d n m a t e are registers that may be anything; b is one that holds an address, o one that
holds a small number; any other letter is any bits. Spaces are of no matter.
"""

from __future__ import annotations

import numpy as np

__all__ = ["ADDRESS", "OFFSET", "RISCV", "THUMB", "THUMB_M0", "THUMB_M3", "Pattern", "encoded"]

ADDRESS, OFFSET = 6, 7
"""Registers that hold an address in the middle of memory, and a small number."""
Pattern = str

_SHIFTS = {f"shift {k}": f"000{k:02b} iiiii nnn ddd" for k in range(3)}
_ALU = {f"alu {k}": f"010000 {k:04b} nnn ddd" for k in range(16)}
_MEMORY = {f"by register {k}": f"0101 {k:03b} ooo bbb ttt" for k in range(8)}
_MEMORY |= {f"by number {k}": f"{k:05b} iiiii bbb ttt" for k in range(12, 18)}
_EXTEND = {f"extend {k}": f"10110010 {k:02b} nnn ddd" for k in range(4)}
THUMB_M0: dict[str, Pattern] = {
    **_SHIFTS, **_ALU, **_MEMORY, **_EXTEND,
    "add, sub": "00011 i s nnn mmm ddd", "mov": "00100 ddd iiiiiiii", "cmp": "00101 ddd iiiiiiii",
    "add number": "00110 ddd iiiiiiii", "sub number": "00111 ddd iiiiiiii", "add high": "01000100 0 nnnn ddd",
    "cmp high": "01000101 0 nnnn ddd", "mov high": "01000110 0 nnnn ddd", "from code": "01001 ttt iiiiiiii",
    "address": "10100 ddd iiiiiiii", "from stack": "10011 ttt 0iiiiiii", "to stack": "10010 ttt 0iiiiiii",
    "stack's address": "10101 ddd iiiiiiii", "stack": "10110000 s 000iiii", "push": "1011010 0 lllllll1",
    "pop": "1011110 0 lllllll1", "store many": "11000 110 l0llllll", "load many": "11001 110 l0llllll",
    "branch": "11100 iiiiiiiiiii", "hint": "10111111 0000 0000",
    **{f"branch if {k}": f"1101 {k:04b} iiiiiiii" for k in range(14)},
}  # fmt: skip
_OPERATIONS = (0, 1, 2, 3, 4, 8, 10, 11, 13, 14)
_LOADS = [(s, z, load) for load in (0, 1) for s in (0, 1) for z in (0, 1, 2) if not s or (load and z < 2)]
THUMB: dict[str, Pattern] = {
    **THUMB_M0,
    "branch if zero": "1011 s0 i1 iiiii ddd",
    **{f"number {k}": f"11110 i 0 {k:04b} s nnnn 0iii dddd iiiiiiii" for k in _OPERATIONS},
    **{f"shifted {k}": f"1110101 {k:04b} s nnnn 0iii dddd jj 0 q mmmm" for k in _OPERATIONS},
    **{f"turned {k}": f"1110101 {k:04b} s nnnn 0iii dddd 1j 1 q mmmm" for k in _OPERATIONS},
    "halves": "111010101100 nnnn 0iii dddd iiq0 mmmm",
    "add 12 bits": "11110 i 100000 nnnn 0iii dddd iiiiiiii", "sub 12 bits": "11110 i 101010 nnnn 0iii dddd iiiiiiii",
    "mov 16 bits": "11110 i 100100 iiii 0iii dddd iiiiiiii", "mov top": "11110 i 101100 iiii 0iii dddd iiiiiiii",
    "signed saturation": "1111001100 q 0 nnnn 0i01 dddd 01 0 jjjjj",
    "unsigned saturation": "1111001110 q 0 nnnn 0i01 dddd 01 0 jjjjj",
    "signed field": "111100110100 nnnn 00i0 dddd i0 0 0jjjj",
    "unsigned field": "111100111100 nnnn 00i0 dddd i0 0 0jjjj",
    "field inserted": "111100110110 nnnn 00i0 dddd i0 0 1jjjj",
    "field cleared": "111100110110 1111 00i0 dddd i0 0 1jjjj",
    "multiply": "111110110000 nnnn aaaa dddd 0000 mmmm", "product": "111110110000 nnnn 1111 dddd 0000 mmmm",
    "subtract product": "111110110000 nnnn aaaa dddd 0001 mmmm",
    **{f"halves multiplied {k}": f"1111101100{k:02b} nnnn aaaa dddd 00{'ij' if k == 1 else '0j'} mmmm" for k in (1, 2)},
    **{f"halves' product {k}": f"1111101100{k:02b} nnnn 1111 dddd 00{'ij' if k == 1 else '0j'} mmmm" for k in (1, 2)},
    "halves subtracted": "111110110100 nnnn aaaa dddd 000j mmmm", "distances": "111110110111 nnnn aaaa dddd 0000 mmmm",
    "upper word": "111110110101 nnnn aaaa dddd 000j mmmm", "upper word taken": "111110110110 nnnn aaaa dddd 000j mmmm",
    "upper word alone": "111110110101 nnnn 1111 dddd 000j mmmm",
    **{f"long product {k}": f"111110111{k:03b} nnnn tttt eeee 0000 mmmm" for k in (0, 2, 4, 6)},
    **{f"shift by register {k}": f"111110100 {k:02b} s nnnn 1111 dddd 0000 mmmm" for k in range(4)},
    **{f"extend and add {k}": f"111110100 {k:03b} nnnn 1111 dddd 10ii mmmm" for k in range(6)},
    **{f"extend wide {k}": f"111110100 {k:03b} 1111 1111 dddd 10ii mmmm" for k in range(6)},
    **{
        f"parallel {k} {how}": f"111110101 {k:03b} nnnn 1111 dddd 0 {how:03b} mmmm"
        for k in (0, 1, 4, 5) for how in (0, 4, 5)
    },
    "select": "111110101010 nnnn 1111 dddd 1000 mmmm", "leading zeros": "111110101011 mmmm 1111 dddd 1000 mmmm",
    **{f"12 bits {k}": "1111100 {} 1 {:02b} {} bbbb tttt iiiiiiiiiiii".format(*k) for k in _LOADS},
    **{f"before {k}": "1111100 {} 0 {:02b} {} bbbb tttt 11qw iiiiiiii".format(*k) for k in _LOADS},
    **{f"behind {k}": "1111100 {} 0 {:02b} {} bbbb tttt 10q1 iiiiiiii".format(*k) for k in _LOADS},
    **{f"register {k}": "1111100 {} 0 {:02b} {} bbbb tttt 000000 ii oooo".format(*k) for k in _LOADS},
    "load two": "1110100 1q1w1 bbbb tttt eeee iiiiiiii", "store two": "1110100 1q1w0 bbbb tttt eeee iiiiiiii",
    "load two behind": "1110100 0q111 bbbb tttt eeee iiiiiiii",
    "load many wide": "111010001 0w1 bbbb 000 lllll00llllll",
    "store many wide": "111010001 0w0 bbbb 000 lllll00llllll", "load many down": "111010010 0w1 bbbb 000 lllll00llllll",
    "store many down": "111010010 0w0 bbbb 000 lllll00llllll",
    "branch wide": "11110 0 0000000000 10 1 1 1 iiiiiiiiiii",
    "branch wide back": "11110 1 1111111111 10 1 1 1 iiiiiiiiiii",
    "call": "11110 0 0000000000 11 1 1 1 iiiiiiiiiii", "call back": "11110 1 1111111111 11 1 1 1 iiiiiiiiiii",
    **{f"branch wide if {k}": f"11110 0 {k:04b} 000000 10 0 0 0 iiiiiiiiiii" for k in range(14)},
    **{f"branch wide back if {k}": f"11110 1 {k:04b} 111111 10 1 0 1 iiiiiiiiiii" for k in range(14)},
}  # fmt: skip
_DSP = (
    "parallel",
    "select",
    "halves",
    "upper word",
    "distances",
    "extend and add 2",
    "extend and add 3",
    "extend wide 2",
    "extend wide 3",
)
THUMB_M3 = {name: pattern for name, pattern in THUMB.items() if not name.startswith(_DSP)}
_REGISTER = [(0, 0), (0, 32), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (5, 32), (6, 0), (7, 0), (0, 1), (1, 1), (3, 1)]
RISCV: dict[str, Pattern] = {
    **{f"register {f} {g}": f"{g:07b} mmmmm nnnnn {f:03b} ddddd 0110011" for f, g in _REGISTER},
    **{f"number {f}": f"iiiiiiiiiiii nnnnn {f:03b} ddddd 0010011" for f in (0, 2, 3, 4, 6, 7)},
    **{f"shift {f} {g}": f"{g:07b} iiiii nnnnn {f:03b} ddddd 0010011" for f, g in ((1, 0), (5, 0), (5, 32))},
    "lui": "iiiiiiiiiiiiiiiiiiii ddddd 0110111", "auipc": "iiiiiiiiiiiiiiiiiiii ddddd 0010111",
    **{f"load {f}": f"iiiiiiiiiiii bbbbb {f:03b} ddddd 0000011" for f in (0, 1, 2, 4, 5)},
    **{f"store {f}": f"iiiiiii mmmmm bbbbb {f:03b} iiiii 0100011" for f in (0, 1, 2)},
    **{f"branch {f}": f"iiiiiii mmmmm nnnnn {f:03b} iiiii 1100011" for f in (0, 1, 4, 5, 6, 7)},
    "jump": "0 0iiiiiiiii 0 00000000 ddddd 1101111", "jump back": "1 1iiiiiiiii 1 11111111 ddddd 1101111",
    **{f"compressed 1 {f}": f"{f:03b} iiiiiiiiiii 01" for f in range(8)},
    **{f"compressed 0 {f}": f"{f:03b} iii 110 ii ttt 00" for f in (2, 6)}, "compressed address": "000 iiiiiiii ttt 00",
    "compressed shift": "000 0 ddddd iiiii 10", "compressed from stack": "010 0 ddddd iiiii 10",
    "compressed to stack": "110 0iiiii mmmmm 10", "compressed move": "1000 ddddd mmmmm 10",
    "compressed add": "1001 ddddd mmmmm 10",
}  # fmt: skip


def encoded(pattern: Pattern, riscv: bool, rng: np.random.Generator) -> bytes:
    """One instruction of a pattern."""
    bits = pattern.replace(" ", "")
    for letter in set(bits) - set("01"):
        count = bits.count(letter)
        if letter in "bo":
            number = ADDRESS if letter == "b" else OFFSET
            number += 8 if riscv and count == 5 else 0
        elif letter in "dnmate":
            number = int(rng.choice([k for k in range(32 if riscv else 13) if k < 1 << count and _free(k, riscv)]))
        else:
            number = int(rng.integers(1 << count))
        for digit in f"{number:0{count}b}":
            bits = bits.replace(letter, digit, 1)
    word = int(bits, 2)
    if len(bits) == 16:
        return word.to_bytes(2, "little")
    return (
        word.to_bytes(4, "little")
        if riscv
        else (word >> 16).to_bytes(2, "little") + (word & 65535).to_bytes(2, "little")
    )


def _free(register: int, riscv: bool) -> bool:
    """Whether a register may be written: not the address, which an instruction may change of itself."""
    return register not in ((ADDRESS + 8, OFFSET + 8, 2) if riscv else (ADDRESS, OFFSET))

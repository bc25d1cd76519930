"""Operations on words of single bits give, of every byte, what the same operations give on constants."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.targets.cpu.proof.numbers import Numbers, Stopped
from edgeml.targets.cpu.proof.sliced.bits import LITERAL, Bits
from edgeml.targets.cpu.proof.sliced.gates import VALUES
from edgeml.targets.cpu.proof.sliced.numbers import BitNumbers

INPUTS = 2


def drawn_words(numbers: BitNumbers) -> list[Bits]:
    """A byte of each input, of sample 1."""
    tables = [sum(1 << value for value in range(VALUES) if value >> k & 1) for k in range(8)]
    return [Bits([1 << 32 | numbers.gates.of_input(source, table) for table in tables]) for source in range(INPUTS)]


def value_of(numbers: BitNumbers, word, width: int, inputs) -> int:
    """A word where the inputs have these values."""
    bits = numbers.bits_of(word, width)
    columns = numbers.gates.columns(lambda source, table: table >> inputs[source] & 1, 1)
    known = [each if each <= 1 else columns[(each & LITERAL) >> 1] ^ (each & 1) for each in bits]
    return sum(bit << k for k, bit in enumerate(known))


def operation(generator, bits: int):
    """One of LLVM's operations, and its second operand where that is a constant; None for another word."""
    name = str(
        generator.choice(["add", "sub", "mul", "and", "or", "xor", "shl", "lshr", "ashr", "select", "slt", "eq"])
    )
    if name in ("shl", "lshr", "ashr"):
        return name, int(generator.integers(0, bits))
    return name, int(generator.integers(0, 1 << 8)) if name == "mul" or generator.random() < 0.4 else None


def made(numbers: Numbers, name: str, bits: int, a, b):
    """What an operation gives."""
    if name == "select":
        return numbers.select(numbers.compare("ult", bits, a, b), bits, a, b)
    if name in ("slt", "eq"):
        return numbers.cast("zext", 1, bits, numbers.compare(name, bits, a, b))
    return numbers.binary(name, bits, a, b)


@pytest.mark.parametrize("bits", [32, 64])
def test_operations_give_what_they_give_on_constants(bits: int) -> None:
    generator = np.random.default_rng(bits)
    for _ in range(10):
        numbers = BitNumbers()
        plan, words = [], [numbers.cast("zext", 8, bits, each) for each in drawn_words(numbers)]
        for _ in range(6):
            name, constant = operation(generator, bits)
            first, second = generator.integers(0, len(words), 2).tolist()
            plan.append((name, first, second, constant))
            words.append(made(numbers, name, bits, words[first], words[second] if constant is None else constant))
        for inputs in ([0, 0], [255, 255], *generator.integers(0, 256, (4, INPUTS)).tolist()):
            plain = list(inputs)
            for name, first, second, constant in plan:
                plain.append(made(numbers, name, bits, plain[first], plain[second] if constant is None else constant))
            assert [value_of(numbers, word, bits, inputs) for word in words] == plain, plan


def test_bits_of_two_samples_come_apart_again_and_are_not_known_otherwise() -> None:
    numbers = BitNumbers()
    (a, _), pair = drawn_words(numbers), numbers.store.pair
    one, other = a.ids[0], a.ids[1] + (1 << 32)
    mixed = pair("xor", one, other)
    assert pair("xor", mixed, one) == other
    assert pair("xor", numbers.store.inverted(mixed), other) == one ^ 1
    assert pair("and", one, other) != pair("and", one, other)  # each is a bit of which nothing is known
    assert pair("and", mixed, 1) == mixed


def test_functions_of_three_words_are_those_of_their_bits() -> None:
    numbers, generator = BitNumbers(), np.random.default_rng(3)
    a, b = drawn_words(numbers)
    for table in generator.integers(0, 256, 20).tolist():
        for constant in (0, 255, 0x5A):
            found = numbers.function_of_three(table, a, constant, b)
            for inputs in generator.integers(0, 256, (3, INPUTS)).tolist():
                rows = [4 * (inputs[0] >> k & 1) + 2 * (constant >> k & 1) + (inputs[1] >> k & 1) for k in range(8)]
                assert value_of(numbers, found, 8, inputs) == sum((table >> row & 1) << k for k, row in enumerate(rows))


def test_what_may_wrap_is_not_said_not_to() -> None:
    numbers = BitNumbers()
    (a, _) = drawn_words(numbers)
    wide = numbers.cast("zext", 8, 32, a)
    numbers.binary("mul", 32, wide, 1 << 22, frozenset({"nsw"}))
    assert (numbers.broken, numbers.obligations) == ([], 1)
    numbers.binary("mul", 32, wide, 1 << 24, frozenset({"nsw"}))
    assert numbers.broken == ["signed overflow of mul in "]
    with pytest.raises(Stopped, match="32 bits by 32"):
        numbers.binary("shl", 32, wide, 32)

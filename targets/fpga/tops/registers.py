"""The map of the registers on AXI4-Lite, as `edgeml_axi_lite_status.v` has it: for descriptions that tools read."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ADDRESS_BITS", "Register", "registers"]

ADDRESS_BITS = 7
_HASH_WORDS = 8


@dataclass(frozen=True)
class Register:
    """A register of 32 bits.

    Parameters
    ----------
    name, offset : its name, and its first byte's address. writable : whether it can be written, too. text : what it
    holds. reset : its value after a reset, or None where there is none to promise.
    """

    name: str
    offset: int
    writable: bool
    text: str
    reset: int | None = 0


def registers(model_hash: str, classes: bool) -> list[Register]:
    """All registers of a design, by address. model_hash : 64 digits. classes : whether it has the argmax unit."""
    words = [int(model_hash[8 * word : 8 * word + 8], 16) for word in range(_HASH_WORDS)]
    found = [
        Register("magic", 0x00, False, "EDML in ASCII", 0x45444D4C),
        Register("version", 0x04, False, "of this map", 3),
        Register("control", 0x08, True, "writing 1 to bit 0 sets every counter to zero and forgets the last class"),
        Register("clocks", 0x0C, False, "clocks since a reset", None),
        *(
            Register(f"model_hash_{word}", 0x10 + 4 * word, False, "eight digits of the model's sha256", value)
            for word, value in enumerate(words)
        ),
        Register("in_words", 0x30, False, "words taken on the input"),
        Register("in_frames", 0x34, False, "frames let through to the network"),
        Register("out_words", 0x38, False, "words given on the output"),
        Register("out_frames", 0x3C, False, "frames given by the network"),
        Register("in_stalls", 0x40, False, "clocks with an input offered and not taken"),
        Register("out_stalls", 0x44, False, "clocks with an output offered and not taken"),
        Register("interrupt_enable", 0x54, True, "a bit for each interrupt: frame, watched class, packet in error"),
        Register("interrupt_pending", 0x58, True, "write 1s to clear"),
        Register("frames", 0x5C, True, "frames of a packet, 1 to 65535; a write restarts the design", 1),
        Register("errors", 0x60, True, "ended early or lacked bytes, ran on, halted; write 1s to clear"),
        Register("failures", 0x64, False, "packets in error"),
    ]
    if classes:
        found += [
            Register("class", 0x48, False, "class of the last frame given", 0xFFFFFFFF),
            Register("watched_class", 0x4C, True, "the class that is watched"),
            Register("watched_frames", 0x50, False, "frames given of the watched class"),
        ]
    return sorted(found, key=lambda register: register.offset)

"""What the clock registers of the STM32F100 and F4 families have in common (RM0041 and RM0090: RCC_CR, RCC_CFGR)."""

from __future__ import annotations

__all__ = ["clock_control", "clock_switch"]


def clock_control(written: int) -> int:
    """RCC_CR as it reads: the internal oscillator runs and is ready, the PLL is ready as soon as it is on."""
    on = written | 1
    return on | (on & 1) << 1 | (on >> 24 & 1) << 25


def clock_switch(written: int, control: int) -> int:
    """RCC_CFGR as it reads: SWS is the source that SW asks for, once that is ready (0: internal, 2: the PLL).

    control : what was written to RCC_CR.
    """
    wanted = written & 3
    ready = {0: True, 2: bool(control >> 24 & 1)}.get(wanted, False)
    return written & ~0xC | (wanted << 2 if ready else 0)

"""The reference of the command line is what the command line says."""

from __future__ import annotations

from docs.commandline import PAGE, command_line_page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == command_line_page(), "run: python -m docs.commandline"


def test_it_has_every_command_and_option() -> None:
    page = command_line_page()
    for word in ("### Form quantized", "A whole number in 1 … 8. Default: 8.", "### Targets of kind fpga"):
        assert word in page
    for word in ("## edgeml convert", "## edgeml explore", "`--layer-bits` `LAYER=BITS,…`", "`--open`", "Required."):
        assert word in page

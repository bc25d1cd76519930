"""Which names can be identifiers in Verilog, and which texts comments: what comes from a user is checked here."""

from __future__ import annotations

import re

from edgeml.errors import InputError, printable

__all__ = ["comment_text", "identifier", "string_literal"]

_WORDS = (
    # Verilog-2005
    "always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign default defparam "
    "design disable edge else end endcase endconfig endfunction endgenerate endmodule endprimitive endspecify endtable "
    "endtask event for force forever fork function generate genvar highz0 highz1 if ifnone incdir include initial "
    "inout input instance integer join large liblist library localparam macromodule medium module nand negedge nmos "
    "nor noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1 pulldown pullup "
    "pulsestyle_ondetect pulsestyle_onevent rcmos real realtime reg release repeat rnmos rpmos rtran rtranif0 "
    "rtranif1 scalared showcancelled signed small specify specparam strong0 strong1 supply0 supply1 table task time "
    "tran tranif0 tranif1 tri tri0 tri1 triand trior trireg unsigned use uwire vectored wait wand weak0 weak1 while "
    "wire wor xnor xor "
    # SystemVerilog, as which some tools read every file
    "accept_on alias always_comb always_ff always_latch assert assume before bind bins binsof bit break byte chandle "
    "checker class clocking const constraint context continue cover covergroup coverpoint cross dist do endchecker "
    "endclass endclocking endgroup endinterface endpackage endprogram endproperty endsequence enum eventually expect "
    "export extends extern final first_match foreach forkjoin global iff ignore_bins illegal_bins implements implies "
    "import inside int interconnect interface intersect join_any join_none let local logic longint matches modport "
    "nettype new nexttime null package packed priority program property protected pure rand randc randcase "
    "randsequence ref reject_on restrict return s_always s_eventually s_nexttime s_until s_until_with sequence "
    "shortint shortreal soft solve static string strong struct super sync_accept_on sync_reject_on tagged this "
    "throughout timeprecision timeunit type typedef union unique unique0 until until_with untyped var virtual void "
    "wait_order weak wildcard with within"
)
_KEYWORDS = frozenset(_WORDS.split())
_DIRECTIVE = re.compile(r"\s*(verilator|synopsys\b|synthesis\b|pragma\b|translate_(on|off)\b)", re.IGNORECASE)


def identifier(name: str) -> str:
    """`name` itself, if it can be declared; InputError if it is a keyword or holds more than letters, digits and _."""
    if not (name.isascii() and name.isidentifier()) or name in _KEYWORDS:
        raise InputError(f"Verilog name {printable(name)!r}", "is a keyword, or not made of letters, digits and _")
    return name


def comment_text(text: str) -> str:
    """`text` as the words of a `//` comment; what tools would take for a directive to them is led by a word.

    InputError if it is not one line of printable characters: the next line would be Verilog.
    """
    if not text.isprintable() or text.endswith("\\"):
        raise InputError(f"Verilog comment {printable(text)!r}", "must be one line of printable characters")
    return f"Note: {text}" if _DIRECTIVE.match(text) else text


def string_literal(text: str) -> str:
    """`text` between quotes; InputError if it holds a quote, a backslash or what cannot be printed."""
    if not text.isprintable() or '"' in text or "\\" in text:
        raise InputError(f"Verilog string {printable(text)!r}", "must be printable, without quotes and backslashes")
    return f'"{text}"'

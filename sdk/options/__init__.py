"""Options of a conversion: declared once by the form or the target that takes them.

From a declaration (`Option`) come the flag on the command line and its help, the page in the documentation, the checks
of `edgeml.convert(options=…)` with their errors, and the values that `edgeml explore` tries.

Read in this order: `kinds` (what a value may be, and how it is read), `option` (a declaration), `checking` (what a user
gave, held against the declarations), `installed` (the declarations of all installed forms and targets).
"""

from .checking import Owner, check_options, owner_of, read_values
from .kinds import Choice, Flag, Kind, Real, Structured, Text, Whole
from .option import Option, TakesOptions

__all__ = [
    "Choice",
    "Flag",
    "Kind",
    "Option",
    "Owner",
    "Real",
    "Structured",
    "TakesOptions",
    "Text",
    "Whole",
    "check_options",
    "owner_of",
    "read_values",
]

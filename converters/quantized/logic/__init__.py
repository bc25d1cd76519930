"""Networks of Boolean functions of few inputs (`--neurons logic`), trained by distillation from a float model.

Read in this order: `inputs` (features as bits), `functions` (a layer that learns its tables and its wiring),
`model` (layers and read-out), `lesson` (samples and what the float model says of them), `training` (the loop and its
stopping rule), `integers` (what was learned as an integer network), `conversion` (all of it).
"""

from .conversion import convert_to_logic

__all__ = ["convert_to_logic"]

"""What the device's side of hardware in the loop holds beside the rest where the network adapts."""

from __future__ import annotations

from edgeml.network import Network

__all__ = ["learning_values"]

_LEARN = """
static int32_t adapted_learn(void *state, const uint8_t *input, int32_t label, void *memory)
{
    return @NAME@_learn((@NAME@_state *)state, (const @CTYPE@ *)(const void *)input, label, memory);
}

static int32_t adapted_rehearse(void *state)
{
    return @NAME@_rehearse((@NAME@_state *)state);
}
"""
_CALIBRATE = """
static int32_t adapted_calibrate(void *state, const uint8_t *input, void *memory)
{
    return @NAME@_calibrate((@NAME@_state *)state, (const @CTYPE@ *)(const void *)input, memory);
}
"""
_OPENING = '#include "@NAME@_adaptation.h"\n#define EDGEML_HIL_LEARNS\n'
_STARTS = "    edgeml_hil_learning_starts(&adaptation, &adapted_state, adapted_image);\n"


def learning_values(network: Network, functions: str) -> dict[str, str]:
    """What stands for the places of `hil.c.in` that are of learning: nothing, if nothing adapts.

    functions : the text of `hil_learning.c.in`. The values hold names that others stand for: fill these in first.
    """
    adaptation = network.adaptation
    if adaptation is None:
        return dict.fromkeys(("LEARNING", "LEARNING_FUNCTIONS", "LEARNING_STARTS", "STATE_ROOM"), "")
    learns, calibrates = adaptation.last_layer is not None, adaptation.offsets is not None
    parts = {
        "LEARN_FUNCTIONS": _LEARN if learns else "",
        "CALIBRATE_FUNCTION": _CALIBRATE if calibrates else "",
        "LEARN": "adapted_learn" if learns else "NULL",
        "REHEARSE": "adapted_rehearse" if learns else "NULL",
        "CALIBRATE": "adapted_calibrate" if calibrates else "NULL",
    }
    functions = functions.partition("\n")[2]  # the licence stands at the top of the file that they go into
    for key, value in parts.items():
        functions = functions.replace(f"@{key}@", value)
    # A request that loads a state must fit the buffer, whatever samples do.
    room = " + @MACRO@_STATE_BYTES"
    return {"LEARNING": _OPENING, "LEARNING_FUNCTIONS": functions, "LEARNING_STARTS": _STARTS, "STATE_ROOM": room}

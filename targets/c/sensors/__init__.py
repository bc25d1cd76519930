"""What stands around a network in a sensor, in C files of their own: input integers of real numbers (`floats`) and of
raw counts (`counts`), windows of frames (`frame_ring`), probabilities of outputs (`probabilities`).

Read in this order: `floats` (`<name>_sensor.[ch]`), `counts` (what counts stand for, and the integers that follow from
it), `counts_text` (`<name>_counts.[ch]`).
"""

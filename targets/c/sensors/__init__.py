"""From what sensors give to input integers, in C files of their own: `floats` of real numbers, `counts` of raw counts.

Read in this order: `floats` (`<name>_sensor.[ch]`), `counts` (what counts stand for, and the integers that follow from
it), `counts_text` (`<name>_counts.[ch]`).
"""

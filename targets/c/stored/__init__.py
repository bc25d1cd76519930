"""What the bytes of generated C's constants mean: the integers that a stage computes with whatever they hold.

`meaning.py` says what a layer or kernel states of its constants; `sums.py` and `comparisons.py` are the arithmetic of
packed weights and of thresholds; `network.py` puts the stages together. It is the definition that flipped memory is
held against.
"""

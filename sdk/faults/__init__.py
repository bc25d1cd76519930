"""What flipped bits of memory do to a network: drawn, computed as its artifact computes them, and told.

`stored_form.py` says what a target must offer: the bytes as they lie in memory, what the network gives with any of them
flipped, and the artifact itself with the same bytes. `flips.py` draws, `curve.py` finds accuracy over rates,
`worst_bits.py` the single bits that do most harm, `bundle_faults.py` does all for `edgeml verify --faults`.
"""

"""Networks of torchlogix and torch-dwn, read from the live module into integers: bits, Boolean functions, sums.

`parts` has what a module can be for edgeml, `torchlogix` and `torch_dwn` find it in the modules of each package,
`levels` finds integers on which comparisons with real thresholds come out alike, `reader` puts the network together and
holds it against the module.
"""

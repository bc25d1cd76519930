"""What the `forward` of a module with snnTorch neurons computes: it is run under a recorder, and read from that.

`recorder` watches a run, `operations` says what each torch function does to a value, `expressions` are the values,
`populations` finds the layers among the recorded neuron calls, `neurons` reads a neuron's parameters, and `source`
runs the user's own module.
"""

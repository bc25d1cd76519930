"""How a graph of tensor operators becomes an `Mlp`: shared by every frontend that reads such a graph.

A frontend walks the graph of its format in computing order. Every value in it is either a constant (a numpy array,
computed at once) or a `Signal` (it depends on the model's input). The operators of a format call `MlpBuilder` and
the functions here; whatever no MLP can be raises `NotAnMlp`, to which the frontend adds the place in the model.
"""

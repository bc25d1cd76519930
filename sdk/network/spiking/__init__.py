"""The spiking form: encodings whose spikes are the quantized integers, classic neuron models, and their simulators.

`schedule` and `encodings` hold the exact integrate-and-fire family, `models` the classic one with every choice
declared; `time_stepped` runs the actual spikes of a network; `measures` counts their cost.
The layers that a network is made of stand in `network/layers/`, one file each.
"""

"""C of networks that adapt: what `edgeml.network.adaptation` defines, in RAM of the device."""

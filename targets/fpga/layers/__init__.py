"""What hardware knows of each kind of layer, one file each, found by the kind: see `layer_hardware.LayerHardware`."""

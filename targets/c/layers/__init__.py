"""The C of each kind of layer, one file each, found by the kind: see `emitter.LayerEmitter`."""

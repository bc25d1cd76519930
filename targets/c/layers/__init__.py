"""The C of each kind of layer, one file each; `layer_emitter` imports all of them."""

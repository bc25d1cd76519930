"""Ways to pack and multiply the weights of a dense layer, one file each."""

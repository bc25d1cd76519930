"""Small networks on FPGAs: ours, HGQ2 with da4ml, logic networks and boosted trees, all through one yosys script."""

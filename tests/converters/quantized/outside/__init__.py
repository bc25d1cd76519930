"""A package of somebody's: a float operator in two files, and the integer layer that it becomes."""

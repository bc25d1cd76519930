"""Programs saved by torch.export (`.pt2`), read without torch and without unpickling anything.

torch's own loader calls `pickle` for sample inputs, tensor subclasses and custom objects, without restriction. The
parts that an MLP needs are JSON and raw numbers (and, as torch before 2.9 wrote them, tensors in a pickle of a few
opcodes): these are read here, everything else in the archive is left alone.
"""

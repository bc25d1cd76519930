"""The second look at certificates: a file for each kind, found by the `kind` that a certificate names.

Each has `check_certificate(folder, prover)` and shares no code with what proves, nor with what writes the artifact.
"""

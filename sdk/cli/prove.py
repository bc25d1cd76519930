"""`edgeml verify --prove` and `--check-proof`: the table, and how the command ends."""

from __future__ import annotations

from pathlib import Path

import typer

from ..errors import InputError

__all__ = ["run_proof"]


def run_proof(
    bundle: Path, *, prove: bool, seconds: float, time_limit: float | None, terminal: tuple[bool, bool]
) -> None:
    """Prove a bundle, then check the certificate that was written; without `prove` check the one that is there.

    terminal : (as_json, quiet). Leaves with 1 if anything is refuted, a prover failed or a certificate does not hold,
    else 0: what is not proved is said, and is no failure.
    """
    from ..bundle import load
    from ..proof.bundle_proof import check_proof, has_certificates, prove_bundle
    from ..proof.claim import ERROR, NOT_TRIED, PROVED, REFUTED
    from ..system.time_limit import time_limit as limited
    from ..terminal import Terminal

    shown = Terminal(*terminal)
    loaded = load(bundle)
    with limited(time_limit), shown.progress(lines=True) as (_, announce):
        if prove:
            loaded, rows = prove_bundle(loaded, announce, seconds=seconds)
            announce("checking the certificates")
            if has_certificates(loaded):
                check_proof(loaded)
        else:
            rows = check_proof(loaded)
    if not rows:
        raise InputError(str(bundle), "holds nothing to prove")
    claims, proved = sum(row.claims for row in rows), sum(row.proved for row in rows)
    whole = all(row.status in (PROVED, NOT_TRIED) for row in rows) and claims == proved
    document = {"bundle": str(bundle), "claims": claims, "proved": proved, "proof": [row.as_json() for row in rows]}

    def show() -> None:
        table = [
            [row.prover, row.part, row.status, f"{row.proved:,} of {row.claims:,}" if row.claims else ""]
            + ([row.seconds, row.method] if prove else [])
            for row in rows
        ]
        shown.table("", ["prover", "part", "status", "proved", *(["seconds", "how"] if prove else [])], table)
        for name, how in ({} if prove else {row.prover: row.method for row in rows if row.method}).items():
            shown.plain(f"{name}: {how}")
        for row in rows:
            if row.detail:
                shown.plain(f"{row.part}, {row.status}: {row.detail}")
        left = [row.part for row in rows if row.status == NOT_TRIED]
        failed = [f"prover {row.prover}" for row in rows if row.status == ERROR]
        shown.plain(
            f"{proved:,} of {claims:,} claims proved"
            + (", for every input" if whole else "; what is not proved is not known")
            + (f". Not tried: {'; '.join(left)}" if left else "")
            + (f". Failed: {', '.join(failed)}" if failed else "")
        )

    shown.result(document, show)
    if any(row.status in (REFUTED, ERROR) for row in rows):
        raise typer.Exit(1)

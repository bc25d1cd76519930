"""Saved states: they come back as they were, and what is damaged, of another model, or of no state is refused."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from edgeml.errors import InputError
from tests.network.adaptation.networks import KINDS, adapting_network, drifted

__all__ = ["hostile_images", "states"]


def states(kind: str) -> list[bytes]:
    """Images of a network of that kind: fresh, learned, in the middle of a calibration and behind it."""
    network = adapting_network(kind)
    golden, (q, y) = network.adapting(), drifted(network, 5)
    images = [golden.state(1)]
    if network.adaptation.last_layer is not None:
        for row in range(9):
            golden.learn(q[row], int(y[row]))
        images.append(golden.state(0xFFFFFFFF))
    if network.adaptation.offsets is not None:
        for row in range(7):
            golden.calibrate(q[row : row + 1])
            images.append(golden.state(row))
    return images


def hostile_images(kind: str) -> list[bytes]:
    """Images that nobody saved: cut, damaged, of other versions and models, and with values of no state."""
    image = states(kind)[-1]

    def sealed(content: bytes) -> bytes:
        return content + zlib.crc32(content).to_bytes(4, "little")

    made = [b"", image[:-1], image + b"\0", bytes([image[0] ^ 1]) + image[1:], image[:-1] + bytes([image[-1] ^ 128])]
    body = bytearray(image[:-4])
    for place, value in ((0, 2), (2, 1), (4, 0), (8, body[8] ^ 1), (len(body) - 3, 99), (len(body) - 2, 255)):
        other = body.copy()
        other[place] = value
        made.append(sealed(bytes(other)))
    network = adapting_network(kind)
    if network.adaptation.offsets is not None:
        made.append(sealed(bytes(body[:20]) + b"\x00\x80" + bytes(body[22:])))
    if network.adaptation.last_layer is not None:
        other = body.copy()
        other[-4] = 2 * network.adaptation.last_layer.slots
        made.append(sealed(bytes(other)))
        start = 20 + (0 if network.adaptation.offsets is None else 2 * 16)
        settled = bytearray(states(kind)[1][:-4])
        settled[start + 3 if kind != "wide" else start] = 0xFF  # behind the seventh level of 1 or 2 bits; a level of 15
        made.append(sealed(bytes(settled)))
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_a_state_comes_back(kind: str) -> None:
    network = adapting_network(kind)
    q, _ = drifted(network, 6)
    for image in states(kind):
        first, second = network.adapting(), network.adapting()
        first.load(image)
        assert first.state(int.from_bytes(image[16:20], "little")) == image
        second.load(first.state())
        np.testing.assert_array_equal(first.outputs(q), second.outputs(q))


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_image_is_refused_and_changes_nothing(kind: str) -> None:
    golden = adapting_network(kind).adapting()
    before = golden.state()
    for number, image in enumerate(hostile_images(kind)):
        with pytest.raises(InputError, match="saved state"):
            golden.load(image)
        assert golden.state() == before, number


def test_another_models_state_is_refused() -> None:
    with pytest.raises(InputError, match="is of model"):
        adapting_network("both").adapting().load(adapting_network("both", 1).adapting().state())

"""What a module takes is guessed from the data where its first layer does not tell it."""

from __future__ import annotations

import numpy as np
import pytest

from edgeml.data.dataset import as_dataset
from edgeml.errors import InputError
from edgeml.frontends import load_model
from edgeml.inputs import read_inputs


def _modules() -> dict[str, tuple[object, tuple[int, ...]]]:
    import torch
    from torch import nn

    class Viewed(nn.Module):
        """Takes flat images."""

        def __init__(self) -> None:
            super().__init__()
            self.convolution, self.last = nn.Conv2d(1, 2, 3), nn.Linear(8, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(torch.relu(self.convolution(x.view(-1, 1, 4, 4))).flatten(1))

    class OverPositions(nn.Module):
        """Begins with a layer that takes the positions of a channel."""

        def __init__(self) -> None:
            super().__init__()
            self.over, self.last = nn.Linear(5, 5), nn.Linear(15, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(torch.relu(self.over(x.transpose(1, 2))).flatten(1))

    return {
        "a layer over positions": (OverPositions(), (5, 3)),
        "flat samples in front of a convolution": (Viewed(), (16,)),
        "channels and positions": (nn.Sequential(nn.Conv1d(3, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2)), (3, 5)),
        "a layer at several positions": (
            nn.Sequential(nn.Linear(4, 2), nn.ReLU(), nn.Flatten(), nn.Linear(6, 2)),
            (3, 4),
        ),
        "features": (nn.Sequential(nn.Linear(6, 2)), (6,)),
        "images that a Flatten makes flat": (nn.Sequential(nn.Flatten(), nn.Linear(16, 2)), (4, 4)),
    }


@pytest.mark.parametrize("case", list(_modules()))
def test_the_samples_tell_the_shape_of_the_input(case: str) -> None:
    module, shape = _modules()[case]
    x = np.random.default_rng(0).normal(size=(20, *shape)).astype(np.float32)
    for data in ({"x": x}, x, *([as_dataset({"x": x}, "data")] if x.ndim == 2 else [])):
        found = read_inputs(module, data)
        assert found.source.input_size == int(np.prod(shape))


def test_without_samples_the_model_alone_must_tell_it() -> None:
    from torch import nn

    with pytest.raises(InputError, match="tells its input size"):
        load_model(nn.Sequential(nn.Conv1d(3, 2, 2), nn.Flatten()))


def test_data_of_another_width_is_still_named_as_that() -> None:
    from torch import nn

    with pytest.raises(InputError, match="has 5 features per sample; model Sequential takes 6"):
        read_inputs(nn.Sequential(nn.Linear(6, 2)), {"x": np.zeros((9, 5), np.float32)})

"""pykan networks are read as what they compute, left as they are, and refused by name where they are more than sums."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from edgeml.errors import CheckFailed, InputError
from edgeml.frontends import load_model
from edgeml.frontends.float_operators.edge_functions import EdgeFunctions
from edgeml.frontends.mlp import Mlp

from .pykan_networks import KAN, samples, trained


def read(network: Any, **request: Any) -> Mlp:
    found = load_model(network, **request)
    assert isinstance(found, Mlp)
    return found


def assert_same(network: Any, x: np.ndarray) -> None:
    with torch.no_grad():
        expected = network(torch.from_numpy(x)).numpy()
    found = read(network, example=x).evaluate(x)
    assert np.allclose(found, expected, atol=1e-4 * max(1.0, float(np.abs(expected).max())))


def test_a_trained_network_is_read_as_layers_of_edge_functions_and_left_as_it_is() -> None:
    network, x = trained(), samples()[0]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    seen = network.acts
    mlp = read(network)
    assert [node.operator.kind for node in mlp.nodes] == ["edge_functions"] * 2
    assert (mlp.input_size, mlp.output_size, mlp.task) == (2, 1, "values")
    assert network.acts is seen
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())
    assert_same(network, x)


@pytest.mark.parametrize(
    "settings",
    [
        {"base_fun": "identity"},
        {"base_fun": "zero"},
        {"k": 1, "grid": 7},
        {"k": 2, "affine_trainable": True},
        {"width": [2, 4, 3, 2], "sparse_init": True},
        {"base_fun": torch.nn.SiLU()},
    ],
    ids=str,
)
def test_every_setting_of_sums_is_read(settings: dict[str, Any]) -> None:
    network = trained(**settings, steps=8)
    x = samples()[0]
    assert_same(network, x)
    assert_same(network, x * 3)


def test_formulas_pruned_edges_and_scales_of_nodes_are_read() -> None:
    network, x = trained(), samples()[0]
    network.fix_symbolic(0, 0, 1, "sin", verbose=False, log_history=False)
    network.fix_symbolic(1, 1, 0, "x^2", fit_params_bool=False, log_history=False)
    network.fix_symbolic(0, 1, 2, "0", fit_params_bool=False, log_history=False)
    network.remove_edge(0, 1, 0, log_history=False)
    with torch.no_grad():
        for values in (*network.node_scale, *network.subnode_scale, *network.node_bias, *network.subnode_bias):
            values += torch.linspace(0.2, 0.5, len(values))
    assert_same(network, x)
    operator = read(network).nodes[0].operator
    assert isinstance(operator, EdgeFunctions)
    assert operator.formula_names == ("sin", "x")
    assert np.all(operator.coefficients[0, 1] == 0)


def test_a_network_with_pruned_inputs_takes_all_features() -> None:
    network, x = trained(steps=6), samples()[0]
    pruned = network.prune_input(active_inputs=[1], log_history=False)
    assert_same(pruned, x)
    operator = read(pruned, example=np.zeros((2, 5), np.float32)).nodes[0].operator
    assert isinstance(operator, EdgeFunctions)
    assert operator.used_inputs.tolist() == [False, True, False, False, False]


def test_multiplication_nodes_are_refused_with_the_width_to_train() -> None:
    with pytest.raises(InputError, match=r"layer 0: has 2 multiplication nodes.*width=\[2, 3, 1\]"):
        read(KAN(width=[2, [3, 2], 1], auto_save=False))


def test_functions_that_are_not_known_are_refused_by_name() -> None:
    network = trained(steps=2)
    network.fix_symbolic(0, 0, 1, lambda x: torch.erf(x), fit_params_bool=False, log_history=False)
    with pytest.raises(InputError, match="layer 0, the edge from 0 to 1: is fixed to the function"):
        read(network)
    with pytest.raises(InputError, match="has the base function GELU"):
        read(trained(steps=2, base_fun=torch.nn.GELU()))


def test_a_network_inside_another_module_is_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match=r"beside other modules.*Pass the KAN itself"):
        read(torch.nn.Sequential(torch.nn.BatchNorm1d(2), trained(steps=2)))


def test_weights_that_are_not_numbers_are_refused() -> None:
    network = trained(steps=2)
    with torch.no_grad():
        network.act_fun[1].coef[0, 0, 0] = torch.nan
    with pytest.raises(InputError, match="layer 1, coef: holds NaN"):
        read(network)


def test_a_network_that_computes_something_else_is_not_taken_for_what_its_tensors_say() -> None:
    class Other(KAN):  # type: ignore[misc]
        def forward(self, *given: Any, **named: Any) -> Any:
            return super().forward(*given, **named) * 2

    with pytest.raises(CheckFailed, match="misread"):
        read(Other(width=[2, 3, 1], auto_save=False))

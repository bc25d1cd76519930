"""C of the input encoders of classic spiking networks."""

from __future__ import annotations

from edgeml.network.layers.spike_encoder import SpikeEncoder

from ..emitter import LayerEmitter, LayerJob
from ..layer_code import LayerCode
from ..tensor import Tensor

__all__ = ["EMITTER", "SpikeEncoderEmitter"]


class SpikeEncoderEmitter(LayerEmitter):
    """The equations of edgeml/network/spiking/input_encoders, step by step."""

    kind = "spike_encoder"

    def emit(self, job: LayerJob) -> LayerCode:
        layer = job.nodes[-1].layer
        assert isinstance(layer, SpikeEncoder)
        (x,) = job.inputs
        y, features, steps = job.output, layer.features, layer.steps
        levels, to_count = layer.high - layer.low, x.low - layer.low
        count = f"const int32_t count = (int32_t)x[i] + ({to_count});"
        event = {
            "direct": f"(int32_t)x[i] + ({x.low - y.low})",
            "unary": "(int32_t)t < count",
            "ttfs": f"count > 0 && (int32_t)t == {levels} - count",
            "rate": f"(int32_t)(((state >> 8) * {levels}u) >> 24) < count",
        }
        scratch = 0
        if layer.encoder == "delta":
            statements = self._changes(layer, x.low, y)
            scratch = 4 * features
        else:
            inner = [f"y[t * {features}u + i] = ({y.ctype})({event[layer.encoder]});"]
            if layer.encoder != "direct":
                inner.insert(0, count)
            if layer.encoder == "rate":
                inner[:0] = ["state ^= state << 13;", "state ^= state >> 17;", "state ^= state << 5;"]
            seed = f"uint32_t state = {layer.seed}u; /* xorshift32, anew for every sample */"
            start = [seed] if layer.encoder == "rate" else []
            statements = [
                *start,
                f"for (size_t t = 0; t < {steps}u; t++) {{",
                f"    for (size_t i = 0; i < {features}u; i++) {{",
                *(f"        {line}" for line in inner),
                "    }",
                "}",
            ]
        return LayerCode(
            statements=tuple(statements),
            comment=f"{layer.encoder} encoder, {features} features over {steps} steps",
            scratch_bytes=scratch,
        )

    @staticmethod
    def _changes(layer: SpikeEncoder, low: int, y: Tensor) -> list[str]:
        features = layer.features
        return [
            "int32_t *const last = (int32_t *)(void *)scratch;",
            f"for (size_t i = 0; i < {features}u; i++) {{",
            "    last[i] = 0;",
            "}",
            f"for (size_t t = 0; t < {layer.steps}u; t++) {{",
            f"    for (size_t i = 0; i < {features}u; i++) {{",
            f"        const int32_t change = (int32_t)x[t * {features}u + i] + ({low}) - last[i];",
            f"        const int32_t sent = change >= {layer.change} || change <= -{layer.change} ? change : 0;",
            "        last[i] += sent;",
            f"        y[t * {features}u + i] = ({y.ctype})(sent - ({y.low}));",
            "    }",
            "}",
        ]


EMITTER = SpikeEncoderEmitter()

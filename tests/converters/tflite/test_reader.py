"""Reading .tflite: what we wrote, what others wrote, and what nobody should have written."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from edgeml.converters.tflite.flatbuffer import Table, read_root
from edgeml.converters.tflite.lowering import lower
from edgeml.converters.tflite.model import Model
from edgeml.converters.tflite.operators.function import Function
from edgeml.converters.tflite.operators.tensor_info import TensorInfo
from edgeml.converters.tflite.reader import ending_at, read_model, read_network
from edgeml.converters.tflite.runtimes import RUNTIMES, Session
from edgeml.converters.tflite.schema import OPTIONS, TABLES, OperatorKind, TensorType
from edgeml.converters.tflite.writer import write
from edgeml.errors import EdgemlError, InputError
from edgeml.network import simulate
from edgeml.network.network_file import to_bytes
from edgeml.network.rounding import ROUNDINGS
from tests.sweeps import cases, seed_for

from .random_models import model_of_every_operator, random_inputs, random_model

schema = pytest.importorskip("ai_edge_litert.schema_py_generated", reason="needs ai-edge-litert's schema bindings")


@pytest.mark.parametrize("bits", [8, 4, 2])
@pytest.mark.parametrize("per_channel", [False, True])
def test_reading_back_gives_the_same_network_by_every_rule(bits: int, per_channel: bool) -> None:
    generator = np.random.default_rng(bits)
    for _ in range(6):
        model = random_model(generator, bits, per_channel, True, widest=60)
        again = read_model(write(model), model.name)
        for rule in ROUNDINGS[0 if bits > 2 else 1 :]:  # 2-bit weights may get factors above 1, which no shift is
            assert to_bytes(lower(again, rule)) == to_bytes(lower(model, rule))


@pytest.mark.parametrize("unsigned_input", [False, True])
def test_reading_back_keeps_every_operator(unsigned_input: bool) -> None:
    model = model_of_every_operator(np.random.default_rng(3), unsigned_input)
    again = read_model(write(model), model.name)
    assert [type(op) for op in again.operators] == [type(op) for op in model.operators]
    assert to_bytes(lower(again, "fp32_rne")) == to_bytes(lower(model, "fp32_rne"))


def test_our_description_of_the_format_is_that_of_the_schema() -> None:
    """Slots, defaults and numbers, against the bindings that the schema's own compiler made."""

    class Recorder:
        def __getattr__(self, name: str):
            def record(*arguments: object) -> None:
                self.slot = arguments[0] if name.startswith("Prepend") else None
                self.default = arguments[2] if len(arguments) > 2 else None

            return record

    for table, fields in TABLES.items():
        for name, field in fields.items():
            camel = "".join(word.capitalize() for word in name.split("_"))
            recorder = Recorder()
            getattr(schema, f"{table}Add{camel}")(recorder, 0)
            assert recorder.slot == field.slot, (table, name)
            if "[" not in field.kind:
                assert recorder.default == field.default, (table, name)
    for number, name in OPTIONS.items():
        assert getattr(schema.BuiltinOptions, name) == number
    for kind in OperatorKind:
        assert getattr(schema.BuiltinOperator, kind.name) == kind
    for element in TensorType:
        assert getattr(schema.TensorType, element.name) == element


def test_other_parsers_read_what_we_write() -> None:
    tflite = pytest.importorskip("tflite", reason="needs the package tflite")
    model = random_model(np.random.default_rng(8), 8, True, False, widest=40, depth=3)
    content = write(model)
    parsed = tflite.Model.GetRootAsModel(content, 0)
    graph = parsed.Subgraphs(0)
    assert parsed.Version() == 3
    assert graph.OperatorsLength() == 3
    for position, operator in enumerate(model.operators):
        weight = graph.Tensors(graph.Operators(position).Inputs(1))
        data = parsed.Buffers(weight.Buffer()).DataAsNumpy().view(np.int8).reshape(weight.ShapeAsNumpy())
        assert np.array_equal(data, operator.weight)
        assert np.array_equal(weight.Quantization().ScaleAsNumpy(), operator.weight_scale)


def test_weights_lie_at_multiples_of_16_bytes() -> None:
    content = write(random_model(np.random.default_rng(8), 8, True, False, widest=40, depth=3))
    for buffer in read_root(content)["buffers"]:
        data = buffer["data"]
        if data.size:
            offset = (
                data.__array_interface__["data"][0] - np.frombuffer(content, np.uint8).__array_interface__["data"][0]
            )
            assert offset % 16 == 0


def foreign_file(activation_dimensions: int = 2, **changes: object) -> bytes:
    """A file as TensorFlow's converter lays it out, by the schema's own bindings: deduplicated empty buffers, ranges,
    old and new operator codes, a RESHAPE, uint8 at the input, metadata of its own."""
    import flatbuffers

    generator = np.random.default_rng(4)

    def quantization(scale: object, zero: object) -> object:
        return schema.QuantizationParametersT(scale=scale, zeroPoint=zero, min=[-1.0], max=[1.0])

    def tensor(name: str, shape: list[int], kind: int, buffer: int, scale: object, zero: object) -> object:
        return schema.TensorT(
            shape=shape, type=kind, buffer=buffer, name=name, quantization=quantization(scale, zero), hasRank=True
        )

    types = schema.TensorType
    lead = [1] * (activation_dimensions - 1)
    tensors = [
        tensor("serving:0", [*lead, 8], types.UINT8, 0, [0.05], [128]),
        tensor("in/int8", [*lead, 8], types.INT8, 0, [0.05], [0]),
        tensor("flat", [1, 8], types.INT8, 0, [0.05], [0]),
        tensor("dense/w", [6, 8], types.INT8, 2, list(generator.uniform(0.004, 0.01, 6)), [0] * 6),
        tensor("dense/b", [6], types.INT32, 3, [0.0005], [0]),
        tensor("dense/Relu;bias", [1, 6], types.INT8, 0, [0.03], [-128]),
        tensor("dense/w", [3, 6], types.INT8, 4, [0.02], [0]),
        tensor("logits", [1, 3], types.INT8, 0, [0.04], [5]),
        tensor("softmax", [1, 3], types.INT8, 0, [1 / 256], [-128]),
        tensor("shape", [2], types.INT32, 5, None, None),
    ]
    codes = schema.BuiltinOperator
    kinds = (codes.QUANTIZE, codes.RESHAPE, codes.FULLY_CONNECTED, codes.FULLY_CONNECTED, codes.SOFTMAX)
    operators = []
    for position, (given, target) in enumerate((([0], 1), ([1, 9], 2), ([2, 3, 4], 5), ([5, 6, -1], 7), ([7], 8))):
        operator = schema.OperatorT(opcodeIndex=position, inputs=given, outputs=[target])
        if kinds[position] == codes.FULLY_CONNECTED:
            operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
            operator.builtinOptions = schema.FullyConnectedOptionsT(fusedActivationFunction=1 if position == 2 else 0)
        if kinds[position] == codes.SOFTMAX:
            operator.builtinOptionsType = schema.BuiltinOptions.SoftmaxOptions
            operator.builtinOptions = schema.SoftmaxOptionsT(beta=1.0)
        operators.append(operator)
    data = [
        generator.integers(-127, 128, 48).astype(np.int8),
        generator.integers(-900, 900, 6).astype(np.int32),
        generator.integers(-127, 128, 18).astype(np.int8),
        np.array([1, 8], np.int32),
    ]
    buffers = [schema.BufferT(), schema.BufferT()]
    buffers += [schema.BufferT(data=np.frombuffer(array.tobytes(), np.uint8)) for array in data]
    buffers.append(schema.BufferT(data=np.frombuffer(b"1.14.0", np.uint8)))
    model = schema.ModelT(
        version=3,
        operatorCodes=[
            schema.OperatorCodeT(deprecatedBuiltinCode=min(k, 127), builtinCode=k, version=v)
            for k, v in zip(kinds, (2, 1, 4, 4, 2), strict=True)
        ],
        subgraphs=[schema.SubGraphT(tensors=tensors, inputs=[0], outputs=[8], operators=operators, name="main")],
        buffers=buffers,
        metadata=[schema.MetadataT(name="min_runtime_version", buffer=6)],
    )
    for path, value in changes.items():
        holder, field = model, path
        while "__" in field:
            part, field = field.split("__", 1)
            holder = holder[int(part[1:])] if part[0] == "i" and part[1:].isdigit() else getattr(holder, part)
        setattr(holder, field, value)
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.mark.parametrize("name", sorted(RUNTIMES))
@pytest.mark.parametrize("dimensions", [2, 4])
def test_a_foreign_file_gives_the_runtimes_bytes_up_to_its_softmax(name: str, dimensions: int) -> None:
    runtime = RUNTIMES[name]
    if missing := runtime.missing():
        pytest.skip(f"{name}: {missing}")
    content = foreign_file(dimensions)
    model = read_model(content, "foreign")
    q = random_inputs(np.random.default_rng(5), model, 200)
    with Session(runtime) as session:
        (y,), _ = session.run(ending_at(content, 7), q.astype(np.uint8))
    assert np.array_equal(y, simulate(lower(model, runtime.rounding), q))


def test_a_foreign_file_is_read_by_the_rule_of_tflite_micro(tmp_path: Path) -> None:
    path = tmp_path / "my model 2.tflite"
    path.write_bytes(foreign_file())
    network = read_network(path)
    assert network.name == "my_model_2"
    assert {n.layer.rounding for n in network.nodes if n.layer.kind == "requantize"} == {"double_rounding"}
    assert {n.layer.rounding for n in read_network(path, "litert").nodes if n.layer.kind == "requantize"} == {
        "fp32_rne"
    }


REFUSED = {
    "operators that edgeml has no integers for: TRANSPOSE_CONV": {
        "operatorCodes__i2__builtinCode": 67,
        "operatorCodes__i2__deprecatedBuiltinCode": 67,
    },
    "16-bit activations": {"subgraphs__i0__tensors__i5__type": 7},
    "has no scale": {"subgraphs__i0__tensors__i7__quantization": None},
    "6 weights of 8 bits|48 weights of 8 bits": {"subgraphs__i0__tensors__i3__buffer": 5},
    "names buffer 99": {"subgraphs__i0__tensors__i3__buffer": 99},
    "names tensor 77": {"subgraphs__i0__operators__i2__inputs": [2, 77, 4]},
    "no earlier operator computes": {"subgraphs__i0__operators__i2__inputs": [7, 3, 4]},
    "a second time": {"subgraphs__i0__operators__i3__outputs": [5]},
    "is not sound": {"subgraphs__i0__tensors__i3__shape": [6, 2**31 - 1]},
    "one per output channel, and zero point 0": {"subgraphs__i0__tensors__i3__quantization__zeroPoint": [1] * 6},
    "a scale is not positive": {"subgraphs__i0__tensors__i7__quantization__scale": [float("nan")]},
    "fused activation 4": {"subgraphs__i0__operators__i2__builtinOptions__fusedActivationFunction": 4},
    "shuffled weights": {"subgraphs__i0__operators__i2__builtinOptions__weightsFormat": 1},
    "must be 6 constant int32": {"buffers__i3__data": np.zeros(20, np.uint8)},
    "outside of the FlatBuffer": {"buffers__i2__offset": 4096},
    "schema version 2": {"version": 2},
    "RESHAPE between different scales": {"subgraphs__i0__tensors__i1__quantization__scale": [0.06]},
    "no operator computes": {"subgraphs__i0__outputs": [3]},
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_an_mlp_cannot_have_is_refused_by_name(message: str) -> None:
    with pytest.raises(InputError, match=message):
        lower(read_model(foreign_file(**REFUSED[message])), "double_rounding")


def test_a_small_file_of_huge_tensors_is_refused() -> None:
    size = 2**20
    tensors = {f"t{k}": TensorInfo(f"t{k}", size, 2.0**-8, -128) for k in range(12)}
    operators = tuple(Function(f"t{k + 1}", (f"t{k}",), "LOGISTIC") for k in range(11))
    content = write(Model("huge", tensors, operators, "t0", "t11"))
    assert len(content) < 5000
    with pytest.raises(InputError, match="tensors hold more than 8388608 values"):
        read_model(content)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\0" * 64, b"\x10\0\0\0TFL3" + b"\xff" * 64, b"PK\x03\x04" * 9])
def test_no_flatbuffer_at_all_is_an_input_error(content: bytes) -> None:
    with pytest.raises(InputError):
        read_model(content)


def test_a_vector_that_claims_more_than_the_file_holds_is_refused() -> None:
    content = bytearray(write(random_model(np.random.default_rng(0), 8, False, False, widest=9, depth=1)))
    table = read_root(bytes(content))
    buffers = next(
        offset for offset in range(0, len(content) - 4, 4) if _is_vector_of(content, offset, table["buffers"])
    )
    content[buffers : buffers + 4] = struct.pack("<I", 2**31)
    with pytest.raises(InputError, match="claims a vector of 2147483648 items"):
        read_model(bytes(content))


def _is_vector_of(content: bytearray, offset: int, tables: list[Table]) -> bool:
    """Whether a vector of these tables lies at `offset`."""
    (count,) = struct.unpack_from("<I", content, offset)
    if count != len(tables) or offset + 4 + 4 * count > len(content):
        return False
    targets = [offset + 4 + 4 * k + struct.unpack_from("<I", content, offset + 4 + 4 * k)[0] for k in range(count)]
    return targets == [table._position for table in tables]


def _read_or_refuse(content: bytes) -> bool:
    """Whether it can be read; any error but edgeml's own escapes."""
    try:
        lower(read_model(content), "double_rounding")
    except EdgemlError:
        return False
    return True


def test_every_truncation_is_an_error() -> None:
    for content in (foreign_file(), write(random_model(np.random.default_rng(2), 4, True, False, widest=100))):
        read = [_read_or_refuse(content[:length]) for length in range(0, len(content), 64)]
        assert not all(read)


def _fuzzed(content: bytes, generator: np.random.Generator) -> bytes:
    """Some bytes changed; or an offset, a length or a count replaced by an extreme one."""
    damaged = bytearray(content)
    extremes = (0, 1, 255, 65_535, 2**31 - 1, 2**31, 2**32 - 1, len(content))
    for _ in range(int(generator.integers(1, 5))):
        position = int(generator.integers(0, len(damaged)))
        if generator.random() < 0.4:
            position = min(position // 4 * 4, len(damaged) - 4)
            struct.pack_into("<I", damaged, position, int(generator.choice(extremes)))
        else:
            damaged[position] = int(generator.integers(0, 256))
    return bytes(damaged)


def _fuzz(count: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    originals = [
        foreign_file(),
        write(random_model(generator, 8, True, False, widest=8, depth=2)),
        write(random_model(generator, 2, False, False, widest=12, depth=1)),
        write(model_of_every_operator(np.random.default_rng(6))),
    ]
    read = sum(_read_or_refuse(_fuzzed(originals[turn % 4], generator)) for turn in range(count))
    assert 0 < read < count


def test_damaged_files_are_errors_and_never_crashes() -> None:
    _fuzz(3_000, seed=1)


@pytest.mark.slow(scaled=True)
def test_a_hundred_thousand_damaged_files_are_errors_and_never_crashes() -> None:
    _fuzz(cases(100_000), seed=seed_for(2))

"""The UART top: a design on a small board, answering the hardware-in-the-loop protocol on two pins."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgeml.network import Network, simulate
from edgeml.network.network_file import model_hash

from ..board import Board
from ..budget import Budget
from ..design import Built
from ..estimate.uart import request_samples
from ..interface import Interface
from ..verilog.shipped_modules import library_text
from ..verilog.writer import CLOCK, Expression, Layout, Parameter, Port, Verilog, same
from .constraints import constraint_file

__all__ = ["BAUD", "FOLDER", "UART_MODULES", "SelfTest", "UartTop", "self_test", "uart_files", "uart_top"]

FOLDER = "tops/uart"
BAUD = 115_200
UART_MODULES = (
    "edgeml_crc32.v",
    "edgeml_uart_rx.v",
    "edgeml_uart_tx.v",
    "edgeml_hil_receive.v",
    "edgeml_hil_send.v",
    "edgeml_hil_inputs.v",
    "edgeml_hil_outputs.v",
    "edgeml_hil_run.v",
    "edgeml_hil_device.v",
)
_PROTOCOL_VERSION = 1
_TEST_CLOCKS = 2**19
_TEST_FRAMES = 1024


@dataclass(frozen=True, eq=False)
class UartTop:
    """A UART top made.

    Parameters
    ----------
    name : of its module. files : content by file name, `sources.f` among them. sources : its own Verilog files, in the
    order to compile them, behind the design's without its AXI4-Stream top. samples : most in a request. clock_hz : of
    its parameter CLOCK_HZ. board : that it is made for, or None. outermost : of the modules, `name` or what is around
    it for a board. constraints : the file with its pins and its clock.
    """

    name: str
    files: Mapping[str, bytes]
    sources: tuple[str, ...]
    samples: int
    clock_hz: int
    board: Board | None
    outermost: str
    constraints: str


@dataclass(frozen=True, eq=False)
class SelfTest:
    """What the device runs when it is asked to test itself.

    Parameters
    ----------
    rounds : requests as large as can be. seed : of the shift register. q : int32 [rounds · samples, inputs], all that
    is drawn from it. crc : CRC-32 of the outputs, as int32, lowest byte first.
    """

    rounds: int
    seed: int
    q: npt.NDArray[np.int32]
    crc: int


def self_test(network: Network, built: Built, samples: int) -> SelfTest:
    """The self-test of a design in requests of `samples`: as long as `_TEST_CLOCKS` and `_TEST_FRAMES` allow."""
    clocks = samples * (network.input_size + built.interval + 6 * network.output_size) + built.latency
    rounds = max(1, min(_TEST_CLOCKS // clocks, _TEST_FRAMES // samples))
    seed = int(model_hash(network)[:8], 16) or 1
    element, quantizer = built.interface.input_element, network.quantizer
    drawn = _drawn(seed, rounds * samples * network.input_size) & ((1 << element.bits) - 1)
    if element.signed:
        drawn = (drawn ^ (1 << (element.bits - 1))) - (1 << (element.bits - 1))
    q = np.clip(drawn, quantizer.low, quantizer.high).astype(np.int32).reshape(-1, network.input_size)
    return SelfTest(rounds, seed, q, zlib.crc32(simulate(network, q).astype("<i4").tobytes()))


def _drawn(seed: int, count: int) -> npt.NDArray[np.int64]:
    """Low bytes of the shift register's states: int64 [count]. It steps as a CRC-32 does over zero bytes."""
    # zlib inverts the state on the way in and out.
    low, state = np.empty(count, np.int64), seed
    for index in range(count):
        low[index] = state & 0xFF
        state = zlib.crc32(b"\0", state ^ 0xFFFFFFFF) ^ 0xFFFFFFFF
    return low


def _clock_hz(budget: Budget) -> int:
    return round(budget.clock_mhz * 1e6) if budget.board is None else budget.board.design_hz


def _clock_said(budget: Budget) -> str:
    board = budget.board
    if board is None:
        return "Set CLOCK_HZ to the clock of your board"
    return f"CLOCK_HZ is that of {'' if board.pll is None else 'the PLL on '}the board {board.name}"


def _text_bytes(text: str) -> bytes:
    content = text.encode()[:255]
    return bytes([len(content)]) + content


def _form(network: Network) -> str:
    """Which form the network is of, told by its layers: for people who look at what a device says of itself."""
    kinds = {node.layer.kind for node in network.nodes}
    if any("neuron" in kind or "spik" in kind for kind in kinds):
        return "spiking"
    return "tflite" if kinds & {"requantize", "lookup"} else "quantized"


def _hello(network: Network, samples: int) -> tuple[int, list[tuple[str, str]]]:
    """Bytes of hello's answer, and its fields as Verilog with a note each, the last byte first."""
    texts = _text_bytes(_form(network)) + _text_bytes(network.name)
    fields = [
        (f"{8 * len(texts)}'h{texts[::-1].hex()},", "form and name, each behind its length"),
        ("CLOCK_HZ,", ""),
        (f"16'd{samples},", "most samples of a request"),
        ("32'd0,", "integers of a trace"),
        (f"32'd{network.output_size},", ""),
        (f"32'd{network.input_size},", ""),
        (f"256'h{bytes.fromhex(model_hash(network))[::-1].hex()},", ""),
        ("8'd0,", "no trace"),
        (f"16'd{_PROTOCOL_VERSION}", ""),
    ]
    return 53 + len(texts), fields


def uart_top(network: Network, built: Built, budget: Budget) -> UartTop:
    """The UART top of a design for a part; the same arguments give the same files."""
    name = f"{network.name}_uart"
    samples = request_samples(network.input_size, budget.family)
    files: dict[str, bytes] = {module: library_text(module) for module in UART_MODULES}
    files[f"{name}.v"] = _module(network, built, budget, name, samples).encode()
    outermost = name
    sources: tuple[str, ...] = (*UART_MODULES, f"{name}.v")
    if budget.board is not None:
        from .board_top import board_top

        outermost = f"{network.name}_board"
        files[f"{outermost}.v"] = board_top(outermost, name, budget.board).encode()
        sources = (*sources, f"{outermost}.v")
    constraints, content = constraint_file(outermost, budget)
    files[constraints] = content.encode()
    design = [f"../../rtl/{source}" for source in built.sources if source != f"{built.top}.v"]
    files["sources.f"] = "".join(f"{line}\n" for line in [*design, *sources]).encode()
    return UartTop(
        *(name, dict(sorted(files.items())), sources, samples, _clock_hz(budget)),
        *(budget.board, outermost, constraints),
    )


_PORTS = (
    Port("input", "clk"),
    Port("input", "reset_n", note="a button; tie it to 1 where there is none"),
    Port("input", "uart_rx"),
    Port("output", "uart_tx"),
    Port("output", "busy", note="for a light: a request is being answered"),
)
_RESET = """
    // Reset for eight clocks after power-on, where registers have their initial values, and after the button.
    reg [3:0] power_on;
    reg [1:0] button;
    initial begin
        power_on = 4'd0;
        button = 2'd0;
    end
    always @(posedge clk) begin
        button <= {button[0], !reset_n};
        if (button[1]) power_on <= 4'd0;
        else if (!power_on[3]) power_on <= power_on + 1'b1;
    end
    wire rst = !power_on[3];
"""


def _module(network: Network, built: Built, budget: Budget, name: str, samples: int) -> str:
    interface = built.interface
    latency = built.latency - interface.class_latency  # of the core, which has no argmax unit
    hello_bytes, hello = _hello(network, samples)
    test = self_test(network, built, samples)
    verilog = Verilog()
    verilog.header(
        f"{name}: {built.core} on a board with a UART, made by edgeml.",
        "",
        "Speaks the hardware-in-the-loop protocol: "
        "`edgeml hil BUNDLE --port /dev/tty…` runs the bundle's vectors on it.",
        f"8 data bits, no parity, 1 stop bit. {_clock_said(budget)}; {latency} clocks an inference.",
        facts={"Model": f"sha256 {model_hash(network)}"},
    )
    clock, baud = Parameter("CLOCK_HZ", f"32'd{_clock_hz(budget)}", 32), Parameter("BAUD", f"32'd{BAUD}", 32)
    with verilog.module(name, _PORTS, (clock, baud)):
        verilog.line("localparam [31:0] CLOCKS_PER_BIT = (CLOCK_HZ + BAUD / 2) / BAUD;", "4 or more")
        verilog.blank()
        verilog.comment("The answer to hello, its first byte lowest.")
        with verilog.block(f"localparam [8*{hello_bytes}-1:0] HELLO = {{", "};"):
            for field, note in hello:
                verilog.line(field, note)
        verilog.blank()
        verilog.comment(f"The self-test: {len(test.q)} samples drawn from this seed, and the CRC-32 of their outputs.")
        verilog.line(f"localparam [31:0] TEST_SEED = 32'h{test.seed:08x};")
        verilog.line(f"localparam [31:0] TEST_CRC = 32'h{test.crc:08x};")
        verilog.blank()
        verilog.lines(_RESET)
        verilog.blank()
        _serial_port(verilog)
        verilog.blank()
        verilog.wire("in_valid", "in_ready", "out_valid", "out_ready")
        verilog.wire("in_data", width=interface.input_bits)
        verilog.wire("out_data", width=interface.output_bits)
        serial = same("rx_valid", "rx_data", "tx_valid", "tx_ready", "tx_data", "busy")
        parameters = _device_parameters(network, interface, samples, test.rounds, hello_bytes)
        verilog.instance("edgeml_hil_device", "device", {**CLOCK, **serial, **_STREAMS}, parameters)
        verilog.instance(built.core, "core", {**CLOCK, **_STREAMS})
    return verilog.text()


_STREAMS = same("in_valid", "in_ready", "in_data", "out_valid", "out_ready", "out_data")


def _serial_port(verilog: Verilog) -> None:
    """The two halves of the UART."""
    verilog.wire("rx_valid", "tx_valid", "tx_ready")
    verilog.wire("rx_data", "tx_data", width=8)
    bit = {"CLOCKS_PER_BIT": Expression("CLOCKS_PER_BIT")}
    receiver = {**CLOCK, "rx": "uart_rx", "valid": "rx_valid", "data": "rx_data"}
    transmitter = {**CLOCK, "valid": "tx_valid", "ready": "tx_ready", "data": "tx_data", "tx": "uart_tx"}
    verilog.instance("edgeml_uart_rx", "receiver", receiver, bit, Layout.SHORT_HEAD)
    verilog.instance("edgeml_uart_tx", "transmitter", transmitter, bit, Layout.SHORT_HEAD)


def _device_parameters(
    network: Network, interface: Interface, samples: int, rounds: int, hello_bytes: int
) -> dict[str, int | Expression]:
    """The shape of the network's streams and what the device answers."""
    return {
        "INPUTS": interface.inputs,
        "INPUT_LANES": interface.input_lanes,
        "INPUT_BITS": interface.input_element.bits,
        "OUTPUTS": interface.outputs,
        "OUTPUT_LANES": interface.output_lanes,
        "OUTPUT_BITS": interface.output_element.bits,
        "OUTPUT_SIGNED": int(interface.output_element.signed),
        "SAMPLES": samples,
        "INPUT_SIGNED": int(interface.input_element.signed),
        "INPUT_LOW": network.quantizer.low,
        "INPUT_HIGH": network.quantizer.high,
        "TEST_ROUNDS": rounds,
        "TEST_SEED": Expression("TEST_SEED"),
        "TEST_CRC": Expression("TEST_CRC"),
        "HELLO_BYTES": hello_bytes,
        "HELLO": Expression("HELLO"),
    }


def uart_files(network: Network, built: Built, budget: Budget) -> dict[str, bytes]:
    """Files of the UART top by their path in a bundle."""
    return {f"{FOLDER}/{name}": content for name, content in uart_top(network, built, budget).files.items()}

/* SPDX-License-Identifier: Apache-2.0 */
/* See edgeml_hil.h. */
#include "edgeml_hil.h"

#include "crc32.h"

#define HELLO 1u
#define INFER 2u
#define SELF_TEST 3u
#define BENCHMARK 4u
#define TRACE 5u
#define ANSWER 128u

#define HEADER_BYTES 5u
#define MODEL_ID_BYTES 8u
#define CRC_BYTES 4u

void edgeml_hil_start(edgeml_hil_device *device, const edgeml_hil_model *model, const edgeml_hil_board *board,
                      uint8_t *buffer, size_t capacity, int32_t *output, int32_t *trace, void *arena)
{
    device->model = model;
    device->board = *board;
    device->buffer = buffer;
    device->capacity = capacity;
    device->output = output;
    device->trace = trace;
    device->arena = arena;
    device->count = 0;
    device->left = 0;
    device->code = 0;
    device->overflow = 0;
    device->crc = 0;
    device->block_count = 0;
}

/* Sending: bytes are collected into blocks that hold no zero, each sent behind its length. */

static void send_block(edgeml_hil_device *device)
{
    device->board.write(device->board.context, (uint8_t)(device->block_count + 1u));
    for (uint8_t i = 0; i < device->block_count; i++) {
        device->board.write(device->board.context, device->block[i]);
    }
    device->block_count = 0;
}

static void put_raw(edgeml_hil_device *device, uint8_t byte)
{
    if (byte == 0) {
        send_block(device);
        return;
    }
    device->block[device->block_count++] = byte;
    if (device->block_count == 254u) { /* a full block stands for no zero */
        device->board.write(device->board.context, 255u);
        for (uint8_t i = 0; i < 254u; i++) {
            device->board.write(device->board.context, device->block[i]);
        }
        device->block_count = 0;
    }
}

static void put(edgeml_hil_device *device, uint8_t byte)
{
    device->crc = edgeml_crc32(device->crc, &byte, 1);
    put_raw(device, byte);
}

static void put_number(edgeml_hil_device *device, uint32_t value, uint8_t bytes)
{
    for (uint8_t i = 0; i < bytes; i++) {
        put(device, (uint8_t)(value >> (8u * i)));
    }
}

static void put_integers(edgeml_hil_device *device, const int32_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        put_number(device, (uint32_t)values[i], 4);
    }
}

static void put_text(edgeml_hil_device *device, const char *text)
{
    uint8_t length = 0;
    while (text[length] != '\0' && length < 255u) {
        length++;
    }
    put(device, length);
    for (uint8_t i = 0; i < length; i++) {
        put(device, (uint8_t)text[i]);
    }
}

/* Starts an answer to the request in the buffer. */
static void begin(edgeml_hil_device *device, uint8_t status)
{
    device->crc = 0;
    device->block_count = 0;
    put(device, (uint8_t)(device->buffer[0] | ANSWER));
    for (size_t i = 1; i < HEADER_BYTES; i++) {
        put(device, device->buffer[i]);
    }
    put(device, status);
}

static void end(edgeml_hil_device *device)
{
    const uint32_t crc = device->crc;
    for (uint8_t i = 0; i < CRC_BYTES; i++) {
        put_raw(device, (uint8_t)(crc >> (8u * i)));
    }
    send_block(device);
    device->board.write(device->board.context, 0);
}

static void refuse(edgeml_hil_device *device, uint8_t status)
{
    begin(device, status);
    end(device);
}

static uint32_t now(edgeml_hil_device *device)
{
    return device->board.cycles ? device->board.cycles(device->board.context) : 0u;
}

static uint32_t most_samples(const edgeml_hil_device *device)
{
    const size_t room = device->capacity - HEADER_BYTES - MODEL_ID_BYTES - 2u - CRC_BYTES;
    const size_t samples = room / device->model->inputs;
    return samples > 65535u ? 65535u : (uint32_t)samples;
}

static void hello(edgeml_hil_device *device)
{
    const edgeml_hil_model *const model = device->model;
    begin(device, EDGEML_HIL_OK);
    put_number(device, EDGEML_HIL_VERSION, 2);
    put(device, model->trace && device->trace ? 1u : 0u);
    for (size_t i = 0; i < 32u; i++) {
        put(device, model->hash[i]);
    }
    put_number(device, model->inputs, 4);
    put_number(device, model->outputs, 4);
    put_number(device, model->trace_size, 4);
    put_number(device, most_samples(device), 2);
    put_number(device, device->board.cycles_per_second, 4);
    put_text(device, model->form);
    put_text(device, model->name);
    end(device);
}

/* The outputs follow the cycles in the answer, but must not be kept for all samples: a first pass counts the cycles, a
   second one sends. A single sample is computed once. */
static void infer(edgeml_hil_device *device, const uint8_t *inputs, uint32_t samples)
{
    const edgeml_hil_model *const model = device->model;
    uint32_t cycles = 0;
    for (uint32_t i = 0; i < samples; i++) {
        const uint32_t start = now(device);
        model->invoke(inputs + i * model->inputs, device->output, device->arena);
        cycles += now(device) - start;
    }
    begin(device, EDGEML_HIL_OK);
    put_number(device, cycles, 4);
    for (uint32_t i = 0; i < samples; i++) {
        if (samples > 1u) {
            model->invoke(inputs + i * model->inputs, device->output, device->arena);
        }
        put_integers(device, device->output, model->outputs);
    }
    end(device);
}

static void trace(edgeml_hil_device *device, const uint8_t *inputs)
{
    const edgeml_hil_model *const model = device->model;
    const uint32_t start = now(device);
    model->trace(inputs, device->output, device->trace, device->arena);
    const uint32_t cycles = now(device) - start;
    begin(device, EDGEML_HIL_OK);
    put_number(device, cycles, 4);
    put_integers(device, device->output, model->outputs);
    put_integers(device, device->trace, model->trace_size);
    end(device);
}

static void benchmark(edgeml_hil_device *device, uint32_t repeats)
{
    const edgeml_hil_model *const model = device->model;
    uint8_t *const zeros = device->buffer + HEADER_BYTES + MODEL_ID_BYTES + 2u;
    uint32_t least = 0xFFFFFFFFu;
    uint32_t most = 0;
    for (uint32_t i = 0; i < model->inputs; i++) {
        zeros[i] = 0;
    }
    for (uint32_t i = 0; i < repeats; i++) {
        const uint32_t start = now(device);
        model->invoke(zeros, device->output, device->arena);
        const uint32_t cycles = now(device) - start;
        least = cycles < least ? cycles : least;
        most = cycles > most ? cycles : most;
    }
    begin(device, EDGEML_HIL_OK);
    put_number(device, least, 4);
    put_number(device, most, 4);
    end(device);
}

static void self_test(edgeml_hil_device *device)
{
    const int32_t result = device->model->self_test(device->output, device->arena);
    begin(device, EDGEML_HIL_OK);
    put_number(device, (uint32_t)result, 4);
    end(device);
}

/* A whole payload of `count` bytes (without CRC) is in the buffer. */
static void answer(edgeml_hil_device *device, size_t count)
{
    const edgeml_hil_model *const model = device->model;
    const uint8_t type = device->buffer[0];
    const uint8_t *const body = device->buffer + HEADER_BYTES;
    const size_t length = count - HEADER_BYTES;
    if (type == HELLO && length == 0) {
        hello(device);
        return;
    }
    if (type < INFER || type > TRACE || length < MODEL_ID_BYTES) {
        return;
    }
    for (size_t i = 0; i < MODEL_ID_BYTES; i++) {
        if (body[i] != model->hash[i]) {
            refuse(device, EDGEML_HIL_OTHER_MODEL);
            return;
        }
    }
    if (type == SELF_TEST) {
        self_test(device);
        return;
    }
    if (length < MODEL_ID_BYTES + 2u) {
        refuse(device, EDGEML_HIL_BAD_REQUEST);
        return;
    }
    const uint32_t number = (uint32_t)body[MODEL_ID_BYTES] | (uint32_t)body[MODEL_ID_BYTES + 1u] << 8;
    const size_t given = length - MODEL_ID_BYTES - 2u;
    if (type == BENCHMARK) {
        if (number == 0 || given != 0 || most_samples(device) == 0) {
            refuse(device, EDGEML_HIL_BAD_REQUEST);
        } else {
            benchmark(device, number);
        }
        return;
    }
    if (number == 0 || number > most_samples(device) || given != (size_t)number * model->inputs) {
        refuse(device, EDGEML_HIL_BAD_REQUEST);
    } else if (type == INFER) {
        infer(device, body + MODEL_ID_BYTES + 2u, number);
    } else if (!model->trace || !device->trace) {
        refuse(device, EDGEML_HIL_NO_TRACE);
    } else if (number != 1u) {
        refuse(device, EDGEML_HIL_BAD_REQUEST);
    } else {
        trace(device, body + MODEL_ID_BYTES + 2u);
    }
}

static void store(edgeml_hil_device *device, uint8_t byte)
{
    if (device->count < device->capacity) {
        device->buffer[device->count++] = byte;
    } else {
        device->overflow = 1;
    }
}

static void frame_ends(edgeml_hil_device *device)
{
    const size_t count = device->count;
    /* left: the last block must be whole. */
    if (device->code != 0 && device->left == 0 && !device->overflow && count >= HEADER_BYTES + CRC_BYTES) {
        const size_t length = count - CRC_BYTES;
        uint32_t crc = 0;
        for (size_t i = 0; i < CRC_BYTES; i++) {
            crc |= (uint32_t)device->buffer[length + i] << (8u * i);
        }
        if (crc == edgeml_crc32(0, device->buffer, length)) {
            answer(device, length);
        }
    }
    device->count = 0;
    device->left = 0;
    device->code = 0;
    device->overflow = 0;
}

void edgeml_hil_receive(edgeml_hil_device *device, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t byte = bytes[i];
        if (byte == 0) {
            frame_ends(device);
        } else if (device->left == 0) {
            if (device->code != 0 && device->code != 255u) {
                store(device, 0);
            }
            device->code = byte;
            device->left = (uint8_t)(byte - 1u);
        } else {
            store(device, byte);
            device->left--;
        }
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of edgeml_hil.h, without names that a linker sees: each model's NAME_hil.c includes them for itself, so
   that several models, also of other versions of edgeml, go into one firmware. */
#ifndef EDGEML_HIL_DEVICE_H
#define EDGEML_HIL_DEVICE_H

#include "edgeml_hil.h"

#include "crc32.h"

#define EDGEML_HIL_HELLO 1u
#define EDGEML_HIL_INFER 2u
#define EDGEML_HIL_SELF_TEST 3u
#define EDGEML_HIL_BENCHMARK 4u
#define EDGEML_HIL_TRACE 5u
#define EDGEML_HIL_ANSWER 128u

#define EDGEML_HIL_HEADER_BYTES 5u
#define EDGEML_HIL_MODEL_ID_BYTES 8u
#define EDGEML_HIL_CRC_BYTES 4u

/* buffer: EDGEML_HIL_BUFFER_BYTES; output: room for the model's outputs; trace: for its trace, or NULL; arena: as the
   model's invoke needs it. */
static inline void edgeml_hil_start(edgeml_hil_device *device, const edgeml_hil_model *model,
                                    const edgeml_hil_board *board, uint8_t *buffer, size_t capacity, int32_t *output,
                                    int32_t *trace, void *arena)
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

static void edgeml_hil_send_block(edgeml_hil_device *device)
{
    device->board.write(device->board.context, (uint8_t)(device->block_count + 1u));
    for (uint8_t i = 0; i < device->block_count; i++) {
        device->board.write(device->board.context, device->block[i]);
    }
    device->block_count = 0;
}

static void edgeml_hil_put_raw(edgeml_hil_device *device, uint8_t byte)
{
    if (byte == 0) {
        edgeml_hil_send_block(device);
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

static void edgeml_hil_put(edgeml_hil_device *device, uint8_t byte)
{
    device->crc = edgeml_crc32(device->crc, &byte, 1);
    edgeml_hil_put_raw(device, byte);
}

static void edgeml_hil_put_number(edgeml_hil_device *device, uint32_t value, uint8_t bytes)
{
    for (uint8_t i = 0; i < bytes; i++) {
        edgeml_hil_put(device, (uint8_t)(value >> (8u * i)));
    }
}

static void edgeml_hil_put_integers(edgeml_hil_device *device, const int32_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        edgeml_hil_put_number(device, (uint32_t)values[i], 4);
    }
}

static void edgeml_hil_put_text(edgeml_hil_device *device, const char *text)
{
    uint8_t length = 0;
    while (text[length] != '\0' && length < 255u) {
        length++;
    }
    edgeml_hil_put(device, length);
    for (uint8_t i = 0; i < length; i++) {
        edgeml_hil_put(device, (uint8_t)text[i]);
    }
}

/* Starts an answer to the request in the buffer. */
static void edgeml_hil_begin(edgeml_hil_device *device, uint8_t status)
{
    device->crc = 0;
    device->block_count = 0;
    edgeml_hil_put(device, (uint8_t)(device->buffer[0] | EDGEML_HIL_ANSWER));
    for (size_t i = 1; i < EDGEML_HIL_HEADER_BYTES; i++) {
        edgeml_hil_put(device, device->buffer[i]);
    }
    edgeml_hil_put(device, status);
}

static void edgeml_hil_end(edgeml_hil_device *device)
{
    const uint32_t crc = device->crc;
    for (uint8_t i = 0; i < EDGEML_HIL_CRC_BYTES; i++) {
        edgeml_hil_put_raw(device, (uint8_t)(crc >> (8u * i)));
    }
    edgeml_hil_send_block(device);
    device->board.write(device->board.context, 0);
}

static void edgeml_hil_refuse(edgeml_hil_device *device, uint8_t status)
{
    edgeml_hil_begin(device, status);
    edgeml_hil_end(device);
}

static uint32_t edgeml_hil_now(edgeml_hil_device *device)
{
    return device->board.cycles ? device->board.cycles(device->board.context) : 0u;
}

static uint32_t edgeml_hil_most_samples(const edgeml_hil_device *device)
{
    const size_t room =
        device->capacity - EDGEML_HIL_HEADER_BYTES - EDGEML_HIL_MODEL_ID_BYTES - 2u - EDGEML_HIL_CRC_BYTES;
    const size_t samples = room / device->model->inputs;
    return samples > 65535u ? 65535u : (uint32_t)samples;
}

static void edgeml_hil_hello(edgeml_hil_device *device)
{
    const edgeml_hil_model *const model = device->model;
    edgeml_hil_begin(device, EDGEML_HIL_OK);
    edgeml_hil_put_number(device, EDGEML_HIL_VERSION, 2);
    edgeml_hil_put(device, model->trace && device->trace ? 1u : 0u);
    for (size_t i = 0; i < 32u; i++) {
        edgeml_hil_put(device, model->hash[i]);
    }
    edgeml_hil_put_number(device, model->inputs, 4);
    edgeml_hil_put_number(device, model->outputs, 4);
    edgeml_hil_put_number(device, model->trace_size, 4);
    edgeml_hil_put_number(device, edgeml_hil_most_samples(device), 2);
    edgeml_hil_put_number(device, device->board.cycles_per_second, 4);
    edgeml_hil_put_text(device, model->form);
    edgeml_hil_put_text(device, model->name);
    edgeml_hil_end(device);
}

/* The outputs follow the cycles in the answer, but must not be kept for all samples: a first pass counts the cycles, a
   second one sends. A single sample is computed once. */
static void edgeml_hil_infer(edgeml_hil_device *device, const uint8_t *inputs, uint32_t samples)
{
    const edgeml_hil_model *const model = device->model;
    uint32_t cycles = 0;
    for (uint32_t i = 0; i < samples; i++) {
        const uint32_t start = edgeml_hil_now(device);
        model->invoke(inputs + i * model->inputs, device->output, device->arena);
        cycles += edgeml_hil_now(device) - start;
    }
    edgeml_hil_begin(device, EDGEML_HIL_OK);
    edgeml_hil_put_number(device, cycles, 4);
    for (uint32_t i = 0; i < samples; i++) {
        if (samples > 1u) {
            model->invoke(inputs + i * model->inputs, device->output, device->arena);
        }
        edgeml_hil_put_integers(device, device->output, model->outputs);
    }
    edgeml_hil_end(device);
}

static void edgeml_hil_trace(edgeml_hil_device *device, const uint8_t *inputs)
{
    const edgeml_hil_model *const model = device->model;
    const uint32_t start = edgeml_hil_now(device);
    model->trace(inputs, device->output, device->trace, device->arena);
    const uint32_t cycles = edgeml_hil_now(device) - start;
    edgeml_hil_begin(device, EDGEML_HIL_OK);
    edgeml_hil_put_number(device, cycles, 4);
    edgeml_hil_put_integers(device, device->output, model->outputs);
    edgeml_hil_put_integers(device, device->trace, model->trace_size);
    edgeml_hil_end(device);
}

static void edgeml_hil_benchmark(edgeml_hil_device *device, uint32_t repeats)
{
    const edgeml_hil_model *const model = device->model;
    uint8_t *const zeros = device->buffer + EDGEML_HIL_HEADER_BYTES + EDGEML_HIL_MODEL_ID_BYTES + 2u;
    uint32_t least = 0xFFFFFFFFu;
    uint32_t most = 0;
    for (uint32_t i = 0; i < model->inputs; i++) {
        zeros[i] = 0;
    }
    for (uint32_t i = 0; i < repeats; i++) {
        const uint32_t start = edgeml_hil_now(device);
        model->invoke(zeros, device->output, device->arena);
        const uint32_t cycles = edgeml_hil_now(device) - start;
        least = cycles < least ? cycles : least;
        most = cycles > most ? cycles : most;
    }
    edgeml_hil_begin(device, EDGEML_HIL_OK);
    edgeml_hil_put_number(device, least, 4);
    edgeml_hil_put_number(device, most, 4);
    edgeml_hil_end(device);
}

static void edgeml_hil_self_test(edgeml_hil_device *device)
{
    const int32_t result = device->model->self_test(device->output, device->arena);
    edgeml_hil_begin(device, EDGEML_HIL_OK);
    edgeml_hil_put_number(device, (uint32_t)result, 4);
    edgeml_hil_end(device);
}

#if defined(EDGEML_HIL_LEARNS)
#include "edgeml_hil_learning.h"
#endif

/* A whole payload of `count` bytes (without CRC) is in the buffer. */
static void edgeml_hil_answer(edgeml_hil_device *device, size_t count)
{
    const edgeml_hil_model *const model = device->model;
    const uint8_t type = device->buffer[0];
    const uint8_t *const body = device->buffer + EDGEML_HIL_HEADER_BYTES;
    const size_t length = count - EDGEML_HIL_HEADER_BYTES;
    if (type == EDGEML_HIL_HELLO && length == 0) {
        edgeml_hil_hello(device);
        return;
    }
#if defined(EDGEML_HIL_LEARNS)
    if (edgeml_hil_learning_answer(device, count)) {
        return;
    }
#endif
    if (type < EDGEML_HIL_INFER || type > EDGEML_HIL_TRACE || length < EDGEML_HIL_MODEL_ID_BYTES) {
        return;
    }
    for (size_t i = 0; i < EDGEML_HIL_MODEL_ID_BYTES; i++) {
        if (body[i] != model->hash[i]) {
            edgeml_hil_refuse(device, EDGEML_HIL_OTHER_MODEL);
            return;
        }
    }
    if (type == EDGEML_HIL_SELF_TEST) {
        edgeml_hil_self_test(device);
        return;
    }
    if (length < EDGEML_HIL_MODEL_ID_BYTES + 2u) {
        edgeml_hil_refuse(device, EDGEML_HIL_BAD_REQUEST);
        return;
    }
    const uint8_t *const low = body + EDGEML_HIL_MODEL_ID_BYTES;
    const uint32_t number = (uint32_t)low[0] | (uint32_t)low[1] << 8;
    const size_t given = length - EDGEML_HIL_MODEL_ID_BYTES - 2u;
    if (type == EDGEML_HIL_BENCHMARK) {
        if (number == 0 || given != 0 || edgeml_hil_most_samples(device) == 0) {
            edgeml_hil_refuse(device, EDGEML_HIL_BAD_REQUEST);
        } else {
            edgeml_hil_benchmark(device, number);
        }
        return;
    }
    if (number == 0 || number > edgeml_hil_most_samples(device) || given != (size_t)number * model->inputs) {
        edgeml_hil_refuse(device, EDGEML_HIL_BAD_REQUEST);
    } else if (type == EDGEML_HIL_INFER) {
        edgeml_hil_infer(device, body + EDGEML_HIL_MODEL_ID_BYTES + 2u, number);
    } else if (!model->trace || !device->trace) {
        edgeml_hil_refuse(device, EDGEML_HIL_NO_TRACE);
    } else if (number != 1u) {
        edgeml_hil_refuse(device, EDGEML_HIL_BAD_REQUEST);
    } else {
        edgeml_hil_trace(device, body + EDGEML_HIL_MODEL_ID_BYTES + 2u);
    }
}

static void edgeml_hil_store(edgeml_hil_device *device, uint8_t byte)
{
    if (device->count < device->capacity) {
        device->buffer[device->count++] = byte;
    } else {
        device->overflow = 1;
    }
}

static void edgeml_hil_frame_ends(edgeml_hil_device *device)
{
    const size_t count = device->count;
    /* left: the last block must be whole. */
    if (device->code != 0 && device->left == 0 && !device->overflow && count >= EDGEML_HIL_HEADER_BYTES + EDGEML_HIL_CRC_BYTES) {
        const size_t length = count - EDGEML_HIL_CRC_BYTES;
        uint32_t crc = 0;
        for (size_t i = 0; i < EDGEML_HIL_CRC_BYTES; i++) {
            crc |= (uint32_t)device->buffer[length + i] << (8u * i);
        }
        if (crc == edgeml_crc32(0, device->buffer, length)) {
            edgeml_hil_answer(device, length);
        }
    }
    device->count = 0;
    device->left = 0;
    device->code = 0;
    device->overflow = 0;
}

/* Takes received bytes; answers each request as soon as its last byte is there. */
static inline void edgeml_hil_receive(edgeml_hil_device *device, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t byte = bytes[i];
        if (byte == 0) {
            edgeml_hil_frame_ends(device);
        } else if (device->left == 0) {
            if (device->code != 0 && device->code != 255u) {
                edgeml_hil_store(device, 0);
            }
            device->code = byte;
            device->left = (uint8_t)(byte - 1u);
        } else {
            edgeml_hil_store(device, byte);
            device->left--;
        }
    }
}

#endif

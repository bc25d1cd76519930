/* SPDX-License-Identifier: Apache-2.0 */
/* Hardware in the loop, learning: what a device whose network adapts answers beside edgeml_hil.h. edgeml_hil_device.h
 * includes it where EDGEML_HIL_LEARNS is defined, behind its own functions.
 *
 * Every request has 8 bytes of model hash and a u16 after type and sequence number:
 *
 *   type 6 learn       u16 class, one sample           -> s32 the class that it was taken for; -1: not learned
 *   type 7 calibrate   u16 samples, samples            -> s32 windows still wanted
 *   type 8 rehearse    u16 0                           -> s32 windows on which weights changed; -1: none could
 *   type 9 adapted     u16 samples, samples            -> u32 cycles, s32 outputs [samples][outputs], as adapted
 *   type 10 save       u16 0                           -> the image of the state
 *   type 11 load       u16 bytes, an image             -> s32 0, or why it was refused
 *   type 12 reset      u16 0                           -> s32 0: the factory state
 *
 * Learn, calibrate, rehearse, load and reset change the device. One that comes again with the number of the last is
 * answered as that was, and not done again: a host that did not hear the answer asks without harm. A reset of the
 * device is the factory state.
 */
#ifndef EDGEML_HIL_LEARNING_H
#define EDGEML_HIL_LEARNING_H

#include "edgeml_hil.h"

#define EDGEML_HIL_LEARN 6u
#define EDGEML_HIL_CALIBRATE 7u
#define EDGEML_HIL_REHEARSE 8u
#define EDGEML_HIL_ADAPTED 9u
#define EDGEML_HIL_SAVE 10u
#define EDGEML_HIL_LOAD 11u
#define EDGEML_HIL_RESET 12u
#define EDGEML_HIL_CANNOT 4u /* nothing of the network adapts so */

/* What adapts, the functions of NAME_adaptation.h; learn and rehearse, or calibrate, may be NULL. */
typedef struct {
    uint32_t state_bytes;
    void (*reset)(void *state);
    void (*invoke)(const void *state, const uint8_t *input, int32_t *output, void *arena);
    int32_t (*learn)(void *state, const uint8_t *input, int32_t label, void *arena);
    int32_t (*rehearse)(void *state);
    int32_t (*calibrate)(void *state, const uint8_t *input, void *arena);
    void (*pack)(const void *state, uint32_t sequence, uint8_t *image);
    int32_t (*unpack)(void *state, const uint8_t *image, size_t bytes);
} edgeml_hil_adaptation;

/* The device's one state; image has room for state_bytes. */
typedef struct {
    const edgeml_hil_adaptation *adaptation;
    void *state;
    uint8_t *image;
    int done; /* whether `number` is that of a request that changed the state, answered with `result` */
    uint32_t number;
    uint8_t type;
    int32_t result;
} edgeml_hil_learner;

static edgeml_hil_learner edgeml_hil_learning;

static void edgeml_hil_learning_starts(const edgeml_hil_adaptation *adaptation, void *state, uint8_t *image)
{
    edgeml_hil_learning.adaptation = adaptation;
    edgeml_hil_learning.state = state;
    edgeml_hil_learning.image = image;
    edgeml_hil_learning.done = 0;
    adaptation->reset(state);
}

/* Whether the sizes of a request are right: `given` bytes behind its number. */
static int edgeml_hil_learning_fits(const edgeml_hil_device *device, uint8_t type, uint32_t number, size_t given)
{
    const uint32_t inputs = device->model->inputs;
    switch (type) {
    case EDGEML_HIL_LEARN:
        return given == inputs;
    case EDGEML_HIL_CALIBRATE:
    case EDGEML_HIL_ADAPTED:
        return number != 0 && number <= edgeml_hil_most_samples(device) && given == (size_t)number * inputs;
    case EDGEML_HIL_LOAD:
        return given == number;
    default:
        return number == 0 && given == 0;
    }
}

static int32_t edgeml_hil_learning_result(const edgeml_hil_device *device, uint8_t type, uint32_t number,
                                          const uint8_t *given)
{
    const edgeml_hil_adaptation *const adaptation = edgeml_hil_learning.adaptation;
    void *const state = edgeml_hil_learning.state;
    int32_t result = 0;
    switch (type) {
    case EDGEML_HIL_LEARN:
        return adaptation->learn(state, given, (int32_t)number, device->arena);
    case EDGEML_HIL_CALIBRATE:
        for (uint32_t i = 0; i < number; i++) {
            result = adaptation->calibrate(state, given + i * device->model->inputs, device->arena);
            if (result == 0) {
                break;
            }
        }
        return result;
    case EDGEML_HIL_REHEARSE:
        return adaptation->rehearse(state);
    case EDGEML_HIL_LOAD:
        return adaptation->unpack(state, given, number);
    default:
        adaptation->reset(state);
        return 0;
    }
}

static void edgeml_hil_learning_outputs(edgeml_hil_device *device, uint32_t samples, const uint8_t *inputs)
{
    const edgeml_hil_adaptation *const adaptation = edgeml_hil_learning.adaptation;
    uint32_t cycles = 0;
    for (uint32_t i = 0; i < samples; i++) {
        const uint32_t start = edgeml_hil_now(device);
        adaptation->invoke(edgeml_hil_learning.state, inputs + i * device->model->inputs, device->output,
                           device->arena);
        cycles += edgeml_hil_now(device) - start;
    }
    edgeml_hil_begin(device, EDGEML_HIL_OK);
    edgeml_hil_put_number(device, cycles, 4);
    for (uint32_t i = 0; i < samples; i++) {
        adaptation->invoke(edgeml_hil_learning.state, inputs + i * device->model->inputs, device->output,
                           device->arena);
        edgeml_hil_put_integers(device, device->output, device->model->outputs);
    }
    edgeml_hil_end(device);
}

/* Answers a request with `count` bytes of payload in the buffer, if it is one of these: 1 if it was. */
static int edgeml_hil_learning_answer(edgeml_hil_device *device, size_t count)
{
    const edgeml_hil_adaptation *const adaptation = edgeml_hil_learning.adaptation;
    const uint8_t type = device->buffer[0];
    const uint8_t *const body = device->buffer + EDGEML_HIL_HEADER_BYTES, *place = body + EDGEML_HIL_MODEL_ID_BYTES;
    if (type < EDGEML_HIL_LEARN || type > EDGEML_HIL_RESET ||
        count < EDGEML_HIL_HEADER_BYTES + EDGEML_HIL_MODEL_ID_BYTES + 2u) {
        return 0;
    }
    for (size_t i = 0; i < EDGEML_HIL_MODEL_ID_BYTES; i++) {
        if (body[i] != device->model->hash[i]) {
            edgeml_hil_refuse(device, EDGEML_HIL_OTHER_MODEL);
            return 1;
        }
    }
    const uint32_t number = (uint32_t)place[0] | (uint32_t)place[1] << 8;
    const size_t given = count - EDGEML_HIL_HEADER_BYTES - EDGEML_HIL_MODEL_ID_BYTES - 2u;
    place += 2;
    if (((type == EDGEML_HIL_LEARN || type == EDGEML_HIL_REHEARSE) && !adaptation->learn) ||
        (type == EDGEML_HIL_CALIBRATE && !adaptation->calibrate)) {
        edgeml_hil_refuse(device, EDGEML_HIL_CANNOT);
    } else if (!edgeml_hil_learning_fits(device, type, number, given)) {
        edgeml_hil_refuse(device, EDGEML_HIL_BAD_REQUEST);
    } else if (type == EDGEML_HIL_ADAPTED) {
        edgeml_hil_learning_outputs(device, number, place);
    } else if (type == EDGEML_HIL_SAVE) {
        adaptation->pack(edgeml_hil_learning.state, 1, edgeml_hil_learning.image);
        edgeml_hil_begin(device, EDGEML_HIL_OK);
        for (uint32_t i = 0; i < adaptation->state_bytes; i++) {
            edgeml_hil_put(device, edgeml_hil_learning.image[i]);
        }
        edgeml_hil_end(device);
    } else {
        const uint8_t *const header = device->buffer + 1;
        const uint32_t asked = (uint32_t)header[0] | (uint32_t)header[1] << 8 | (uint32_t)header[2] << 16 |
                               (uint32_t)header[3] << 24;
        if (!edgeml_hil_learning.done || edgeml_hil_learning.number != asked || edgeml_hil_learning.type != type) {
            edgeml_hil_learning.result = edgeml_hil_learning_result(device, type, number, place);
            edgeml_hil_learning.done = 1;
            edgeml_hil_learning.number = asked;
            edgeml_hil_learning.type = type;
        }
        edgeml_hil_begin(device, EDGEML_HIL_OK);
        edgeml_hil_put_number(device, (uint32_t)edgeml_hil_learning.result, 4);
        edgeml_hil_end(device);
    }
    return 1;
}

#endif

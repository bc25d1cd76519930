/* SPDX-License-Identifier: Apache-2.0 */
/* Hardware in the loop, the device's side: answers a host's requests over any link that carries bytes.
 *
 * Frames: COBS(payload, CRC-32 of the payload, least significant byte first), then a zero byte. All numbers are least
 * significant byte first. A payload starts with 1 byte of type and 4 bytes of sequence number; the answer repeats the
 * number, its type is the request's + 128, and 1 byte of status follows. A frame that is damaged, too long or of an
 * unknown type is dropped without an answer: the host asks again. No request changes the device, so that answering one
 * twice is safe, and a reset between two requests does no harm.
 *
 *   type 1 hello       -                                  -> u16 version, u8 flags (1: can trace), 32 bytes model hash,
 *                                                            u32 inputs, u32 outputs, u32 trace integers, u16 most
 *                                                            samples in a frame, u32 cycles per second (0: unknown),
 *                                                            u8 + form, u8 + name
 *   type 2 infer       8 bytes of model hash, u16 samples,
 *                      u8 or s8 inputs [samples][inputs]  -> u32 cycles of all samples, s32 outputs [samples][outputs]
 *   type 3 self-test   8 bytes of model hash              -> s32 result
 *   type 4 benchmark   8 bytes of model hash, u16 repeats -> u32 least, u32 most cycles of an inference of zeros
 *   type 5 trace       as infer, one sample               -> u32 cycles, s32 outputs [outputs], s32 trace [trace]
 *
 * C99, no malloc, no libc, no global state. NAME_hil.h has a model's functions; what all models share is in
 * edgeml_hil_device.h.
 */
#ifndef EDGEML_HIL_H
#define EDGEML_HIL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EDGEML_HIL_VERSION 1u

#define EDGEML_HIL_OK 0u
#define EDGEML_HIL_OTHER_MODEL 1u /* the request is meant for another model hash */
#define EDGEML_HIL_BAD_REQUEST 2u /* sizes do not fit */
#define EDGEML_HIL_NO_TRACE 3u    /* this firmware was built without a trace */

/* Bytes of the receive buffer for so many samples in a frame. */
#define EDGEML_HIL_BUFFER_BYTES(inputs, samples) (15u + (inputs) * (samples) + 4u)

/* What the device computes. invoke and trace take inputs of the model's type, as bytes. */
typedef struct {
    const char *name;
    const char *form;
    uint8_t hash[32];
    uint32_t inputs;
    uint32_t outputs;
    uint32_t trace_size;
    int32_t (*invoke)(const uint8_t *input, int32_t *output, void *arena);
    int32_t (*trace)(const uint8_t *input, int32_t *output, int32_t *trace, void *arena); /* or NULL */
    int32_t (*self_test)(int32_t *output, void *arena);
} edgeml_hil_model;

/* What the board offers. */
typedef struct {
    void (*write)(void *context, uint8_t byte); /* sends one byte; may wait */
    uint32_t (*cycles)(void *context);          /* a counter of cycles that counts up, or NULL */
    void *context;                              /* handed to both */
    uint32_t cycles_per_second;                 /* 0 if unknown */
} edgeml_hil_board;

/* All state of a device. */
typedef struct {
    const edgeml_hil_model *model;
    edgeml_hil_board board;
    uint8_t *buffer;
    size_t capacity;
    int32_t *output;
    int32_t *trace;
    void *arena;
    size_t count;      /* payload bytes decoded so far */
    uint8_t left;      /* COBS: bytes until the next code; 0: a code comes next */
    uint8_t code;      /* COBS: the current code; 0 at the start of a frame */
    uint8_t overflow;  /* the frame is too long: drop it */
    uint32_t crc;      /* of the answer being sent */
    uint8_t block[254]; /* COBS: bytes not sent yet */
    uint8_t block_count;
} edgeml_hil_device;

#ifdef __cplusplus
}
#endif

#endif

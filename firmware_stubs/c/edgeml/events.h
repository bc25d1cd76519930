/* SPDX-License-Identifier: Apache-2.0 */
/* Spikes through synapses: work follows events, not neurons. Weights lie by source, [inputs][neurons], so that one event
   adds one row. An event is any input that is not zero; its number is multiplied with the weights. */
#ifndef EDGEML_EVENTS_H
#define EDGEML_EVENTS_H

#include "common.h"

/* sum[n] += count * row[n] */
EDGEML_INLINE void edgeml_event(int32_t *restrict sum, const int8_t *restrict row, size_t neurons, int32_t count)
{
    if (count == 1) {
        for (size_t n = 0; n < neurons; n++) {
            sum[n] += row[n];
        }
    } else {
        for (size_t n = 0; n < neurons; n++) {
            sum[n] += count * row[n];
        }
    }
}

/* All events of one step, from bytes that hold value - low. Groups of eight silent inputs are passed over at once. */
EDGEML_INLINE void edgeml_events_u8(const uint8_t *restrict x, int32_t low, size_t inputs,
                                    const int8_t *restrict weight, size_t neurons, int32_t *restrict sum)
{
    size_t i = 0;
    if (low == 0) {
        for (; i + 8 <= inputs; i += 8) {
            const uint32_t any = (uint32_t)x[i] | x[i + 1] | x[i + 2] | x[i + 3] | x[i + 4] | x[i + 5] | x[i + 6] |
                                 x[i + 7];
            if (any == 0) {
                continue;
            }
            for (size_t k = i; k < i + 8; k++) {
                if (x[k] != 0) {
                    edgeml_event(sum, weight + k * neurons, neurons, x[k]);
                }
            }
        }
    }
    for (; i < inputs; i++) {
        const int32_t count = (int32_t)x[i] + low;
        if (count != 0) {
            edgeml_event(sum, weight + i * neurons, neurons, count);
        }
    }
}

#define EDGEML_EVENTS_WIDE(NAME, TYPE)                                                                                 \
    EDGEML_INLINE void NAME(const TYPE *restrict x, int32_t low, size_t inputs, const int8_t *restrict weight,          \
                            size_t neurons, int32_t *restrict sum)                                                     \
    {                                                                                                                  \
        for (size_t i = 0; i < inputs; i++) {                                                                          \
            const int32_t count = (int32_t)x[i] + low;                                                                 \
            if (count != 0) {                                                                                          \
                edgeml_event(sum, weight + i * neurons, neurons, count);                                               \
            }                                                                                                          \
        }                                                                                                              \
    }
EDGEML_EVENTS_WIDE(edgeml_events_s16, int16_t)
EDGEML_EVENTS_WIDE(edgeml_events_s32, int32_t)

/* As edgeml_events_..., each synapse with a delay of its own: ring holds the sums of the next `turns` steps, of which
   `now` is the one that an event without delay reaches. */
#define EDGEML_EVENTS_DELAYED(NAME, TYPE)                                                                              \
    EDGEML_INLINE void NAME(const TYPE *restrict x, int32_t low, size_t inputs, const int8_t *restrict weight,          \
                            const uint16_t *restrict delay, size_t neurons, int32_t *restrict ring, size_t turns,       \
                            size_t now)                                                                                \
    {                                                                                                                  \
        for (size_t i = 0; i < inputs; i++) {                                                                          \
            const int32_t count = (int32_t)x[i] + low;                                                                 \
            if (count != 0) {                                                                                          \
                for (size_t n = 0; n < neurons; n++) {                                                                 \
                    const size_t turn = (now + delay[i * neurons + n]) % turns;                                        \
                    ring[turn * neurons + n] += count * weight[i * neurons + n];                                       \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }
EDGEML_EVENTS_DELAYED(edgeml_events_delayed_u8, uint8_t)
EDGEML_EVENTS_DELAYED(edgeml_events_delayed_s16, int16_t)
EDGEML_EVENTS_DELAYED(edgeml_events_delayed_s32, int32_t)

#endif

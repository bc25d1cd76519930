/* What every kernel uses: how to align constants and how to ask for inlining. C99, no libc. */
#ifndef EDGEML_COMMON_H
#define EDGEML_COMMON_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)
#define EDGEML_ALIGNED(bytes) __attribute__((aligned(bytes)))
/* Kernels are inlined where they are called: sizes are constants there, and loops unroll. */
#define EDGEML_INLINE static inline __attribute__((always_inline, unused))
#define EDGEML_UNUSED __attribute__((unused))
#else
#define EDGEML_ALIGNED(bytes)
#define EDGEML_INLINE static inline
#define EDGEML_UNUSED
#endif

/* Writes zeros: what kernels may read behind the last element of a tensor. */
EDGEML_INLINE void edgeml_zero(uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bytes[i] = 0;
    }
}

/* Index of the largest of count values; the lowest index of equals. */
EDGEML_INLINE int32_t edgeml_argmax(const int32_t *values, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        if (values[i] > values[best]) {
            best = i;
        }
    }
    return (int32_t)best;
}

#endif

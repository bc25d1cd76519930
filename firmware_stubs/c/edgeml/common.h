/* SPDX-License-Identifier: Apache-2.0 */
/* What every kernel uses: how to align constants and how to ask for inlining. C99, no libc. */
#ifndef EDGEML_COMMON_H
#define EDGEML_COMMON_H

#include <stddef.h>
#include <stdint.h>

/* EDGEML_LITTLE_ENDIAN: the lowest byte of a word lies first, and the compiler says so. Bodies that read bytes as
   words, or words as bytes, are for such machines alone; on all others portable C gives the same integers. */
#if defined(__BYTE_ORDER__) && defined(__ORDER_LITTLE_ENDIAN__)
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define EDGEML_LITTLE_ENDIAN 1
#endif
#endif

#if defined(__AARCH64EB__) && defined(__clang__) && !defined(EDGEML_NOT_VECTORIZED)
#error "clang vectorizes wrongly for big-endian AArch64: pass -fno-vectorize -fno-slp-vectorize -DEDGEML_NOT_VECTORIZED"
#endif

/* Define EDGEML_PORTABLE to leave out all bodies that use a processor's own vector instructions. */
#if !defined(EDGEML_PORTABLE) && defined(EDGEML_LITTLE_ENDIAN)
#if defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512VNNI__) && defined(__AVX512VBMI__)
#define EDGEML_AVX512 1
#include <immintrin.h>
/* EDGEML_AMX: sixteen samples at once, where Linux lets the process have the tiles. EDGEML_WITHOUT_AMX: never. */
#if defined(__AMX_INT8__) && defined(__AMX_TILE__) && defined(__linux__) && defined(__x86_64__) && \
    !defined(EDGEML_WITHOUT_AMX)
#define EDGEML_AMX 1
#endif
#elif defined(__AVX2__)
#define EDGEML_AVX2 1
#include <immintrin.h>
#elif defined(__aarch64__) && defined(__ARM_NEON)
#define EDGEML_NEON 1
#include <arm_neon.h>
#endif
#endif

/* EDGEML_UNROLL: in front of a loop with few turns, whose number is a constant where the kernel is called.
   EDGEML_UNROLL_BY_4: in front of a short body with many turns. */
#if defined(__clang__)
#if defined(EDGEML_AVX512) || defined(EDGEML_AVX2)
/* Whole: clang before 16 leaves arrays of sums in memory otherwise. */
#define EDGEML_UNROLL _Pragma("clang loop unroll(full)")
#else
#define EDGEML_UNROLL _Pragma("unroll")
#endif
#define EDGEML_UNROLL_BY_4 _Pragma("unroll 4")
#elif defined(__GNUC__)
#define EDGEML_UNROLL _Pragma("GCC unroll 16")
#define EDGEML_UNROLL_BY_4 _Pragma("GCC unroll 4")
#else
#define EDGEML_UNROLL
#define EDGEML_UNROLL_BY_4
#endif

/* EDGEML_FOR_SIZE: a function that runs once a layer, whose time is spent in what it calls: as few bytes as can be.
   EDGEML_SHARED: one that several layers call and that must not be copied into them. */
#if defined(__clang__)
#define EDGEML_FOR_SIZE __attribute__((minsize))
#else
#define EDGEML_FOR_SIZE
#endif
#if defined(__GNUC__) || defined(__clang__)
#define EDGEML_SHARED static __attribute__((noinline, unused))
#else
#define EDGEML_SHARED static
#endif

#if defined(__GNUC__) || defined(__clang__)
#define EDGEML_ALIGNED(bytes) __attribute__((aligned(bytes)))
/* Kernels are inlined where they are called: sizes are constants there, and loops unroll. */
#define EDGEML_INLINE static inline __attribute__((always_inline, unused))
#define EDGEML_UNUSED __attribute__((unused))
#define EDGEML_SEPARATE static __attribute__((noinline))
/* Keeps the compiler from carrying values past this point in registers instead of through memory. */
#define EDGEML_IN_MEMORY() __asm__ volatile("" ::: "memory")
/* Keeps it from loading what the pointer points to ahead of the loop around, for want of registers to hold it. */
#define EDGEML_LOAD_HERE(pointer) __asm__ volatile("" : "+r"(pointer))
#if defined(EDGEML_AVX512) && !defined(__clang__)
/* Keeps a value in one register: GCC copies a sum in each turn of a loop, and reads weights again for each sample. */
#define EDGEML_IN_PLACE(vector) __asm__ volatile("" : "+v"(vector))
#elif defined(EDGEML_AVX2) && !defined(__clang__)
#define EDGEML_IN_PLACE(vector) __asm__ volatile("" : "+x"(vector))
#elif defined(EDGEML_AVX512) || defined(EDGEML_AVX2)
#define EDGEML_IN_PLACE(vector) ((void)0)
#endif
#else
#define EDGEML_ALIGNED(bytes)
#define EDGEML_INLINE static inline
#define EDGEML_UNUSED
#define EDGEML_SEPARATE static
#define EDGEML_IN_MEMORY() ((void)0)
#define EDGEML_LOAD_HERE(pointer) ((void)0)
#endif

/* A pointer that goes on by one: LLVM counts an offset beside it where Thumb could load or store and step at once. */
#if defined(__thumb2__)
#define EDGEML_STEPPED(pointer) EDGEML_LOAD_HERE(pointer)
#else
#define EDGEML_STEPPED(pointer) ((void)0)
#endif

#if defined(__GNUC__) || defined(__clang__)
#define EDGEML_MAYBE_UNUSED __attribute__((unused))
#else
#define EDGEML_MAYBE_UNUSED
#endif

#if defined(__arm__) && defined(__thumb__) && (defined(__GNUC__) || defined(__clang__)) && defined(EDGEML_LITTLE_ENDIAN)
/* A function written in assembly: its argument is in r0, and the compiler must not look inside. */
#define EDGEML_NAKED static __attribute__((naked, noinline, used))
#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
#define EDGEML_THUMB_DSP 1
#elif !defined(__thumb2__)
#define EDGEML_THUMB_1 1
#endif
#endif

/* Writes zeros: what kernels may read behind the last element of a tensor. */
EDGEML_INLINE void edgeml_zero(uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bytes[i] = 0;
    }
}

/* The values of stored integers: to[i] = from[i] + low, count of them, at least one; nothing where `to` is NULL.
   Returns what follows them. */
#define EDGEML_VALUES(name, stored)                                                                                    \
    EDGEML_INLINE int32_t *name(const stored *from, size_t count, int32_t low, int32_t *to)                            \
    {                                                                                                                  \
        if (!to) {                                                                                                     \
            return NULL;                                                                                               \
        }                                                                                                              \
        int32_t *const end = to + count;                                                                               \
        do {                                                                                                           \
            *to++ = (int32_t)*from++ + low;                                                                            \
            EDGEML_STEPPED(from);                                                                                      \
            EDGEML_STEPPED(to);                                                                                        \
        } while (to != end);                                                                                           \
        return end;                                                                                                    \
    }

#if defined(EDGEML_THUMB_DSP)
EDGEML_VALUES(edgeml_values_last_u8, uint8_t)

/* The same, four at a time; from is aligned to 4 bytes. */
EDGEML_INLINE int32_t *edgeml_values_u8(const uint8_t *from, size_t count, int32_t low, int32_t *to)
{
    typedef uint32_t __attribute__((may_alias)) word;
    const size_t whole = count / 4 * 4;
    if (to && whole) {
        const word *next = (const word *)(const void *)from;
        int32_t *const end = to + whole;
        do {
            const uint32_t four = *next++;
            to[0] = (int32_t)(four & 255u) + low;
            to[1] = (int32_t)((four >> 8) & 255u) + low;
            to[2] = (int32_t)((four >> 16) & 255u) + low;
            to[3] = (int32_t)(four >> 24) + low;
            to += 4;
            EDGEML_STEPPED(to);
        } while (to != end);
    }
    return count == whole ? to : edgeml_values_last_u8(from + whole, count - whole, low, to);
}
#else
EDGEML_VALUES(edgeml_values_u8, uint8_t)
#endif
EDGEML_VALUES(edgeml_values_s16, int16_t)
EDGEML_VALUES(edgeml_values_s32, int32_t)

/* Index of the largest of count values, at least one; the lowest index of equals. */
EDGEML_INLINE int32_t edgeml_argmax(const int32_t *values, size_t count)
{
    size_t best = 0;
    size_t i = 0;
    do { /* the first one, too: it is not larger than itself */
        if (values[i] > values[best]) {
            best = i;
        }
    } while (++i != count);
    return (int32_t)best;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A dense layer on packed bits for processors without a count of bits: 32 outputs at once, each in its own bit of a word.
 *
 * An input x = 0 or 1 with a weight w of -1, 0 or 1 adds x * w + (w < 0 ? 1 : 0) to the count of an output: 0 or 1. No bit
 * of x is taken out of its word: it is an index into a table, and the word found there is added to all 32 counts by
 * carry-save adders. Two bits together find two words, ones and twos: fewer additions for twice the table.
 * counts: [planes][32 outputs], lowest first. Output r has bit 8 (r % 4) + r / 4: bytes then come out in order.
 * Tables of pairs: [words of x][16 pairs][4 values][ones, twos]; pair 4 q + j is made of bits 8 j + 2 q and 8 j + 2 q + 1.
 * Tables of single inputs: [words of x][4 q][4 j][bit 8 j + 2 q, bit 8 j + 2 q + 1][2 values].
 */
#ifndef EDGEML_BITS_COLUMNS_H
#define EDGEML_BITS_COLUMNS_H

#include "common.h"

/* Planes of a word's worth of inputs, 2^0 ... 2^4; counts have more where there are more inputs. */
#define EDGEML_BITS_LOW 5u

/* 32 bits of x as a word, lowest first, whatever the order of bytes. */
EDGEML_INLINE uint32_t edgeml_bits_word(const uint8_t *x)
{
#if defined(EDGEML_LITTLE_ENDIAN) && (defined(__GNUC__) || defined(__clang__))
    typedef uint32_t __attribute__((may_alias)) word; /* x is aligned as tensors are */
    return *(const word *)(const void *)x;
#else
    return (uint32_t)x[0] | (uint32_t)x[1] << 8 | (uint32_t)x[2] << 16 | (uint32_t)x[3] << 24;
#endif
}

/* sum + a + b of single bits: the sum stays, the carry is returned. */
EDGEML_INLINE uint32_t edgeml_bits_add(uint32_t *sum, uint32_t a, uint32_t b)
{
    const uint32_t differ = *sum ^ a;
    const uint32_t carry = ((a ^ b) & differ) ^ a;
    *sum = differ ^ b;
    return carry;
}

/* The address of an entry takes one instruction of a core that adds a byte of a register to another; but a compiler would
   rather take each byte out of x itself. */
#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP && (defined(__GNUC__) || defined(__clang__))
#define EDGEML_BITS_KEEP(values) __asm__("" : "+r"(values))
#else
#define EDGEML_BITS_KEEP(values) ((void)0)
#endif

/* The words at so many bytes from a word on. */
EDGEML_INLINE const uint32_t *edgeml_bits_entry(const uint32_t *table, uint32_t offset)
{
    return (const uint32_t *)(const void *)((const uint8_t *)table + offset);
}

/* Adds the table's entry for a pair to the ones; returns the twos that this makes. */
EDGEML_INLINE uint32_t edgeml_bits_pair(const uint32_t *entry, uint32_t *ones)
{
    const uint32_t one = entry[0];
    const uint32_t two = entry[1] | (*ones & one); /* an entry is 2 at most: no two carries */
    *ones ^= one;
    return two;
}

/* Eight inputs as four pairs, number q of the four of a word; returns the eights. Two bits of x, in bits 3 and 4 of a
   byte, are how many bytes an entry stands behind that of zeros. */
EDGEML_INLINE uint32_t edgeml_bits_eight_pairs(const uint32_t *table, uint32_t word, uint32_t q, uint32_t *ones,
                                               uint32_t *twos, uint32_t *fours)
{
    uint32_t values = (q < 2u ? word << (3u - 2u * q) : word >> (2u * q - 3u)) & 0x18181818u;
    const uint32_t *const t = table + 32u * q;
    EDGEML_BITS_KEEP(values);
    const uint32_t two0 = edgeml_bits_pair(edgeml_bits_entry(t, (uint8_t)values), ones);
    const uint32_t two1 = edgeml_bits_pair(edgeml_bits_entry(t + 8, (uint8_t)(values >> 8)), ones);
    const uint32_t four0 = edgeml_bits_add(twos, two0, two1);
    const uint32_t two2 = edgeml_bits_pair(edgeml_bits_entry(t + 16, (uint8_t)(values >> 16)), ones);
    const uint32_t two3 = edgeml_bits_pair(edgeml_bits_entry(t + 24, values >> 24), ones);
    const uint32_t four1 = edgeml_bits_add(twos, two2, two3);
    return edgeml_bits_add(fours, four0, four1);
}

/* The same inputs one by one: a bit of x, in bit 2 of a byte, is how many bytes its entry is behind that of a zero. */
EDGEML_INLINE uint32_t edgeml_bits_eight_single(const uint32_t *table, uint32_t word, uint32_t q, uint32_t *ones,
                                                uint32_t *twos, uint32_t *fours)
{
    uint32_t even = (q < 1u ? word << 2 : word >> (2u * q - 2u)) & 0x04040404u;
    uint32_t odd = (q < 1u ? word << 1 : word >> (2u * q - 1u)) & 0x04040404u;
    const uint32_t *const t = table + 16u * q;
    uint32_t two[4];
    EDGEML_BITS_KEEP(even);
    EDGEML_BITS_KEEP(odd);
    EDGEML_UNROLL
    for (uint32_t j = 0; j < 4u; j++) {
        const uint32_t first = *edgeml_bits_entry(t + 4u * j, (uint8_t)(even >> 8u * j));
        const uint32_t second = *edgeml_bits_entry(t + 4u * j + 2u, (uint8_t)(odd >> 8u * j));
        two[j] = edgeml_bits_add(ones, first, second);
    }
    const uint32_t four0 = edgeml_bits_add(twos, two[0], two[1]);
    const uint32_t four1 = edgeml_bits_add(twos, two[2], two[3]);
    return edgeml_bits_add(fours, four0, four1);
}

/* The counts of 32 outputs, so many planes of them; x is gone through so many times, with other tables each time.
   Returns the tables of the next 32. */
#define EDGEML_BITS_COUNT(name, eight, table_words)                                                                    \
    EDGEML_SHARED const uint32_t *name(const uint8_t *bits, uint32_t words, uint32_t times, const uint32_t *table,     \
                                       uint32_t planes, uint32_t *counts)                                              \
    {                                                                                                                  \
        uint32_t ones = 0, twos = 0, fours = 0, eights = 0, sixteens = 0;                                              \
        for (uint32_t p = EDGEML_BITS_LOW; p < planes; p++) {                                                          \
            counts[p] = 0;                                                                                             \
        }                                                                                                              \
        do {                                                                                                           \
            const uint8_t *x = bits;                                                                                   \
            const uint8_t *const end = bits + 4u * words;                                                              \
            do {                                                                                                       \
                const uint32_t word = edgeml_bits_word(x);                                                             \
                EDGEML_LOAD_HERE(table);                                                                               \
                const uint32_t eight0 = eight(table, word, 0, &ones, &twos, &fours);                                   \
                const uint32_t eight1 = eight(table, word, 1, &ones, &twos, &fours);                                   \
                const uint32_t sixteen0 = edgeml_bits_add(&eights, eight0, eight1);                                    \
                const uint32_t eight2 = eight(table, word, 2, &ones, &twos, &fours);                                   \
                const uint32_t eight3 = eight(table, word, 3, &ones, &twos, &fours);                                   \
                const uint32_t sixteen1 = edgeml_bits_add(&eights, eight2, eight3);                                    \
                uint32_t carry = edgeml_bits_add(&sixteens, sixteen0, sixteen1);                                       \
                for (uint32_t p = EDGEML_BITS_LOW; p < planes; p++) {                                                  \
                    const uint32_t plane = counts[p];                                                                  \
                    counts[p] = plane ^ carry;                                                                         \
                    carry &= plane;                                                                                    \
                }                                                                                                      \
                table += (table_words);                                                                                \
                x += 4;                                                                                                \
            } while (x != end);                                                                                        \
        } while (--times);                                                                                             \
        counts[0] = ones;                                                                                              \
        counts[1] = twos;                                                                                              \
        counts[2] = fours;                                                                                             \
        counts[3] = eights;                                                                                            \
        counts[4] = sixteens;                                                                                          \
        return table;                                                                                                  \
    }

EDGEML_BITS_COUNT(edgeml_bits_count_pairs, edgeml_bits_eight_pairs, 128)
EDGEML_BITS_COUNT(edgeml_bits_count_single, edgeml_bits_eight_single, 64)

/* Four outputs of each plane, one in a byte: bits p of bytes 4 w ... 4 w + 3. */
#define EDGEML_BITS_BYTES(plane, w, p) (((plane) >> (w) & 0x01010101u) << (p))

/* Four bytes of a word, lowest first. */
EDGEML_INLINE void edgeml_bits_store(uint8_t *y, uint32_t four)
{
#if defined(EDGEML_LITTLE_ENDIAN) && (defined(__GNUC__) || defined(__clang__))
    typedef uint32_t __attribute__((may_alias)) word;
    *(word *)(void *)y = four;
#else
    y[0] = (uint8_t)four;
    y[1] = (uint8_t)(four >> 8);
    y[2] = (uint8_t)(four >> 16);
    y[3] = (uint8_t)(four >> 24);
#endif
}

/* count - threshold of single bits, from the lowest: whether there is a borrow. */
EDGEML_INLINE uint32_t edgeml_bits_borrow(uint32_t borrow, uint32_t count, uint32_t threshold)
{
    return borrow ^ ((count ^ threshold) & (borrow ^ threshold));
}

/* y = number of thresholds that the counts reach, for the first 4 * words of 32 outputs. levels: [planes][3 thresholds],
   ascending; each is a plane of the thresholds' bits. */
EDGEML_SHARED const uint32_t *edgeml_bits_three(const uint32_t *counts, uint32_t planes, const uint32_t *levels,
                                                uint32_t words, uint8_t *y)
{
    uint32_t below1 = 0, below2 = 0, below3 = 0;
    do {
        const uint32_t count = *counts++;
        below1 = edgeml_bits_borrow(below1, count, levels[0]);
        below2 = edgeml_bits_borrow(below2, count, levels[1]);
        below3 = edgeml_bits_borrow(below3, count, levels[2]);
        levels += 3;
    } while (--planes);
    below1 = ~(below1 ^ below2 ^ below3);
    below2 = ~below2;
    do {
        edgeml_bits_store(y, EDGEML_BITS_BYTES(below1, 0, 0) | EDGEML_BITS_BYTES(below2, 0, 1));
        below1 >>= 1;
        below2 >>= 1;
        y += 4;
    } while (--words);
    return levels;
}

/* The same for up to 15 thresholds; levels: [thresholds][planes]. */
EDGEML_SHARED const uint32_t *edgeml_bits_many(const uint32_t *counts, uint32_t planes, const uint32_t *levels,
                                               uint32_t thresholds, uint32_t words, uint8_t *y)
{
    uint32_t reached[4] = {0, 0, 0, 0};
    for (uint32_t number = 1; number <= thresholds; number++) {
        uint32_t borrow = 0;
        for (uint32_t p = 0; p < planes; p++) {
            borrow = edgeml_bits_borrow(borrow, counts[p], *levels++);
        }
        /* Of thresholds in order, bit p of their number changes with each 2^p of them that is reached. */
        for (uint32_t p = 0; p < 4 && number % (1u << p) == 0; p++) {
            reached[p] ^= ~borrow;
        }
    }
    for (uint32_t w = 0; w < words; w++) {
        edgeml_bits_store(y + 4u * w, EDGEML_BITS_BYTES(reached[0], w, 0) | EDGEML_BITS_BYTES(reached[1], w, 1) |
                                          EDGEML_BITS_BYTES(reached[2], w, 2) | EDGEML_BITS_BYTES(reached[3], w, 3));
    }
    return levels;
}

/* y = start + count, for so many of 32 outputs; up to 16 planes. */
EDGEML_SHARED void edgeml_bits_sums(const uint32_t *counts, uint32_t planes, const int32_t *start, uint32_t outputs,
                                    int32_t *y)
{
    for (uint32_t r = 0; r < outputs; r++) {
        uint32_t count = 0;
        for (uint32_t p = planes; p > 0; p--) {
            count = 2u * count + (counts[p - 1u] >> (8u * (r % 4u) + r / 4u) & 1u);
        }
        y[r] = (int32_t)((uint32_t)start[r] + count);
    }
}

#endif

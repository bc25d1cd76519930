/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of tables: y[o] = bias[o] + the entries o of the rows that the features pick, modulo 2^32.
 *
 * Entries are unsigned (what they are larger by than those of the network is taken from the bias), of 2, 4 or 8 bits,
 * in words. A column is `width` words of each row; word i of it holds the outputs i, width + i, 2 width + i ... of the
 * column, the first in the lowest bits. entries: [columns][rows][width].
 * All fields of a word are added at once: every other field, into lanes twice as wide; these, before one may overflow
 * (every `group` features; every 4 where fields have 2 bits), into lanes four times as wide; and these, every `segment`
 * features, into y. The generator proves that no lane overflows.
 */
#ifndef EDGEML_TABLES_H
#define EDGEML_TABLES_H

#include "common.h"

/* rows: in a column. step: where features come as their values, the rows of each one's table; else 0. group: a multiple
   of 4, or all features; segment: whole groups, or all features. Only step may be 0. */
typedef struct {
    const uint32_t *entries;
    const int32_t *bias;
    uint32_t features;
    uint32_t step;
    uint32_t rows;
    uint32_t columns;
    uint32_t group;
    uint32_t segment;
} edgeml_tables;

/* Every other field of so many bits. */
#define EDGEML_TABLES_MASK(bits)                                                                                       \
    ((bits) == 2u ? 0x33333333u : (bits) == 4u ? 0x0F0F0F0Fu : (bits) == 8u ? 0x00FF00FFu : 0x0000FFFFu)

/* Adds the fields of one feature's row. */
#define EDGEML_TABLES_ADD(unit, places, stepped)                                                                       \
    {                                                                                                                  \
        const unit fields = from[(size_t)*row++ * places];                                                             \
        if (stepped) {                                                                                                 \
            from += step * places;                                                                                     \
        }                                                                                                              \
        even += fields & narrow;                                                                                       \
        odd += (fields >> bits) & narrow;                                                                              \
    }

/* What fields have added up to, into the lanes twice as wide. */
#define EDGEML_TABLES_WIDEN                                                                                            \
    sum[0] += even & wide;                                                                                             \
    sum[1] += odd & wide;                                                                                              \
    sum[2] += (even >> (2u * bits)) & wide;                                                                            \
    sum[3] += (odd >> (2u * bits)) & wide;

/* unit: the words that are added at once, `places` of which are a column's width. first: for each feature its row or,
   with `stepped`, its value. bits, places and stepped are constants where this is inlined. */
#define EDGEML_TABLES_SUM(name, index, stepped, unit)                                                                  \
    EDGEML_INLINE void name(const index *first, const edgeml_tables *t, uint32_t bits, uint32_t places, int32_t *sums) \
    {                                                                                                                  \
        const uint32_t narrow = EDGEML_TABLES_MASK(bits), wide = EDGEML_TABLES_MASK(2u * bits);                        \
        const uint32_t step = t->step;                                                                                 \
        const index *const end = first + t->features;                                                                  \
        const unit *column = (const unit *)(const void *)t->entries;                                                   \
        const unit *bias = (const unit *)(const void *)t->bias;                                                        \
        unit *y = (unit *)(void *)sums;                                                                                \
        const unit none = column[0] & 0u;                                                                              \
        for (uint32_t word = 0; word < t->columns * places; word++) {                                                  \
            const unit *from = column;                                                                                 \
            const unit *begin = bias;                                                                                  \
            const index *row = first;                                                                                  \
            do {                                                                                                       \
                const index *const segment = (uint32_t)(end - row) > t->segment ? row + t->segment : end;              \
                unit sum[4] = {none, none, none, none};                                                                \
                while ((uint32_t)(segment - row) >= 4u) {                                                              \
                    const uint32_t more = (uint32_t)(segment - row) > t->group ? t->group : (uint32_t)(segment - row); \
                    const index *const group = row + (more & ~3u);                                                     \
                    unit even = none, odd = none;                                                                      \
                    do {                                                                                               \
                        EDGEML_TABLES_ADD(unit, places, stepped)                                                       \
                        EDGEML_TABLES_ADD(unit, places, stepped)                                                       \
                        EDGEML_TABLES_ADD(unit, places, stepped)                                                       \
                        EDGEML_TABLES_ADD(unit, places, stepped)                                                       \
                    } while (bits != 2u && row != group);                                                              \
                    EDGEML_TABLES_WIDEN                                                                                \
                }                                                                                                      \
                if (row != segment) {                                                                                  \
                    unit even = none, odd = none;                                                                      \
                    do {                                                                                               \
                        EDGEML_TABLES_ADD(unit, places, stepped)                                                       \
                    } while (row != segment);                                                                          \
                    EDGEML_TABLES_WIDEN                                                                                \
                }                                                                                                      \
                EDGEML_UNROLL                                                                                          \
                for (uint32_t field = 0; field < 32u / bits; field++) {                                                \
                    const unit lane = sum[field % 4u] >> (field / 4u * 4u * bits);                                     \
                    y[field * places] = begin[field * places] + (lane & (0xFFFFFFFFu >> (32u - 4u * bits)));           \
                }                                                                                                      \
                begin = y;                                                                                             \
            } while (row != end);                                                                                      \
            const uint32_t last = (word + 1u) % places ? 0u : 1u;                                                      \
            column += 1u + last * (t->rows - 1u) * places;                                                             \
            bias += 1u + last * (32u / bits - 1u) * places;                                                            \
            y += 1u + last * (32u / bits - 1u) * places;                                                               \
        }                                                                                                              \
    }

/* The three types of index, for a unit. */
#define EDGEML_TABLES_SUMS(name, unit)                                                                                 \
    EDGEML_TABLES_SUM(name##_u8, uint8_t, 1, unit)                                                                     \
    EDGEML_TABLES_SUM(name##_u16, uint16_t, 0, unit)                                                                   \
    EDGEML_TABLES_SUM(name##_u32, uint32_t, 0, unit)

EDGEML_TABLES_SUMS(edgeml_tables_words, uint32_t)

/* Columns of 4, 8 and 16 words: vectors, where the compiler has them. */
#if (defined(__GNUC__) || defined(__clang__)) && !defined(EDGEML_PORTABLE) && !defined(EDGEML_NOT_VECTORIZED)
typedef uint32_t edgeml_tables_unit4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef uint32_t edgeml_tables_unit8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef uint32_t edgeml_tables_unit16 __attribute__((vector_size(64), aligned(4), may_alias));
EDGEML_TABLES_SUMS(edgeml_tables_vectors4, edgeml_tables_unit4)
EDGEML_TABLES_SUMS(edgeml_tables_vectors8, edgeml_tables_unit8)
EDGEML_TABLES_SUMS(edgeml_tables_vectors16, edgeml_tables_unit16)
#define EDGEML_TABLES_WIDE(index, row, tables, bits, width, y)                                                         \
    edgeml_tables_vectors##width##_##index(row, tables, bits, 1u, y)
#else
#define EDGEML_TABLES_WIDE(index, row, tables, bits, width, y)                                                         \
    edgeml_tables_words_##index(row, tables, bits, width##u, y)
#endif

/* Columns of one word, as functions that several layers share. */
#define EDGEML_TABLES_SHARED(index, ctype, bits)                                                                       \
    EDGEML_SHARED void edgeml_tables_w##bits##_##index(const ctype *row, const edgeml_tables *tables, int32_t *y)      \
    {                                                                                                                  \
        edgeml_tables_words_##index(row, tables, bits##u, 1u, y);                                                      \
    }

EDGEML_TABLES_SHARED(u8, uint8_t, 2)
EDGEML_TABLES_SHARED(u8, uint8_t, 4)
EDGEML_TABLES_SHARED(u8, uint8_t, 8)
EDGEML_TABLES_SHARED(u16, uint16_t, 2)
EDGEML_TABLES_SHARED(u16, uint16_t, 4)
EDGEML_TABLES_SHARED(u16, uint16_t, 8)
EDGEML_TABLES_SHARED(u32, uint32_t, 2)
EDGEML_TABLES_SHARED(u32, uint32_t, 4)
EDGEML_TABLES_SHARED(u32, uint32_t, 8)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of dense layers for sixteen samples at once, by the tiles of AMX: x86-64 on Linux, which asks whether it may.

   Tiles 0 to 3 hold the sums [16 samples][16 outputs] of the vectors of a block. 4 holds inputs [16 samples][64], 6
   their weights [16 quads][16 outputs][4 inputs]; 5 and 7 the same for inputs that are left over behind the last 64. */
#ifndef EDGEML_AMX_H
#define EDGEML_AMX_H

#include "blocks.h"

#if defined(EDGEML_AMX)

/* Linux gives a process the tiles when it asks for them: arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA). It
   refuses where there are none, too. Asked once; two threads that ask at the same time get the same answer. */
EDGEML_SHARED int edgeml_amx_allowed(void)
{
    static int known; /* 1: allowed, 2: refused */
    int answer = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (answer == 0) {
        long result;
        __asm__ volatile("syscall" : "=a"(result) : "0"(158L), "D"(0x1023L), "S"(18L) : "rcx", "r11", "memory");
        answer = result == 0 ? 1 : 2;
        __atomic_store_n(&known, answer, __ATOMIC_RELAXED);
    }
    return answer == 1;
}

/* last: quads of inputs in tiles 5 and 7, less than 16. */
EDGEML_INLINE void edgeml_amx_begin(size_t last)
{
    EDGEML_ALIGNED(64) uint8_t tiles[64] = {1}; /* palette; bytes of a row from 16 on, two each; rows from 48 on */
    for (size_t t = 0; t < 8; t++) {
        const int inputs = t == 5, weights = t == 7; /* that are left over; tiles of none have no size */
        tiles[16 + 2 * t] = (uint8_t)(inputs ? 4 * last : weights && last == 0 ? 0 : 64);
        tiles[48 + t] = (uint8_t)(weights ? last : inputs && last == 0 ? 0 : 16);
    }
    EDGEML_IN_MEMORY();
    _tile_loadconfig(tiles);
}

/* The sums of a block begin with start [vector][16 outputs], the same for all samples. */
EDGEML_INLINE void edgeml_amx_start(const int32_t *start, size_t vectors)
{
    _tile_loadd(0, start, 0);
    if (vectors > 1) {
        _tile_loadd(1, start + 16, 0);
    }
    if (vectors > 2) {
        _tile_loadd(2, start + 32, 0);
        _tile_loadd(3, start + 48, 0);
    }
}

/* The same with zeros, for four vectors. */
EDGEML_INLINE void edgeml_amx_zero(void)
{
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

/* Adds 64 inputs of each sample. weight [16 quads][vector][16 outputs][4 inputs], `row` bytes from quad to quad and
   `next` from vector to vector. */
EDGEML_INLINE void edgeml_amx_add(const uint8_t *x, size_t x_stride, const uint8_t *weight, size_t row, size_t next,
                                  size_t vectors)
{
    _tile_loadd(4, x, x_stride);
    _tile_loadd(6, weight, row);
    _tile_dpbusd(0, 4, 6);
    if (vectors > 1) {
        _tile_loadd(6, weight + next, row);
        _tile_dpbusd(1, 4, 6);
    }
    if (vectors > 2) {
        _tile_loadd(6, weight + 2 * next, row);
        _tile_dpbusd(2, 4, 6);
        _tile_loadd(6, weight + 3 * next, row);
        _tile_dpbusd(3, 4, 6);
    }
}

/* The same for those that are left over. */
EDGEML_INLINE void edgeml_amx_add_last(const uint8_t *x, size_t x_stride, const uint8_t *weight, size_t row,
                                       size_t next, size_t vectors)
{
    _tile_loadd(5, x, x_stride);
    _tile_loadd(7, weight, row);
    _tile_dpbusd(0, 5, 7);
    if (vectors > 1) {
        _tile_loadd(7, weight + next, row);
        _tile_dpbusd(1, 5, 7);
    }
    if (vectors > 2) {
        _tile_loadd(7, weight + 2 * next, row);
        _tile_dpbusd(2, 5, 7);
        _tile_loadd(7, weight + 3 * next, row);
        _tile_dpbusd(3, 5, 7);
    }
}

/* sum [vector][16 samples][16 outputs] */
EDGEML_INLINE void edgeml_amx_store(int32_t *sum, size_t vectors)
{
    _tile_stored(0, sum, 64);
    if (vectors > 1) {
        _tile_stored(1, sum + 256, 64);
    }
    if (vectors > 2) {
        _tile_stored(2, sum + 512, 64);
        _tile_stored(3, sum + 768, 64);
    }
    EDGEML_IN_MEMORY();
}

/* One block of dense_quads.h for 16 samples. */
EDGEML_INLINE void edgeml_amx_quads(const uint8_t *x, size_t x_stride, const uint8_t *weight, const int32_t *start,
                                    size_t quads, size_t vectors, int32_t *sum)
{
    const size_t row = vectors * 64;
    size_t q = 0;
    edgeml_amx_start(start, vectors);
    for (; q + 16 <= quads; q += 16) {
        edgeml_amx_add(x + q * 4, x_stride, weight + q * row, row, 64, vectors);
    }
    if (q < quads) {
        edgeml_amx_add_last(x + q * 4, x_stride, weight + q * row, row, 64, vectors);
    }
    edgeml_amx_store(sum, vectors);
}

/* Codes of 2-bit weights as bytes: of `count` times 16 inputs, at most four, [vector][quad][16 outputs][4 inputs]. */
EDGEML_INLINE void edgeml_amx_unpack(const uint8_t *weight, size_t count, size_t vectors, uint8_t *codes)
{
    const __m512i field = _mm512_set1_epi8(0x03);
    for (size_t g = 0; g < count; g++) {
        EDGEML_UNROLL
        for (size_t m = 0; m < vectors; m++) {
            const __m512i w = _mm512_loadu_si512(weight + (g * vectors + m) * 64);
            uint8_t *const to = codes + m * 1024 + g * 256;
            _mm512_storeu_si512(to, _mm512_and_si512(w, field));
            _mm512_storeu_si512(to + 64, _mm512_and_si512(_mm512_srli_epi16(w, 2), field));
            _mm512_storeu_si512(to + 128, _mm512_and_si512(_mm512_srli_epi16(w, 4), field));
            _mm512_storeu_si512(to + 192, _mm512_and_si512(_mm512_srli_epi16(w, 6), field));
        }
    }
    EDGEML_IN_MEMORY();
}

/* One block of dense_crumbs.h for 16 samples: too large by twice the sum of a sample's inputs. */
EDGEML_INLINE void edgeml_amx_crumbs(const uint8_t *x, size_t x_stride, const uint8_t *weight, const int32_t *start,
                                     size_t sixteens, size_t vectors, int32_t *sum)
{
    EDGEML_ALIGNED(64) uint8_t codes[2][4096];
    size_t g = 0;
    edgeml_amx_start(start, vectors);
    edgeml_amx_unpack(weight, sixteens < 4 ? sixteens : 4, vectors, codes[0]);
    for (; g + 4 <= sixteens; g += 4) {
        const size_t left = sixteens - g - 4;
        /* Those of the next turn: tiles are not loaded from what is only just stored. */
        edgeml_amx_unpack(weight + (g + 4) * vectors * 64, left < 4 ? left : 4, vectors, codes[(g / 4 + 1) % 2]);
        edgeml_amx_add(x + g * 16, x_stride, codes[g / 4 % 2], 64, 1024, vectors);
    }
    if (g < sixteens) {
        edgeml_amx_add_last(x + g * 16, x_stride, codes[g / 4 % 2], 64, 1024, vectors);
    }
    edgeml_amx_store(sum, vectors);
}

/* Twice the sum of a sample's inputs, `count` of them, zeros behind them up to a multiple of 64. */
EDGEML_INLINE int32_t edgeml_amx_twice(const uint8_t *x, size_t count)
{
    const __m512i two = _mm512_set1_epi8(2);
    __m512i sum = _mm512_setzero_si512();
    for (size_t i = 0; i < count; i += 64) {
        sum = _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(x + i), two);
    }
    return _mm512_reduce_add_epi32(sum);
}

#endif

#endif

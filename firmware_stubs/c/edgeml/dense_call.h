/* SPDX-License-Identifier: Apache-2.0 */
/* What the dense kernels of microcontrollers are handed: one segment of a layer's inputs, all blocks of its outputs.
   A kernel adds, for each output, the sum over the segment's inputs of weight * x. */
#ifndef EDGEML_DENSE_CALL_H
#define EDGEML_DENSE_CALL_H

#include "common.h"

/* The assembly bodies read this struct by offset: keep the order. */
typedef struct {
    const void *x;        /* the segment's inputs, type and order as the kernel says */
    const uint32_t *w;    /* packed weights [blocks][block_bytes / 4] */
    const int32_t *from;  /* sums so far (the bias at first), one for each output of the blocks */
    int32_t *to;          /* the new sums; may be the same as from */
    int32_t start;        /* what every packed accumulator starts with: takes the weights' code offset back */
    uint32_t block_bytes; /* bytes of packed weights of a block */
    uint32_t blocks;      /* number of blocks, at least 1 */
} edgeml_dense_call;

#endif

// Sums over the rows of a matrix: each block sums ROW_CHUNK rows of PANEL columns, then addChunks adds the chunks. The
// shape alone decides the order.
#pragma once
#include "device.h"

/// partial [chunks, SUMS, width]. term(row, column, Whole or Part, values [SUMS][OCTET]) sets what is summed.
template <int SUMS, class Term>
DEVICE void sumRows(int rows, int width, bool aligned, float* partial, Term term) {
    __shared__ float shared[WARPS][PANEL];
    const int column = (blockIdx.y * WARP + lane()) * OCTET;
    const int64_t first = (int64_t) blockIdx.x * ROW_CHUNK;
    const int end = first + ROW_CHUNK < rows ? (int) first + ROW_CHUNK : rows;
    float sums[SUMS][OCTET] = {};
    rowOctet(width, aligned, column, [&](int c, auto octet) { // once, so that four rows are loaded before one is summed
        UNROLLED_BY_4
        for (int row = (int) first + threadIdx.x / WARP; row < end; row += WARPS) {
            float values[SUMS][OCTET];
            term(row, c, octet, values);
            UNROLLED
            for (int s = 0; s < SUMS; s++) {
                UNROLLED
                for (int k = 0; k < OCTET; k++) {
                    sums[s][k] += values[s][k];
                }
            }
        }
    });
    UNROLLED
    for (int s = 0; s < SUMS; s++) {
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            shared[threadIdx.x / WARP][lane() * OCTET + k] = sums[s][k];
        }
        __syncthreads();
        float total = 0;
        for (int warp = 0; warp < WARPS; warp++) {
            total += shared[warp][threadIdx.x];
        }
        const int own = blockIdx.y * PANEL + threadIdx.x;
        if (own < width) {
            partial[((int64_t) blockIdx.x * SUMS + s) * width + own] = total;
        }
        __syncthreads();
    }
}

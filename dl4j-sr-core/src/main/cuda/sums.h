// Sums in the order of org.dl4jsr.rounding.BlockSum.
#pragma once
#include "device.h"

// Two threads sum one block, eight lanes each.

struct Lanes {
    double sums[OCTET];

    METHOD Lanes() : sums() {}

    /// Adds the squares, which are exact, so that it does not matter that they are fused with the sum.
    template <class Octet>
    METHOD void addSquares(Octet octet, const float (&x)[OCTET]) {
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            if (octet.has(k)) {
                sums[k] = fma((double) x[k], (double) x[k], sums[k]);
            }
        }
    }

    /// The block's sum, in the first of its threads.
    METHOD double sum() {
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            sums[k] += __shfl_down_sync(0xFFFFFFFFu, sums[k], 1);
        }
        UNROLLED
        for (int half = OCTET / 2; half > 0; half /= 2) {
            UNROLLED
            for (int k = 0; k < half; k++) {
                sums[k] += sums[k + half];
            }
        }
        return sums[0];
    }
};

DEVICE int64_t ownBlock() { return threadIndex() / BLOCK_THREADS; }

/// Whether this thread is the one that holds the block's sum; the last warp's blocks may not exist.
DEVICE bool writesBlock(int64_t block, int64_t length) {
    return threadIdx.x % BLOCK_THREADS == 0 && block * BLOCK < length;
}

/// Calls body(first, Whole or Part) for this thread's octets of a block of an array, from the block's start on.
template <class Body>
DEVICE void blockOctets(int64_t block, int64_t length, bool aligned, Body body) {
    const int64_t end = (block + 1) * BLOCK < length ? (block + 1) * BLOCK : length;
    int64_t i = block * BLOCK + threadIdx.x % BLOCK_THREADS * OCTET;
    if (aligned) {
        NOT_UNROLLED
        for (; i + OCTET <= end; i += BLOCK_THREADS * OCTET) {
            body(i, Whole());
        }
    }
    for (; i < end; i += BLOCK_THREADS * OCTET) {
        body(i, Part{0, end - i < OCTET ? (int) (end - i) : OCTET});
    }
}

// Loops over arrays of any strides.
#pragma once
#include "device.h"

/// The loops of org.dl4jsr.kernel.ElementLoops, outermost first; of those that are not needed the size is 1.
template <int OPERANDS>
struct Loops {
    int64_t sizes[LOOPS], steps[OPERANDS][LOOPS];

    /// Of the innermost loop.
    METHOD int64_t step(int operand) const { return steps[operand][LOOPS - 1]; }
};

/// Calls body(offsets of the operands, count) for all runs of up to LENGTH elements of the innermost loop, all threads
/// of the grid together.
template <int LENGTH, int OPERANDS, class Body>
DEVICE void eachRun(const Loops<OPERANDS>& loops, Body body) {
    const int64_t inner = loops.sizes[LOOPS - 1], runs = (inner + LENGTH - 1) / LENGTH;
    int64_t total = runs;
    UNROLLED
    for (int d = 0; d < LOOPS - 1; d++) {
        total *= loops.sizes[d];
    }
    for (int64_t run = threadIndex(); run < total; run += threads()) {
        int64_t rest = run / runs, first = (run - rest * runs) * LENGTH, offsets[OPERANDS];
        UNROLLED
        for (int k = 0; k < OPERANDS; k++) {
            offsets[k] = first * loops.step(k);
        }
        UNROLLED
        for (int d = LOOPS - 2; d >= 0; d--) {
            if (rest == 0) {
                break;
            }
            const int64_t outer = rest / loops.sizes[d], index = rest - outer * loops.sizes[d];
            rest = outer;
            UNROLLED
            for (int k = 0; k < OPERANDS; k++) {
                offsets[k] += index * loops.steps[k][d];
            }
        }
        body(offsets, inner - first < LENGTH ? (int) (inner - first) : LENGTH);
    }
}

/// Up to eight elements that lie `step` apart; the others are zero.
template <class T>
DEVICE void loadRun(const T* source, int64_t step, int count, float (&x)[OCTET]) {
    if (step == 1 && count == OCTET && areAligned(source)) {
        Whole().load(source, x);
        return;
    }
    UNROLLED
    for (int k = 0; k < OCTET; k++) {
        x[k] = k < count ? load(source + k * step) : 0;
    }
}

/// Stores bits of FP32, or of BF16 in the upper half.
template <class T>
DEVICE void storeRunBits(T* target, int64_t step, int count, const U (&b)[OCTET]) {
    if (step == 1 && count == OCTET && areAligned(target)) {
        Whole().storeBits(target, b);
        return;
    }
    UNROLLED
    for (int k = 0; k < OCTET; k++) {
        if (k < count) {
            storeBits(target + k * step, b[k]);
        }
    }
}

/// Rounds to nearest.
DEVICE void storeRun(uint16_t* target, int64_t step, int count, const float (&x)[OCTET]) {
    U b[OCTET];
    UNROLLED
    for (int k = 0; k < OCTET; k++) {
        b[k] = nearest(x[k]);
    }
    storeRunBits(target, step, count, b);
}

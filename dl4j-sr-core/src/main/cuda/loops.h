// Loops over arrays of any strides.
#pragma once
#include "device.h"

/// The loops of org.dl4jsr.kernel.ElementLoops, outermost first; of those that are not needed the size is 1.
template <int OPERANDS>
struct Loops {
    int64_t sizes[LOOPS], steps[OPERANDS][LOOPS];
    int64_t divisors[LOOPS]; // of the sizes, of the innermost one's runs

    /// Of the innermost loop.
    METHOD int64_t step(int operand) const { return steps[operand][LOOPS - 1]; }
};

/// The quotient of x, below 2^31, by what KernelLauncher.divisor was made of: a multiplier, and above it a shift.
DEVICE U divide(U x, int64_t divisor) { return (U) (multiplyWide(x, (U) divisor) >> (divisor >> 32)); }

/// Calls body(offsets of the operands, count) for all runs of up to LENGTH elements of the innermost loop, all threads
/// of the grid together.
template <int LENGTH, int OPERANDS, class Body>
DEVICE void eachRun(const Loops<OPERANDS>& loops, Body body) {
    const int64_t inner = loops.sizes[LOOPS - 1];
    const U runs = (U) ((inner + LENGTH - 1) / LENGTH);
    U total = runs;
    UNROLLED
    for (int d = 0; d < LOOPS - 1; d++) {
        total *= (U) loops.sizes[d];
    }
    for (U run = (U) threadIndex(); run < total; run += (U) threads()) {
        U rest = divide(run, loops.divisors[LOOPS - 1]);
        const int64_t first = (int64_t) (run - rest * runs) * LENGTH;
        int64_t offsets[OPERANDS];
        UNROLLED
        for (int k = 0; k < OPERANDS; k++) {
            offsets[k] = first * loops.step(k);
        }
        UNROLLED
        for (int d = LOOPS - 2; d >= 0; d--) {
            if (rest == 0) {
                break;
            }
            const U outer = divide(rest, loops.divisors[d]), index = rest - outer * (U) loops.sizes[d];
            rest = outer;
            UNROLLED
            for (int k = 0; k < OPERANDS; k++) {
                offsets[k] += index * loops.steps[k][d];
            }
        }
        body(offsets, inner - first < LENGTH ? (int) (inner - first) : LENGTH);
    }
}

/// A place in the loops and the operands' offsets there.
template <int OPERANDS>
struct Place {
    const Loops<OPERANDS>& loops;
    U index[LOOPS];
    int64_t offsets[OPERANDS];

    /// At the n-th element of loops in runs of one.
    METHOD Place(const Loops<OPERANDS>& loops, U n) : loops(loops), offsets() {
        UNROLLED
        for (int d = LOOPS - 1; d >= 0; d--) {
            const U outer = divide(n, loops.divisors[d]);
            index[d] = n - outer * (U) loops.sizes[d];
            n = outer;
            UNROLLED
            for (int k = 0; k < OPERANDS; k++) {
                offsets[k] += index[d] * loops.steps[k][d];
            }
        }
    }

    /// Goes to the next element.
    METHOD void advance() {
        UNROLLED
        for (int d = LOOPS - 1; d >= 0; d--) {
            const bool within = ++index[d] < (U) loops.sizes[d];
            UNROLLED
            for (int k = 0; k < OPERANDS; k++) {
                offsets[k] += within ? loops.steps[k][d] : (1 - loops.sizes[d]) * loops.steps[k][d];
            }
            if (within) {
                break;
            }
            index[d] = 0;
        }
    }
};

/// Whether a run is eight neighbours at a 16-byte boundary.
DEVICE bool isWhole(const void* run, int64_t step, int count) {
    return step == 1 && count == OCTET && (uintptr_t) run % 16 == 0;
}

/// Up to eight elements that lie `step` apart; the others are zero.
template <class T>
DEVICE void loadRun(const T* source, int64_t step, int count, float (&x)[OCTET]) {
    if (isWhole(source, step, count)) {
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
    if (isWhole(target, step, count)) {
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
    if (isWhole(target, step, count)) {
        store(Whole(), target, x);
        return;
    }
    UNROLLED
    for (int k = 0; k < OCTET; k++) {
        if (k < count) {
            store(target + k * step, x[k]);
        }
    }
}

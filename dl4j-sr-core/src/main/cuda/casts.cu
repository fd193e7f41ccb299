// Casts and stochastic rounding. They give the bits of JavaKernels: compile without contraction (--fmad=false --ftz=false).
#include "random.h"

KERNEL(THREADS, toBFloat16, const float* source, uint16_t* target, int64_t length) {
    const int shift = shiftOf(target);
    eachOctet(length, shift, areAligned(source - shift, target - shift), [&](int64_t i, auto octet) {
        float x[OCTET];
        octet.load(source + i, x);
        store(octet, target + i, x);
    });
}

KERNEL(THREADS, toFloat, const uint16_t* source, float* target, int64_t length) {
    const int shift = shiftOf(source);
    eachOctet(length, shift, areAligned(source - shift, target - shift), [&](int64_t i, auto octet) {
        float x[OCTET];
        octet.load(source + i, x);
        store(octet, target + i, x);
    });
}

KERNEL(THREADS, stochasticRound, const float* source, uint16_t* target, int64_t length, int64_t seed, int step,
       int64_t element) {
    const PhiloxKeys keys(seed);
    const int shift = (int) (element % OCTET);
    eachOctet(length, shift, areAligned(source - shift, target - shift), [&](int64_t i, auto octet) {
        float x[OCTET];
        U random[OCTET], rounded[OCTET];
        octet.load(source + i, x);
        randomWords(keys, step, element + i, random);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            rounded[k] = stochastic(x[k], random[k] & 0xFFFFu);
        }
        octet.storeBits(target + i, rounded);
    });
}

template <class Update>
DEVICE void stochasticSubtract(
        uint16_t* weights, const Update* update, int64_t length, int64_t seed, int step, int64_t element) {
    const PhiloxKeys keys(seed);
    const int shift = (int) (element % OCTET);
    eachOctet(length, shift, areAligned(weights - shift, update - shift), [&](int64_t i, auto octet) {
        float p[OCTET], u[OCTET];
        U random[OCTET], rounded[OCTET];
        octet.load(weights + i, p);
        octet.load(update + i, u);
        randomWords(keys, step, element + i, random);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            rounded[k] = stochastic(p[k] - u[k], random[k] & 0xFFFFu);
        }
        octet.storeBits(weights + i, rounded);
    });
}

KERNEL(THREADS, stochasticSubtract_float, uint16_t* weights, const float* update, int64_t length, int64_t seed,
       int step, int64_t element) {
    stochasticSubtract(weights, update, length, seed, step, element);
}

KERNEL(THREADS, stochasticSubtract_bfloat16, uint16_t* weights, const uint16_t* update, int64_t length, int64_t seed,
       int step, int64_t element) {
    stochasticSubtract(weights, update, length, seed, step, element);
}

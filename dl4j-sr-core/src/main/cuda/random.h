// The random bits of package org.dl4jsr.rounding.
#pragma once
#include "device.h"

/// The four words of a Philox block.
DEVICE void philoxBlock(const PhiloxKeys& keys, int step, Stream stream, uint64_t block, U* words) {
    W c0 = block, c1 = block >> 32, c2 = (uint32_t) step, c3 = stream;
    philox(c0, c1, c2, c3, keys);
    words[0] = (U) c0;
    words[1] = (U) c1;
    words[2] = (U) c2;
    words[3] = (U) c3;
}

/// The words of the eight elements from this multiple of eight on.
DEVICE void randomWords(const PhiloxKeys& keys, int step, int64_t element, U (&words)[OCTET]) {
    UNROLLED
    for (int half = 0; half < 2; half++) {
        philoxBlock(keys, step, WEIGHT_STREAM, ((uint64_t) element >> 2) + half, words + 4 * half);
    }
}

/// The halves, in the low bits, for first moments of the eight elements from this multiple of eight on.
DEVICE void randomHalves(const PhiloxKeys& keys, int step, int64_t element, U (&halves)[OCTET]) {
    U words[OCTET / 2];
    philoxBlock(keys, step, MOMENT_STREAM, (uint64_t) element >> 3, words);
    UNROLLED
    for (int k = 0; k < OCTET; k++) {
        halves[k] = words[k / 2] >> k % 2 * 16;
    }
}

/// One word of a stream.
DEVICE U randomWord(const PhiloxKeys& keys, int step, Stream stream, int64_t index) {
    U words[4];
    philoxBlock(keys, step, stream, (uint64_t) index >> 2, words);
    return index & 2 ? index & 1 ? words[3] : words[2] : index & 1 ? words[1] : words[0];
}

// The random bits of package org.dl4jsr.rounding.
#pragma once
#include "device.h"

/// The random bits of the eight elements from this multiple of eight on.
DEVICE void randomBits(const PhiloxKeys& keys, int step, int64_t element, U (&random)[OCTET]) {
    UNROLLED
    for (int half = 0; half < 2; half++) {
        const uint64_t block = ((uint64_t) element >> 2) + half;
        W c0 = block, c1 = block >> 32, c2 = (uint32_t) step, c3 = 0;
        philox(c0, c1, c2, c3, keys);
        random[4 * half] = (U) c0;
        random[4 * half + 1] = (U) c1;
        random[4 * half + 2] = (U) c2;
        random[4 * half + 3] = (U) c3;
    }
}

/// The random bits of one element.
DEVICE U randomWord(const PhiloxKeys& keys, int step, int64_t element) {
    W c0 = (uint64_t) element >> 2, c1 = c0 >> 32, c2 = (uint32_t) step, c3 = 0;
    philox(c0, c1, c2, c3, keys);
    return (U) (element & 2 ? element & 1 ? c3 : c2 : element & 1 ? c1 : c0);
}

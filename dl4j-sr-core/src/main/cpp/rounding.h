// The arithmetic of package org.dl4jsr.rounding and of one AdamW step, for one value or for one vector of values.
// Included once for each instruction set, inside its namespace, after the file that defines there
//   F, U, W             float, uint32_t, uint64_t or GNU vectors of them (W holds half as many lanes as U)
//   LANES_FUNCTION      how such a function is declared
//   bits(F), value(U)   the same bits as the other type
//   squareRoot(F)       correctly rounded
//   multiplyLow32(W, W) the 64-bit products of the lanes' low 32 bits
// Only 32/64-bit integer operations and single IEEE float operations, each rounded once, so that any compiler gives the
// same bits as long as contraction is off (g++ -ffp-contract=off, NVRTC --fmad=false --ftz=false).

/// FP32 to the bits of BF16, ties to even.
LANES_FUNCTION U nearest(F x) {
    U b = bits(x);
    U rounded = (b + 0x7FFFu + ((b >> 16) & 1u)) >> 16;
    return x != x ? U{} + 0x7FC0u : rounded;
}

/// The weight in place of a master that does not round to it: the state is fresh, or somebody set the weight.
LANES_FUNCTION F masterWeight(F master, F weight) {
    return value(nearest(master) == bits(weight) >> 16 ? bits(master) : bits(weight));
}

/// FP32 to the bits of BF16 with random bits in 0..65535.
LANES_FUNCTION U stochastic(F x, U random) {
    U b = bits(x);
    U magnitude = b & 0x7FFFFFFFu;
    U rounded = (magnitude + random) >> 16;
    U limit = magnitude == 0x7F800000u ? U{} + 0x7F80u : U{} + 0x7F7Fu;
    rounded = (rounded < limit ? rounded : limit) | ((b >> 16) & 0x8000u);
    return x != x ? U{} + 0x7FC0u : rounded;
}

/// The bits to store for FP32: NaN payloads differ between devices, so there is one NaN only.
LANES_FUNCTION U canonical(F x) {
    return x != x ? U{} + 0x7FC00000u : bits(x);
}

/// Philox4x32-10 on the low 32 bits of each lane; the high bits of the results are undefined.
LANES_FUNCTION void philox(W& c0, W& c1, W& c2, W& c3, uint64_t key) {
    uint32_t k0 = (uint32_t) key;
    uint32_t k1 = (uint32_t) (key >> 32);
    for (int round = 0; round < 10; round++) {
        W product0 = multiplyLow32(W{} + (uint64_t) 0xD2511F53u, c0);
        W product1 = multiplyLow32(W{} + (uint64_t) 0xCD9E8D57u, c2);
        c0 = (product1 >> 32) ^ c1 ^ (uint64_t) k0;
        c1 = product1;
        c2 = (product0 >> 32) ^ c3 ^ (uint64_t) k1;
        c3 = product0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

/// Moves m and v by the (scaled) gradient g and returns learningRate * u for the weight p.
LANES_FUNCTION F adamWUpdate(const AdamWScalars& s, F g, F p, F& m, F& v) {
    m = m * s.beta1 + g * s.oneMinusBeta1;
    v = v * s.beta2 + (g * g) * s.oneMinusBeta2;
    F u = (m * s.biasCorrection1) / (squareRoot(v * s.biasCorrection2) + s.epsilon) + p * s.weightDecay;
    return u * s.learningRate;
}

/// The BF16 bits of the weight p - update; c is the compensation of KAHAN.
template <int WRITE>
LANES_FUNCTION U writeWeight(F p, F update, F& c, U random) {
    if (WRITE == STOCHASTIC) {
        return stochastic(p - update, random & 0xFFFFu);
    }
    if (WRITE == NEAREST) {
        return nearest(p - update);
    }
    F d = c - update;
    U stored = nearest(p + d);
    c = d - (value(stored << 16) - p);
    return stored;
}

/// The BF16 bits of the second moment.
LANES_FUNCTION U writeSecondMoment(const AdamWScalars& s, F v, U random) {
    return s.stateRounding == STATE_STOCHASTIC ? stochastic(v, random >> 16) : nearest(v);
}

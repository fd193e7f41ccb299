// The arithmetic of package org.dl4jsr.rounding, for one value or for one vector of values.
// Included once for each instruction set, inside its namespace, after types.h and the file that defines there
//   F, U, W             float, uint32_t, uint64_t or GNU vectors of them (W holds half as many lanes as U)
//   LANES_FUNCTION      how such a function is declared, LANES_METHOD one of a structure
//   UNROLLED            before a loop over few values in registers
//   bits(F), value(U)   the same bits as the other type
//   squareRoot(F)       correctly rounded
//   multiplyLow32(W, W) the 64-bit products of the lanes' low 32 bits
//   upperHalves(W)      those of the 64-bit lanes in their lower halves, anything in the upper ones
//   exclusiveOr(W, W, W)
//   allBelow(U, limit)  whether all lanes are; both are below 2^31
// Only 32/64-bit integer operations and single IEEE float operations, each rounded once, so that any compiler gives the
// same bits as long as contraction is off (g++ -ffp-contract=off, NVRTC --fmad=false --ftz=false).

// BF16 results are 32-bit words whose upper half is the BF16; the lower half is undefined.

/// FP32, not NaN, to BF16, ties to even.
LANES_FUNCTION U nearestNumber(F x) {
    U b = bits(x);
    return b + ((b & 0x10000u) == 0u ? U{} + 0x7FFFu : U{} + 0x8000u);
}

/// FP32 to BF16, ties to even.
LANES_FUNCTION U nearest(F x) { return x != x ? U{} + 0x7FC00000u : nearestNumber(x); }

/// FP32 of magnitude below 2^127 to BF16 with random bits in 0..65535.
LANES_FUNCTION U stochasticNumber(F x, U random) { return bits(x) + random; }

/// FP32 to BF16 with random bits in 0..65535.
LANES_FUNCTION U stochastic(F x, U random) {
    U magnitude = bits(x) & 0x7FFFFFFFu;
    U sum = magnitude + random;
    U limit = magnitude == 0x7F800000u ? U{} + 0x7F80FFFFu : U{} + 0x7F7FFFFFu;
    U rounded = (sum < limit ? sum : limit) | (bits(x) & 0x80000000u);
    return x != x ? U{} + 0x7FC00000u : rounded;
}

/// A BF16 result as the bits of FP32.
LANES_FUNCTION U widened(U upper) { return upper & 0xFFFF0000u; }

/// The weight in place of a master that does not round to it: the state is fresh, or somebody set the weight.
LANES_FUNCTION F masterWeight(F master, F weight) {
    return value(widened(nearest(master)) == bits(weight) ? bits(master) : bits(weight));
}

/// The bits to store for FP32: NaN payloads differ between devices, so there is one NaN only.
LANES_FUNCTION U canonical(F x) {
    return x != x ? U{} + 0x7FC00000u : bits(x);
}

/// A round of Philox4x32 on the low 32 bits of each lane; the high bits of the results are undefined.
LANES_FUNCTION void philoxRound(W& c0, W& c1, W& c2, W& c3, uint64_t k0, uint64_t k1) {
    W product0 = multiplyLow32(W{} + (uint64_t) 0xD2511F53u, c0);
    W product1 = multiplyLow32(W{} + (uint64_t) 0xCD9E8D57u, c2);
    c0 = exclusiveOr(upperHalves(product1), c1, W{} + k0);
    c1 = product1;
    c2 = exclusiveOr(upperHalves(product0), c3, W{} + k1);
    c3 = product0;
}

/// All ten rounds.
LANES_FUNCTION void philox(W& c0, W& c1, W& c2, W& c3, const PhiloxKeys& keys) {
    for (int round = 0; round < PhiloxKeys::ROUNDS; round++) {
        philoxRound(c0, c1, c2, c3, keys.k0[round], keys.k1[round]);
    }
}

/// Below this magnitude, as bits, all roundings are simple.
static const uint32_t ORDINARY_LIMIT = 0x7F000000u; // 2^127

/// As nearest; ORDINARY: x lies below the limit.
template <bool ORDINARY>
LANES_FUNCTION U nearestOf(F x) { return ORDINARY ? nearestNumber(x) : nearest(x); }

/// As stochastic; ORDINARY: x lies below the limit.
template <bool ORDINARY>
LANES_FUNCTION U stochasticOf(F x, U random) { return ORDINARY ? stochasticNumber(x, random) : stochastic(x, random); }

LANES_FUNCTION U magnitude(F x) { return bits(x) & 0x7FFFFFFFu; }

LANES_FUNCTION U greater(U a, U b) { return a > b ? a : b; }

// The modes of org.dl4jsr.rounding.WeightWrite, by the same names: what each needs, and unless it keeps FP32 state: the
// BF16 weight p - update, where c is what is kept beside the weight. ORDINARY: p - update lies below the limit.

struct STOCHASTIC {
    static const bool RANDOM = true, EXTRA = false, FP32_STATE = false;

    template <bool ORDINARY>
    LANES_METHOD static U write(F p, F update, F&, U random) {
        return stochasticOf<ORDINARY>(p - update, random & 0xFFFFu);
    }
};

struct NEAREST {
    static const bool RANDOM = false, EXTRA = false, FP32_STATE = false;

    template <bool ORDINARY>
    LANES_METHOD static U write(F p, F update, F&, U) { return nearestOf<ORDINARY>(p - update); }
};

struct KAHAN {
    static const bool RANDOM = false, EXTRA = true, FP32_STATE = false;

    template <bool>
    LANES_METHOD static U write(F p, F update, F& c, U) {
        F d = c - update;
        U stored = nearest(p + d);
        c = d - (value(widened(stored)) - p);
        return stored;
    }
};

struct MASTER {
    static const bool RANDOM = false, EXTRA = true, FP32_STATE = true;
};

/// All modes; further arguments go on to X.
#define WEIGHT_WRITES(X, ...) \
    X(STOCHASTIC, __VA_ARGS__) X(NEAREST, __VA_ARGS__) X(KAHAN, __VA_ARGS__) X(MASTER, __VA_ARGS__)

// One value at a time: any processor, and what is left over at the ends of an array.

typedef float F;
typedef uint32_t U;
typedef uint64_t W;

static const int LANES = 1;

#define LANES_FUNCTION static LANES_METHOD
#define LANES_METHOD inline __attribute__((always_inline))
#define UNROLLED _Pragma("GCC unroll 16")

LANES_FUNCTION U bits(F x) {
    U u;
    __builtin_memcpy(&u, &x, sizeof u);
    return u;
}

LANES_FUNCTION F value(U u) {
    F x;
    __builtin_memcpy(&x, &u, sizeof x);
    return x;
}

LANES_FUNCTION F squareRoot(F x) { return __builtin_sqrtf(x); }

LANES_FUNCTION W multiplyLow32(W a, W b) { return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu); }

LANES_FUNCTION W upperHalves(W x) { return x >> 32; }

LANES_FUNCTION W exclusiveOr(W a, W b, W c) { return a ^ b ^ c; }

LANES_FUNCTION bool allBelow(U x, uint32_t limit) { return x < limit; }

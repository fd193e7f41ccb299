// Eight values at a time.

typedef float F __attribute__((vector_size(32)));
typedef uint32_t U __attribute__((vector_size(32)));
typedef uint64_t W __attribute__((vector_size(32)));
typedef double D __attribute__((vector_size(32)));
typedef uint16_t Half __attribute__((vector_size(16)));

static const int LANES = 8;

/// Philox blocks in rising order, and in the order that unpacking a pair turns into rising.
static const W RISING = {0, 1, 2, 3};
static const W ALTERNATING = {0, 2, 1, 3};

LANES_FUNCTION U bits(F x) { return (U) x; }

LANES_FUNCTION F value(U u) { return (F) u; }

LANES_FUNCTION F squareRoot(F x) { return (F) _mm256_sqrt_ps((__m256) x); }

LANES_FUNCTION W multiplyLow32(W a, W b) { return (W) _mm256_mul_epu32((__m256i) a, (__m256i) b); }

LANES_FUNCTION W upperHalves(W x) { return x >> 32; }

LANES_FUNCTION W exclusiveOr(W a, W b, W c) { return a ^ b ^ c; }

/// The lower halves of the 64-bit lanes of a, each followed by that of b.
LANES_FUNCTION U lowerHalves(W a, W b) {
    return (U) _mm256_blend_epi32((__m256i) a, _mm256_slli_epi64((__m256i) b, 32), 0xAA);
}

/// The upper halves of the 32-bit lanes of a, each followed by that of b.
LANES_FUNCTION U upperHalves(U a, U b) {
    return (U) _mm256_blend_epi16(_mm256_srli_epi32((__m256i) a, 16), (__m256i) b, 0xAA);
}

/// Of each 128 bits: the lower 64 of even and odd, interleaved.
LANES_FUNCTION U unpackLow(U even, U odd) { return (U) _mm256_unpacklo_epi32((__m256i) even, (__m256i) odd); }

/// Of each 128 bits: the upper 64 of even and odd, interleaved.
LANES_FUNCTION U unpackHigh(U even, U odd) { return (U) _mm256_unpackhi_epi32((__m256i) even, (__m256i) odd); }

/// Of each 128 bits: the lower, or the upper, 64 of a, then those of b.
LANES_FUNCTION U unpackLow64(U a, U b) { return (U) _mm256_unpacklo_epi64((__m256i) a, (__m256i) b); }
LANES_FUNCTION U unpackHigh64(U a, U b) { return (U) _mm256_unpackhi_epi64((__m256i) a, (__m256i) b); }

/// Stores a pair in the order of its elements.
LANES_FUNCTION void storePair(float* target, F even, F odd) {
    __m256 low = (__m256) unpackLow(bits(even), bits(odd)), high = (__m256) unpackHigh(bits(even), bits(odd));
    _mm256_storeu_ps(target, _mm256_permute2f128_ps(low, high, 0x20));
    _mm256_storeu_ps(target + 8, _mm256_permute2f128_ps(low, high, 0x31));
}

/// Whether all lanes are below the limit; both are below 2^31.
LANES_FUNCTION bool allBelow(U x, uint32_t limit) {
    return _mm256_movemask_epi8(_mm256_cmpgt_epi32(_mm256_set1_epi32((int) limit), (__m256i) x)) == -1;
}

/// Adds the squares of the lower and of the upper half of x to sums. They are exact in double: fusing changes no bit.
LANES_FUNCTION void addSquares(F x, D& low, D& high) {
    __m256d a = _mm256_cvtps_pd(_mm256_castps256_ps128((__m256) x));
    __m256d b = _mm256_cvtps_pd(_mm256_extractf128_ps((__m256) x, 1));
    low = (D) _mm256_fmadd_pd(a, a, (__m256d) low);
    high = (D) _mm256_fmadd_pd(b, b, (__m256d) high);
}

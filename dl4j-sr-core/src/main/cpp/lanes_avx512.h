// Sixteen values at a time.

typedef float F __attribute__((vector_size(64)));
typedef uint32_t U __attribute__((vector_size(64)));
typedef uint64_t W __attribute__((vector_size(64)));
typedef double D __attribute__((vector_size(64)));
typedef uint16_t Half __attribute__((vector_size(32)));

static const int LANES = 16;

/// Philox blocks in rising order, and in the order that unpacking a pair turns into rising.
static const W RISING = {0, 1, 2, 3, 4, 5, 6, 7};
static const W ALTERNATING = {0, 4, 1, 5, 2, 6, 3, 7};

LANES_FUNCTION U bits(F x) { return (U) x; }

LANES_FUNCTION F value(U u) { return (F) u; }

LANES_FUNCTION F squareRoot(F x) { return (F) _mm512_sqrt_ps((__m512) x); }

LANES_FUNCTION W multiplyLow32(W a, W b) { return (W) _mm512_mul_epu32((__m512i) a, (__m512i) b); }

/// By a shuffle: Intel's processors shift and divide in the same port.
LANES_FUNCTION W upperHalves(W x) { return (W) _mm512_shuffle_epi32((__m512i) x, (_MM_PERM_ENUM) 0xF5); }

LANES_FUNCTION W exclusiveOr(W a, W b, W c) {
    return (W) _mm512_ternarylogic_epi64((__m512i) a, (__m512i) b, (__m512i) c, 0x96);
}

/// The lower halves of the 64-bit lanes of a, each followed by that of b.
LANES_FUNCTION U lowerHalves(W a, W b) {
    return (U) _mm512_mask_shuffle_epi32((__m512i) a, 0xAAAA, (__m512i) b, (_MM_PERM_ENUM) 0xA0);
}

/// The upper halves of the 32-bit lanes of a, each followed by that of b.
LANES_FUNCTION U upperHalves(U a, U b) {
    const __m512i twice = _mm512_set4_epi32(0x0F0E0F0E, 0x0B0A0B0A, 0x07060706, 0x03020302);
    return (U) _mm512_mask_shuffle_epi8((__m512i) b, 0x3333333333333333, (__m512i) a, twice);
}

/// Of each 128 bits: the lower 64 of even and odd, interleaved.
LANES_FUNCTION U unpackLow(U even, U odd) { return (U) _mm512_unpacklo_epi32((__m512i) even, (__m512i) odd); }

/// Of each 128 bits: the upper 64 of even and odd, interleaved.
LANES_FUNCTION U unpackHigh(U even, U odd) { return (U) _mm512_unpackhi_epi32((__m512i) even, (__m512i) odd); }

/// Of each 128 bits: the lower, or the upper, 64 of a, then those of b.
LANES_FUNCTION U unpackLow64(U a, U b) { return (U) _mm512_unpacklo_epi64((__m512i) a, (__m512i) b); }
LANES_FUNCTION U unpackHigh64(U a, U b) { return (U) _mm512_unpackhi_epi64((__m512i) a, (__m512i) b); }

/// Stores a pair in the order of its elements.
LANES_FUNCTION void storePair(float* target, F even, F odd) {
    __m512d low = (__m512d) unpackLow(bits(even), bits(odd)), high = (__m512d) unpackHigh(bits(even), bits(odd));
    const __m512i first = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    const __m512i second = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
    _mm512_storeu_pd(target, _mm512_permutex2var_pd(low, first, high));
    _mm512_storeu_pd(target + 16, _mm512_permutex2var_pd(low, second, high));
}

/// Whether all lanes are below the limit.
LANES_FUNCTION bool allBelow(U x, uint32_t limit) {
    return _mm512_cmplt_epu32_mask((__m512i) x, _mm512_set1_epi32((int) limit)) == 0xFFFF;
}

/// Adds the squares of the lower and of the upper half of x to sums. They are exact in double: fusing changes no bit.
LANES_FUNCTION void addSquares(F x, D& low, D& high) {
    __m512d a = _mm512_cvtps_pd(_mm512_castps512_ps256((__m512) x));
    __m512d b = _mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512) x, 1));
    low = (D) _mm512_fmadd_pd(a, a, (__m512d) low);
    high = (D) _mm512_fmadd_pd(b, b, (__m512d) high);
}

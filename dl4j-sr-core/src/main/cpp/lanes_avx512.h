// Sixteen values at a time.

typedef float F __attribute__((vector_size(64)));
typedef uint32_t U __attribute__((vector_size(64)));
typedef uint64_t W __attribute__((vector_size(64)));
typedef double D __attribute__((vector_size(64)));
typedef uint16_t Half __attribute__((vector_size(32)));

static const int LANES = 16;

/// Philox blocks in rising order, and in the order that unpackLow and unpackHigh undo.
static const W RISING = {0, 1, 2, 3, 4, 5, 6, 7};
static const W ALTERNATING = {0, 4, 1, 5, 2, 6, 3, 7};

LANES_FUNCTION U bits(F x) { return (U) x; }

LANES_FUNCTION F value(U u) { return (F) u; }

LANES_FUNCTION F squareRoot(F x) { return (F) _mm512_sqrt_ps((__m512) x); }

LANES_FUNCTION W multiplyLow32(W a, W b) { return (W) _mm512_mul_epu32((__m512i) a, (__m512i) b); }

/// Of each 128 bits: the first 64 of a, then those of b.
LANES_FUNCTION U unpackLow(W a, W b) { return (U) _mm512_unpacklo_epi64((__m512i) a, (__m512i) b); }

/// Of each 128 bits: the last 64 of a, then those of b.
LANES_FUNCTION U unpackHigh(W a, W b) { return (U) _mm512_unpackhi_epi64((__m512i) a, (__m512i) b); }

/// Two vectors of BF16 as FP32: of each eight values the first four go to low, the others to high.
LANES_FUNCTION void loadPair(const uint16_t* source, F& low, F& high) {
    __m512i halves = _mm512_loadu_si512(source);
    low = (F) _mm512_unpacklo_epi16(_mm512_setzero_si512(), halves);
    high = (F) _mm512_unpackhi_epi16(_mm512_setzero_si512(), halves);
}

/// Stores the low halves of two vectors in the order of loadPair.
LANES_FUNCTION void storePair(uint16_t* target, U low, U high) {
    _mm512_storeu_si512(target, _mm512_packus_epi32((__m512i) low, (__m512i) high));
}

/// Stores two vectors of FP32 in the order of loadPair.
LANES_FUNCTION void storePair(float* target, F low, F high) {
    __m512d a = (__m512d) low, b = (__m512d) high;
    _mm512_storeu_pd(target, _mm512_permutex2var_pd(a, _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), b));
    _mm512_storeu_pd(target + 16, _mm512_permutex2var_pd(a, _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), b));
}

LANES_FUNCTION void widen(F x, D& low, D& high) {
    low = (D) _mm512_cvtps_pd(_mm512_castps512_ps256((__m512) x));
    high = (D) _mm512_cvtps_pd(_mm512_extractf32x8_ps((__m512) x, 1));
}

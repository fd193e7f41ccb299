// Eight values at a time.

typedef float F __attribute__((vector_size(32)));
typedef uint32_t U __attribute__((vector_size(32)));
typedef uint64_t W __attribute__((vector_size(32)));
typedef double D __attribute__((vector_size(32)));
typedef uint16_t Half __attribute__((vector_size(16)));

static const int LANES = 8;

/// Philox blocks in rising order, and in the order that unpackLow and unpackHigh undo.
static const W RISING = {0, 1, 2, 3};
static const W ALTERNATING = {0, 2, 1, 3};

LANES_FUNCTION U bits(F x) { return (U) x; }

LANES_FUNCTION F value(U u) { return (F) u; }

LANES_FUNCTION F squareRoot(F x) { return (F) _mm256_sqrt_ps((__m256) x); }

LANES_FUNCTION W multiplyLow32(W a, W b) { return (W) _mm256_mul_epu32((__m256i) a, (__m256i) b); }

/// Of each 128 bits: the first 64 of a, then those of b.
LANES_FUNCTION U unpackLow(W a, W b) { return (U) _mm256_unpacklo_epi64((__m256i) a, (__m256i) b); }

/// Of each 128 bits: the last 64 of a, then those of b.
LANES_FUNCTION U unpackHigh(W a, W b) { return (U) _mm256_unpackhi_epi64((__m256i) a, (__m256i) b); }

/// Two vectors of BF16 as FP32: of each eight values the first four go to low, the others to high.
LANES_FUNCTION void loadPair(const uint16_t* source, F& low, F& high) {
    __m256i halves = _mm256_loadu_si256((const __m256i*) source);
    low = (F) _mm256_unpacklo_epi16(_mm256_setzero_si256(), halves);
    high = (F) _mm256_unpackhi_epi16(_mm256_setzero_si256(), halves);
}

/// Stores the low halves of two vectors in the order of loadPair.
LANES_FUNCTION void storePair(uint16_t* target, U low, U high) {
    _mm256_storeu_si256((__m256i*) target, _mm256_packus_epi32((__m256i) low, (__m256i) high));
}

/// Stores two vectors of FP32 in the order of loadPair.
LANES_FUNCTION void storePair(float* target, F low, F high) {
    _mm256_storeu_ps(target, _mm256_permute2f128_ps((__m256) low, (__m256) high, 0x20));
    _mm256_storeu_ps(target + 8, _mm256_permute2f128_ps((__m256) low, (__m256) high, 0x31));
}

LANES_FUNCTION void widen(F x, D& low, D& high) {
    low = (D) _mm256_cvtps_pd(_mm256_castps256_ps128((__m256) x));
    high = (D) _mm256_cvtps_pd(_mm256_extractf128_ps((__m256) x, 1));
}

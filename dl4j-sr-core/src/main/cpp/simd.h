// Vectors of SIMD_BYTES bytes for the kernels that promise a bound instead of bits: the compiler's vector extensions,
// and intrinsics where those lack an instruction. Memory may lie at any address.

static const int LANES = SIMD_BYTES / 4;

typedef float V __attribute__((vector_size(SIMD_BYTES)));
typedef uint32_t Bits __attribute__((vector_size(SIMD_BYTES)));
typedef int32_t Mask __attribute__((vector_size(SIMD_BYTES)));
typedef uint16_t Halves __attribute__((vector_size(SIMD_BYTES / 2)));

typedef V UnalignedV __attribute__((aligned(1), may_alias));
typedef Bits UnalignedBits __attribute__((aligned(1), may_alias));
typedef Halves UnalignedHalves __attribute__((aligned(1), may_alias));

#define SIMD_FUNCTION static inline __attribute__((always_inline))

SIMD_FUNCTION V broadcast(float x) { return x - V{}; } // keeps the sign of -0

/// 0, 1, 2...
SIMD_FUNCTION Mask lanes() {
    Mask m;
    for (int i = 0; i < LANES; i++) {
        m[i] = i;
    }
    return m;
}

/// a * b + c, rounded once where the processor can.
SIMD_FUNCTION V multiplyAdd(V a, V b, V c) {
#if SIMD_BYTES == 64
    return (V) _mm512_fmadd_ps((__m512) a, (__m512) b, (__m512) c);
#elif SIMD_BYTES == 32
    return (V) _mm256_fmadd_ps((__m256) a, (__m256) b, (__m256) c);
#else
    return a * b + c;
#endif
}

/// The greater one; b where one is NaN.
SIMD_FUNCTION V maximum(V a, V b) { return a > b ? a : b; }

/// The lesser one; b where one is NaN.
SIMD_FUNCTION V minimum(V a, V b) { return a < b ? a : b; }

/// 1 / x with a relative error below 2^-21, for normal x.
SIMD_FUNCTION V reciprocal(V x) {
#if SIMD_BYTES == 16
    return 1.0f / x;
#else
#if SIMD_BYTES == 64
    V inverse = (V) _mm512_rcp14_ps((__m512) x);
#else
    V inverse = (V) _mm256_rcp_ps((__m256) x);
#endif
    return inverse * multiplyAdd(-x, inverse, broadcast(2.0f)); // a step of Newton's method
#endif
}

/// The sum of the lanes.
SIMD_FUNCTION float sum(V x) {
    for (int half = LANES / 2; half > 0; half /= 2) {
        x += __builtin_shuffle(x, lanes() + half);
    }
    return x[0];
}

/// The greatest lane.
SIMD_FUNCTION float greatest(V x) {
    for (int half = LANES / 2; half > 0; half /= 2) {
        x = maximum(x, __builtin_shuffle(x, lanes() + half));
    }
    return x[0];
}

/// The bits of BF16, in the low halves, nearest to x, ties to even.
SIMD_FUNCTION Bits nearest(V x) {
    Bits b = (Bits) x;
    Bits rounded = (b + 0x7FFFu + (b >> 16 & 1u)) >> 16;
    return x != x ? Bits{} + 0x7FC0u : rounded;
}

SIMD_FUNCTION V load(const float* source) { return *(const UnalignedV*) source; }

SIMD_FUNCTION V load(const uint16_t* source) {
    Halves halves = *(const UnalignedHalves*) source;
#if SIMD_BYTES == 64
    Bits wide = (Bits) _mm512_cvtepu16_epi32((__m256i) halves);
#elif SIMD_BYTES == 32
    Bits wide = (Bits) _mm256_cvtepu16_epi32((__m128i) halves);
#else
    Bits wide = __builtin_convertvector(halves, Bits);
#endif
    return (V) (wide << 16);
}

SIMD_FUNCTION void store(float* target, V x) { *(UnalignedV*) target = x; }

SIMD_FUNCTION void store(uint16_t* target, V x) {
#if defined(DL4JSR_AVX512BF16)
    Halves halves = (Halves) _mm512_cvtneps_pbh((__m512) x); // subnormal values become zero
#elif SIMD_BYTES == 64
    Halves halves = (Halves) _mm512_cvtepi32_epi16((__m512i) nearest(x));
#elif SIMD_BYTES == 32
    __m256i wide = (__m256i) nearest(x);
    Halves halves = (Halves) _mm_packus_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
#else
    Halves halves = __builtin_convertvector(nearest(x), Halves);
#endif
    *(UnalignedHalves*) target = halves;
}

/// The number of values of a vector that lie in the array: all of them, or those before its end.
struct Whole {};
struct Part {
    int values;
};

template <class T>
SIMD_FUNCTION V load(const T* source, Whole) { return load(source); }

template <class T>
SIMD_FUNCTION void store(T* target, V x, Whole) { store(target, x); }

/// The values before the end, and zeros.
template <class T>
SIMD_FUNCTION V load(const T* source, Part part) {
    T values[LANES] = {};
    memcpy(values, source, part.values * sizeof(T));
    return load(values);
}

template <class T>
SIMD_FUNCTION void store(T* target, V x, Part part) {
    T values[LANES];
    store(values, x);
    memcpy(target, values, part.values * sizeof(T));
}

/// x, with other from the array's end on.
SIMD_FUNCTION V within(V x, Whole, V) { return x; }
SIMD_FUNCTION V within(V x, Part part, V other) { return lanes() < part.values ? x : other; }

/// Calls body(first index, Whole or Part) for the vectors of [0, length).
template <class Body>
SIMD_FUNCTION void eachVector(int64_t length, Body body) {
    int64_t i = 0;
    for (; i + LANES <= length; i += LANES) {
        body(i, Whole());
    }
    if (i < length) {
        body(i, Part{(int) (length - i)});
    }
}

/// The sum over [0, length) of term(first index, Whole or Part), which is zero where there is no value.
template <class Term>
SIMD_FUNCTION float sumOf(int64_t length, Term term) {
    V sums[4] = {}; // an addition waits for the one before
    int64_t i = 0;
    for (; i + 4 * LANES <= length; i += 4 * LANES) {
        for (int k = 0; k < 4; k++) {
            sums[k] += term(i + k * LANES, Whole());
        }
    }
    eachVector(length - i, [&](int64_t rest, auto part) { sums[0] += term(i + rest, part); });
    return sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

static const float LOG2_E = 1.442695041f;

/// 2^t with a relative error below 2^-22 for t in [-115, 127]; 0 below, so never subnormal and slow. NaN stays.
SIMD_FUNCTION V power2(V t) {
#if SIMD_BYTES == 64
    V n = (V) _mm512_roundscale_ps((__m512) t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#else
    V shifted = t + 0x1.8p23f; // the integer is in its last bits
    V n = shifted - 0x1.8p23f;
#endif
    V r = t - n;
    V p = broadcast(0x1.5bb988p-10f); // minimax on [-1/2, 1/2] with p(0) = 1, error 2^-23.3
    p = multiplyAdd(p, r, broadcast(0x1.3ceb1p-7f));
    p = multiplyAdd(p, r, broadcast(0x1.c6b758p-5f));
    p = multiplyAdd(p, r, broadcast(0x1.ebf9bap-3f));
    p = multiplyAdd(p, r, broadcast(0x1.62e42ap-1f));
    p = multiplyAdd(p, r, broadcast(1.0f));
#if SIMD_BYTES == 64
    __mmask16 kept = _mm512_cmp_ps_mask((__m512) t, (__m512) broadcast(-115.0f), _CMP_NLT_UQ);
    return (V) _mm512_maskz_scalef_ps(kept, (__m512) p, (__m512) n);
#else
    V power = (V) (((Bits) shifted << 23) + 0x3F800000u);
    return t < -115.0f ? V{} : p * power;
#endif
}

static inline int roundUp(int x, int unit) { return (x + unit - 1) / unit * unit; }

/// Copies values from one type of array to another, or the same.
template <class S, class T>
SIMD_FUNCTION void copy(const S* source, T* target, int64_t length) {
    eachVector(length, [&](int64_t i, auto part) { store(target + i, load(source + i, part), part); });
}

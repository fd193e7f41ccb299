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

SIMD_FUNCTION V broadcast(float x) { return V{} + x; }

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

/// a / b with a relative error below 2^-22, for normal b.
SIMD_FUNCTION V divide(V a, V b) {
#if SIMD_BYTES == 64
    V inverse = (V) _mm512_rcp14_ps((__m512) b);
    inverse = inverse * multiplyAdd(-b, inverse, broadcast(2.0f));
    return a * inverse;
#else
    return a / b;
#endif
}

SIMD_FUNCTION float sum(V x) {
    float lanes[LANES];
    memcpy(lanes, &x, sizeof lanes);
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; i++) {
            lanes[i] += lanes[i + half];
        }
    }
    return lanes[0];
}

SIMD_FUNCTION float largest(V x) {
    float m = x[0];
    for (int i = 1; i < LANES; i++) {
        m = x[i] > m ? x[i] : m;
    }
    return m;
}

/// The bits of BF16, in the low halves, nearest to x, ties to even.
SIMD_FUNCTION Bits nearest(V x) {
    Bits b = (Bits) x;
    Bits rounded = (b + 0x7FFFu + (b >> 16 & 1u)) >> 16;
    return x != x ? Bits{} + 0x7FC0u : rounded;
}

SIMD_FUNCTION V load(const float* source) { return *(const UnalignedV*) source; }

SIMD_FUNCTION V load(const uint16_t* source) {
    return (V) (__builtin_convertvector(*(const UnalignedHalves*) source, Bits) << 16);
}

SIMD_FUNCTION void store(float* target, V x) { *(UnalignedV*) target = x; }

SIMD_FUNCTION void store(uint16_t* target, V x) {
    *(UnalignedHalves*) target = __builtin_convertvector(nearest(x), Halves);
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

/// e^x with a relative error below 2^-21 for x in [-80, 80]; 0 below, e^80 above. Never subnormal, so never slow.
SIMD_FUNCTION V exponential(V x) {
    const V shift = broadcast(0x1.8p23f);
    V limited = x > 80.0f ? broadcast(80.0f) : x; // NaN stays
    V shifted = multiplyAdd(limited, broadcast(0x1.715476p0f), shift);
    V n = shifted - shift;
    V r = multiplyAdd(n, broadcast(-0x1.62e4p-1f), limited); // ln 2 in two parts, the first with trailing zeros
    r = multiplyAdd(n, broadcast(-0x1.7f7d1cp-20f), r);
    V p = broadcast(0x1.0fa7d8p-7f); // minimax on [-ln 2 / 2, ln 2 / 2] with p(0) = 1, error 2^-23.3
    p = multiplyAdd(p, r, broadcast(0x1.573adp-5f));
    p = multiplyAdd(p, r, broadcast(0x1.555a6ep-3f));
    p = multiplyAdd(p, r, broadcast(0x1.fffdc4p-2f));
    p = multiplyAdd(p, r, broadcast(0x1.fffff6p-1f));
    p = multiplyAdd(p, r, broadcast(1.0f));
#if SIMD_BYTES == 64
    return (V) _mm512_maskz_scalef_ps(
            _mm512_cmp_ps_mask((__m512) x, (__m512) broadcast(-80.0f), _CMP_NLT_UQ), (__m512) p, (__m512) n);
#else
    V power = (V) (((Bits) shifted << 23) + 0x3F800000u);
    return x < -80.0f ? V{} : p * power;
#endif
}

static inline int roundUp(int x, int unit) { return (x + unit - 1) / unit * unit; }

/// Copies FP32 values to an array.
template <class T>
SIMD_FUNCTION void copy(const float* source, T* target, int64_t length) {
    eachVector(length, [&](int64_t i, auto part) { store(target + i, load(source + i, part), part); });
}

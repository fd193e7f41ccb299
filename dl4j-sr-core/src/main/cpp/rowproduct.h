// A row times a matrix whose columns are contiguous, BF16 with FP32 sums: each weight is read once, where it lies.

#ifdef DL4JSR_AVX512BF16
/// Values of each factor that a vector's products take.
static const int FACTORS = 2 * LANES;

/// The sums with the products of a and b added; products of subnormal values are zero.
SIMD_FUNCTION V addProducts(V sums, const uint16_t* a, const uint16_t* b) {
    return (V) _mm512_dpbf16_ps(
            (__m512) sums, (__m512bh) *(const UnalignedBits*) a, (__m512bh) *(const UnalignedBits*) b);
}
#else
static const int FACTORS = LANES;

SIMD_FUNCTION V addProducts(V sums, const uint16_t* a, const uint16_t* b) { return multiplyAdd(load(a), load(b), sums); }
#endif

/// y [width] = x [depth] times the columns, one every so many values, or added to it.
static inline void rowProduct(
        int threads, const uint16_t* x, const uint16_t* columns, int64_t stride, float* y, bool adds, int depth,
        int width) {
    const int whole = depth / FACTORS * FACTORS;
    uint16_t last[FACTORS] = {}; // of x, and zeros
    memcpy(last, x + whole, (depth - whole) * sizeof(uint16_t));
#pragma omp parallel for num_threads(threadsFor(threads, blocksOf((int64_t) depth * width))) schedule(static)
    for (int first = 0; first < width; first += LANES) {
        const int count = width - first < LANES ? width - first : LANES;
        const uint16_t* column[LANES];
        for (int c = 0; c < LANES; c++) {
            column[c] = columns + (first + (c < count ? c : 0)) * stride;
        }
        V sums[LANES] = {};
        for (int i = 0; i < whole; i += FACTORS) {
#pragma GCC unroll 16
            for (int c = 0; c < LANES; c++) {
                sums[c] = addProducts(sums[c], x + i, column[c] + i);
            }
        }
        if (whole < depth) {
            for (int c = 0; c < LANES; c++) {
                uint16_t rest[FACTORS] = {};
                memcpy(rest, column[c] + whole, (depth - whole) * sizeof(uint16_t));
                sums[c] = addProducts(sums[c], last, rest);
            }
        }
        transposeTile(sums);
        for (int distance = LANES / 2; distance > 0; distance /= 2) {
            for (int c = 0; c < distance; c++) {
                sums[c] += sums[c + distance];
            }
        }
        const Part part{count};
        store(y + first, adds ? load(y + first, part) + sums[0] : sums[0], part);
    }
}

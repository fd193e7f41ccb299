// Causal attention of BF16 on tensor cores (compute capability 8.0 and up), for heads up to WIDTH wide: a block takes
// TENSOR_ROWS queries or keys, a warp 16 of them. Sums are FP32; probabilities and gradients of scores are rounded to BF16
// before they are multiplied again. Arrays lie at 16-byte boundaries and heads are a multiple of 8 wide.
#include "attention.h"

static_assert(TENSOR_ROWS == 16 * (TENSOR_THREADS / WARP), "a warp takes 16 rows");

/// A tile of rows in shared memory, WIDTH values each, padded so that neither rows nor columns meet in a bank.
template <int WIDTH>
struct Tile {
    static const int STRIDE = WIDTH + TENSOR_PADDING;

    uint16_t* memory;

    METHOD const uint16_t* at(int row, int column) const { return memory + row * STRIDE + column; }

    METHOD uint32_t pair(int row, int column) const { return *(const uint32_t*) at(row, column); }

    /// All threads of the block copy `count` rows from this one on; what lies behind `time` or `width` is zero.
    METHOD void load(Rows<const uint16_t> source, int from, int count, int time, int width) const {
        for (int i = threadIdx.x; i < count * (WIDTH / OCTET); i += TENSOR_THREADS) {
            const int row = i / (WIDTH / OCTET), column = i % (WIDTH / OCTET) * OCTET;
            *(uint4*) at(row, column) = from + row < time && column < width
                    ? *(const uint4*) (source.row(from + row) + column) : make_uint4(0, 0, 0, 0);
        }
    }
};

// The 16 x 16 left and 16 x 8 right factors and the 16 x 8 sums of a tensor core's product, as they lie in the lanes of
// a warp (PTX ISA, mma.m16n8k16).

DEVICE int laneRow() { return threadIdx.x % WARP / 4; }
DEVICE int laneColumn() { return threadIdx.x % 4 * 2; }

struct Left {
    uint32_t words[4];
};

struct Right {
    uint32_t words[2];
};

struct Sums {
    float values[4]; // of laneRow(), laneColumn() and the next, then of laneRow() + 8
};

/// Rows from `row` and columns from `column` on.
template <int WIDTH>
DEVICE Left leftOf(const Tile<WIDTH>& tile, int row, int column) {
    row += laneRow();
    column += laneColumn();
    return {tile.pair(row, column), tile.pair(row + 8, column), tile.pair(row, column + 8),
            tile.pair(row + 8, column + 8)};
}

/// The transpose of the tile's 8 rows from `row` on, columns from `column` on.
template <int WIDTH>
DEVICE Right transposedRight(const Tile<WIDTH>& tile, int row, int column) {
    row += laneRow();
    column += laneColumn();
    return {tile.pair(row, column), tile.pair(row, column + 8)};
}

/// The tile's 16 rows from `row` on, 8 columns from `column` on.
template <int WIDTH>
DEVICE Right rightOf(const Tile<WIDTH>& tile, int row, int column) {
    Right right;
    loadTransposed(tile.at(row + threadIdx.x % 16, column), right.words);
    return right;
}

/// Two tiles of sums, 16 columns, as a left factor.
DEVICE Left leftOf(const Sums& first, const Sums& second) {
    return {packNearest(first.values[0], first.values[1]), packNearest(first.values[2], first.values[3]),
            packNearest(second.values[0], second.values[1]), packNearest(second.values[2], second.values[3])};
}

DEVICE void multiplyAdd(Sums& sums, const Left& left, const Right& right) {
    tensorMultiplyAdd(sums.values, left.words, right.words);
}

template <int COUNT>
DEVICE void clear(Sums (&sums)[COUNT]) {
    UNROLLED
    for (int n = 0; n < COUNT; n++) {
        UNROLLED
        for (int i = 0; i < 4; i++) {
            sums[n].values[i] = 0;
        }
    }
}

/// sums = 16 rows of a from `row` on times the transpose of b's first 8 COUNT rows.
template <int WIDTH, int COUNT>
DEVICE void multiplyTransposed(Sums (&sums)[COUNT], const Tile<WIDTH>& a, int row, const Tile<WIDTH>& b) {
    clear(sums);
    UNROLLED
    for (int k = 0; k < WIDTH; k += 16) {
        const Left left = leftOf(a, row, k);
        UNROLLED
        for (int n = 0; n < COUNT; n++) {
            multiplyAdd(sums[n], left, transposedRight(b, 8 * n, k));
        }
    }
}

/// sums += a, 16 rows of 8 COUNT columns, times b's first 8 COUNT rows.
template <int WIDTH, int COUNT>
DEVICE void addProduct(Sums (&sums)[WIDTH / 8], const Sums (&a)[COUNT], const Tile<WIDTH>& b) {
    UNROLLED
    for (int k = 0; k < COUNT; k += 2) {
        const Left left = leftOf(a[k], a[k + 1]);
        UNROLLED
        for (int n = 0; n < WIDTH / 8; n++) {
            multiplyAdd(sums[n], left, rightOf(b, 8 * k, 8 * n));
        }
    }
}

/// Stores 16 rows from this one on, each times its factor.
template <int COUNT>
DEVICE void store(
        const Sums (&sums)[COUNT], Rows<uint16_t> target, int row, int time, int width, float factor, float factor8) {
    UNROLLED
    for (int n = 0; n < COUNT; n++) {
        const int column = 8 * n + laneColumn();
        if (column < width) {
            const float* x = sums[n].values;
            if (row + laneRow() < time) {
                *(uint32_t*) (target.row(row + laneRow()) + column) = packNearest(x[0] * factor, x[1] * factor);
            }
            if (row + laneRow() + 8 < time) {
                *(uint32_t*) (target.row(row + laneRow() + 8) + column) = packNearest(x[2] * factor8, x[3] * factor8);
            }
        }
    }
}

/// Over the four lanes that share a row.
DEVICE float rowSum(float x) {
    x += __shfl_xor_sync(0xFFFFFFFFu, x, 1);
    return x + __shfl_xor_sync(0xFFFFFFFFu, x, 2);
}

DEVICE float rowMaximum(float x) {
    x = fmaxf(x, __shfl_xor_sync(0xFFFFFFFFu, x, 1));
    return fmaxf(x, __shfl_xor_sync(0xFFFFFFFFu, x, 2));
}

/// Grid [batch * heads, query tiles].
template <int WIDTH>
DEVICE void attentionForward(const uint16_t* qkv, uint16_t* out, float* logSumExp, int time, int heads, int width) {
    DYNAMIC_SHARED_MEMORY(sharedMemory);
    const Head head(blockIdx.x, time, heads, width);
    const Rows<const uint16_t> q = head.part(qkv, 0, 3), k = head.part(qkv, 1, 3), v = head.part(qkv, 2, 3);
    const Tile<WIDTH> keys = {(uint16_t*) sharedMemory}, values = {keys.memory + TENSOR_ROWS * Tile<WIDTH>::STRIDE};
    const int first = blockIdx.y * TENSOR_ROWS, row = threadIdx.x / WARP * 16, query = first + row + laneRow();
    const float scale = LOG2_E / sqrtf((float) width);
    keys.load(q, first, TENSOR_ROWS, time, width);
    __syncthreads();
    Left queries[WIDTH / 16];
    UNROLLED
    for (int i = 0; i < WIDTH / 16; i++) {
        queries[i] = leftOf(keys, row, 16 * i);
    }
    Sums sums[WIDTH / 8], p[TENSOR_ROWS / 8];
    clear(sums);
    float top[2] = {-INFINITY, -INFINITY}, total[2] = {0, 0}; // of 2^score over the keys so far; total is the lane's
    for (int from = 0; from <= first && from < time; from += TENSOR_ROWS) {
        __syncthreads();
        keys.load(k, from, TENSOR_ROWS, time, width);
        values.load(v, from, TENSOR_ROWS, time, width);
        __syncthreads();
        clear(p);
        UNROLLED
        for (int i = 0; i < WIDTH / 16; i++) {
            UNROLLED
            for (int n = 0; n < TENSOR_ROWS / 8; n++) {
                multiplyAdd(p[n], queries[i], transposedRight(keys, 8 * n, 16 * i));
            }
        }
        float most[2] = {top[0], top[1]};
        UNROLLED
        for (int n = 0; n < TENSOR_ROWS / 8; n++) {
            UNROLLED
            for (int i = 0; i < 4; i++) {
                const int key = from + 8 * n + laneColumn() + i % 2;
                float& score = p[n].values[i];
                score = key <= query + i / 2 * 8 ? score * scale : -INFINITY;
                most[i / 2] = fmaxf(most[i / 2], score); // NaN is passed over here, but not in the sums
            }
        }
        float factor[2];
        UNROLLED
        for (int i = 0; i < 2; i++) {
            most[i] = rowMaximum(most[i]);
            most[i] = most[i] == -INFINITY ? 0 : most[i];
            factor[i] = exp2f(top[i] - most[i]);
            top[i] = most[i];
            total[i] *= factor[i];
        }
        UNROLLED
        for (int n = 0; n < TENSOR_ROWS / 8; n++) {
            UNROLLED
            for (int i = 0; i < 4; i++) {
                p[n].values[i] = exp2f(p[n].values[i] - top[i / 2]);
                total[i / 2] += p[n].values[i];
            }
        }
        UNROLLED
        for (int n = 0; n < WIDTH / 8; n++) {
            UNROLLED
            for (int i = 0; i < 4; i++) {
                sums[n].values[i] *= factor[i / 2];
            }
        }
        addProduct(sums, p, values);
    }
    UNROLLED
    for (int i = 0; i < 2; i++) {
        total[i] = rowSum(total[i]);
        if (laneColumn() == 0 && query + 8 * i < time) {
            logSumExp[(int64_t) blockIdx.x * time + query + 8 * i] = (top[i] + log2f(total[i])) / LOG2_E;
        }
    }
    store(sums, head.part(out, 0, 1), first + row, time, width, 1 / total[0], 1 / total[1]);
}

/// delta [batch * heads, time] = the products of the rows of out with those of its gradient, a warp a row of a head.
KERNEL(TENSOR_THREADS, attentionDelta, const uint16_t* out, const uint16_t* dOut, float* delta, int64_t rows, int time,
       int heads, int width) {
    const int64_t index = threadIndex() / WARP; // batch, head, time
    if (index >= rows) {
        return;
    }
    const Head head((int) (index / time), time, heads, width);
    const int row = (int) (index % time);
    const uint16_t *a = head.part(out, 0, 1).row(row), *b = head.part(dOut, 0, 1).row(row);
    float sum = 0;
    for (int c = threadIdx.x % WARP; c < width; c += WARP) {
        sum = fmaf(load(a + c), load(b + c), sum);
    }
    sum = warpSum(sum);
    if (threadIdx.x % WARP == 0) {
        delta[index] = sum;
    }
}

/// Turns a score into its probability and the gradient of the probability into that of the score.
DEVICE void scoreGradient(float& score, float& gradient, bool seen, float scale, float lse, float delta) {
    const float p = seen ? exp2f((score * scale - lse) * LOG2_E) : 0;
    score = p;
    gradient = seen ? p * (gradient - delta) * scale : 0;
}

/// dK and dV; grid [batch * heads, key tiles]. Queries come QUERIES at a time.
template <int WIDTH, int QUERIES>
DEVICE void attentionBackwardKeys(
        const uint16_t* qkv, const float* logSumExp, const float* delta, const uint16_t* dOut, uint16_t* dQkv,
        int time, int heads, int width) {
    DYNAMIC_SHARED_MEMORY(sharedMemory);
    __shared__ float lse[QUERIES], deltas[QUERIES];
    const Head head(blockIdx.x, time, heads, width);
    const Rows<const uint16_t> q = head.part(qkv, 0, 3), dOutRows = head.part(dOut, 0, 1);
    const Tile<WIDTH> keys = {(uint16_t*) sharedMemory}, values = {keys.memory + TENSOR_ROWS * Tile<WIDTH>::STRIDE};
    const Tile<WIDTH> queries = {values.memory + TENSOR_ROWS * Tile<WIDTH>::STRIDE};
    const Tile<WIDTH> dOuts = {queries.memory + QUERIES * Tile<WIDTH>::STRIDE};
    const int first = blockIdx.y * TENSOR_ROWS, row = threadIdx.x / WARP * 16, key = first + row + laneRow();
    const float scale = 1 / sqrtf((float) width);
    keys.load(head.part(qkv, 1, 3), first, TENSOR_ROWS, time, width);
    values.load(head.part(qkv, 2, 3), first, TENSOR_ROWS, time, width);
    Sums dKeys[WIDTH / 8], dValues[WIDTH / 8], p[QUERIES / 8], dScores[QUERIES / 8];
    clear(dKeys);
    clear(dValues);
    for (int from = first; from < time; from += QUERIES) {
        __syncthreads();
        queries.load(q, from, QUERIES, time, width);
        dOuts.load(dOutRows, from, QUERIES, time, width);
        for (int i = threadIdx.x; i < QUERIES && from + i < time; i += TENSOR_THREADS) {
            lse[i] = logSumExp[(int64_t) blockIdx.x * time + from + i];
            deltas[i] = delta[(int64_t) blockIdx.x * time + from + i];
        }
        __syncthreads();
        multiplyTransposed(p, keys, row, queries);
        multiplyTransposed(dScores, values, row, dOuts);
        UNROLLED
        for (int n = 0; n < QUERIES / 8; n++) {
            UNROLLED
            for (int i = 0; i < 4; i++) {
                const int column = 8 * n + laneColumn() + i % 2, query = from + column;
                const bool seen = key + i / 2 * 8 <= query && query < time;
                scoreGradient(p[n].values[i], dScores[n].values[i], seen, scale, seen ? lse[column] : 0,
                              seen ? deltas[column] : 0);
            }
        }
        addProduct(dValues, p, dOuts);
        addProduct(dKeys, dScores, queries);
    }
    store(dKeys, head.part(dQkv, 1, 3), first + row, time, width, 1, 1);
    store(dValues, head.part(dQkv, 2, 3), first + row, time, width, 1, 1);
}

/// dQ; grid [batch * heads, query tiles]. Keys come KEYS at a time.
template <int WIDTH, int KEYS>
DEVICE void attentionBackwardQueries(
        const uint16_t* qkv, const float* logSumExp, const float* delta, const uint16_t* dOut, uint16_t* dQkv,
        int time, int heads, int width) {
    DYNAMIC_SHARED_MEMORY(sharedMemory);
    const Head head(blockIdx.x, time, heads, width);
    const Rows<const uint16_t> k = head.part(qkv, 1, 3), v = head.part(qkv, 2, 3);
    const Tile<WIDTH> queries = {(uint16_t*) sharedMemory}, dOuts = {queries.memory + TENSOR_ROWS * Tile<WIDTH>::STRIDE};
    const Tile<WIDTH> keys = {dOuts.memory + TENSOR_ROWS * Tile<WIDTH>::STRIDE};
    const Tile<WIDTH> values = {keys.memory + KEYS * Tile<WIDTH>::STRIDE};
    const int first = blockIdx.y * TENSOR_ROWS, row = threadIdx.x / WARP * 16, query = first + row + laneRow();
    const float scale = 1 / sqrtf((float) width);
    float lse[2], deltas[2];
    UNROLLED
    for (int i = 0; i < 2; i++) {
        const bool real = query + 8 * i < time;
        lse[i] = real ? logSumExp[(int64_t) blockIdx.x * time + query + 8 * i] : 0;
        deltas[i] = real ? delta[(int64_t) blockIdx.x * time + query + 8 * i] : 0;
    }
    queries.load(head.part(qkv, 0, 3), first, TENSOR_ROWS, time, width);
    dOuts.load(head.part(dOut, 0, 1), first, TENSOR_ROWS, time, width);
    Sums dQueries[WIDTH / 8], p[KEYS / 8], dScores[KEYS / 8];
    clear(dQueries);
    for (int from = 0; from < first + TENSOR_ROWS && from < time; from += KEYS) {
        __syncthreads();
        keys.load(k, from, KEYS, time, width);
        values.load(v, from, KEYS, time, width);
        __syncthreads();
        multiplyTransposed(p, queries, row, keys);
        multiplyTransposed(dScores, dOuts, row, values);
        UNROLLED
        for (int n = 0; n < KEYS / 8; n++) {
            UNROLLED
            for (int i = 0; i < 4; i++) {
                const int key = from + 8 * n + laneColumn() + i % 2, own = query + i / 2 * 8;
                scoreGradient(p[n].values[i], dScores[n].values[i], key <= own && own < time, scale, lse[i / 2],
                              deltas[i / 2]);
            }
        }
        addProduct(dQueries, dScores, keys);
    }
    store(dQueries, head.part(dQkv, 0, 3), first + row, time, width, 1, 1);
}

#define ATTENTION_KERNELS(WIDTH, COLUMNS) \
    KERNEL(TENSOR_THREADS, attentionForward_mma##WIDTH, const uint16_t* qkv, uint16_t* out, float* logSumExp, int time, \
           int heads, int width) { \
        attentionForward<WIDTH>(qkv, out, logSumExp, time, heads, width); \
    } \
    KERNEL(TENSOR_THREADS, attentionBackwardKeys_mma##WIDTH, const uint16_t* qkv, const float* logSumExp, \
           const float* delta, const uint16_t* dOut, uint16_t* dQkv, int time, int heads, int width) { \
        attentionBackwardKeys<WIDTH, COLUMNS>(qkv, logSumExp, delta, dOut, dQkv, time, heads, width); \
    } \
    KERNEL(TENSOR_THREADS, attentionBackwardQueries_mma##WIDTH, const uint16_t* qkv, const float* logSumExp, \
           const float* delta, const uint16_t* dOut, uint16_t* dQkv, int time, int heads, int width) { \
        attentionBackwardQueries<WIDTH, COLUMNS>(qkv, logSumExp, delta, dOut, dQkv, time, heads, width); \
    }

ATTENTION_KERNELS(32, TENSOR_COLUMNS)
ATTENTION_KERNELS(64, TENSOR_COLUMNS)
ATTENTION_KERNELS(128, TENSOR_COLUMNS)

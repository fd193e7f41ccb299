// Causal attention of BF16 on tensor cores (compute capability 8.0 and up), for heads up to WIDTH wide: a block takes
// TENSOR_ROWS queries or keys, a warp 16 of them, and goes through tiles of COLUMNS keys or queries, of which it
// copies the next to shared memory while it works on one. Sums are FP32; probabilities and gradients of scores are
// rounded to BF16 before they are multiplied again. Arrays lie at 16-byte boundaries, heads are a multiple of 8 wide.
#include "tensor_tiles.h"

static_assert(TENSOR_ROWS == 16 * (TENSOR_THREADS / WARP), "a warp takes 16 rows");

// Of a grid [batch * heads, tiles of rows]. Blocks that start one after the other take the tiles of one head, so that
// its rows stay in the L2 cache.

DEVICE int64_t blockNumber() { return blockIdx.y * (int64_t) gridDim.x + blockIdx.x; }
DEVICE int ownHead() { return (int) (blockNumber() / gridDim.y); }
DEVICE int ownTile() { return (int) (blockNumber() % gridDim.y); }

/// The last rows, which see the most keys, begin first.
DEVICE int firstQuery() { return ((int) gridDim.y - 1 - ownTile()) * TENSOR_ROWS; }

/// The block's 16 rows of this warp, by way of shared memory that nobody else uses.
template <int WIDTH>
DEVICE Lefts<WIDTH> loadLefts(uint16_t* memory, Rows<const uint16_t> source, int first, int time, int width) {
    const Tile<WIDTH, TENSOR_ROWS> tile = {memory};
    tile.load(source, first, time, width);
    waitForCopies();
    __syncthreads();
    Lefts<WIDTH> lefts;
    lefts.load(tile, threadIdx.x / WARP * 16);
    __syncthreads();
    return lefts;
}

template <int WIDTH, int COLUMNS>
DEVICE void attentionForward(const uint16_t* qkv, uint16_t* out, float* logSumExp, int time, int heads, int width) {
    DYNAMIC_SHARED_MEMORY(sharedMemory);
    const Head head(ownHead(), time, heads, width);
    const Rows<const uint16_t> k = head.part(qkv, 1, 3), v = head.part(qkv, 2, 3);
    const Tile<WIDTH, COLUMNS> keys = {(uint16_t*) sharedMemory}, values = keys.next(2);
    const int first = firstQuery(), row = first + threadIdx.x / WARP * 16, query = row + laneRow();
    const float scale = LOG2_E / sqrtf((float) width);
    const Lefts<WIDTH> queries = loadLefts<WIDTH>(keys.memory, head.part(qkv, 0, 3), first, time, width);
    Sums sums[WIDTH / 8], p[COLUMNS / 8];
    clear(sums);
    float top[2] = {-INFINITY, -INFINITY}, total[2] = {0, 0}; // of the scores so far; total is the lane's, of 2^score
    const int end = first + TENSOR_ROWS < time ? first + TENSOR_ROWS : time;
    keys.load(k, 0, time, width);
    values.load(v, 0, time, width);
    int from = 0, own = 0;
    auto step = [&](bool diagonal) { // whether some of the queries do not see some of these keys
        waitForCopies();
        __syncthreads(); // the tile is there, and nobody reads the other one any more
        if (!diagonal || from + COLUMNS < end) {
            keys.next(own ^ 1).load(k, from + COLUMNS, time, width);
            values.next(own ^ 1).load(v, from + COLUMNS, time, width);
        }
        multiplyTransposed(p, queries, keys.next(own));
        UNROLLED
        for (int i = 0; i < 2; i++) {
            float most = top[i];
            UNROLLED
            for (int n = 0; n < COLUMNS / 8; n++) {
                UNROLLED
                for (int j = 2 * i; j < 2 * i + 2; j++) {
                    float& score = p[n].values[j];
                    score = diagonal && from + 8 * n + laneColumn() + j % 2 > query + 8 * i ? -INFINITY : score;
                    most = fmaxf(most, score); // NaN is passed over here, but not in the sums
                }
            }
            most = rowMaximum(most);
            most = most == -INFINITY ? 0 : most;
            const float base = most * scale, factor = approximatePower2(top[i] * scale - base);
            top[i] = most;
            total[i] *= factor;
            UNROLLED
            for (int n = 0; n < COLUMNS / 8; n++) {
                UNROLLED
                for (int j = 2 * i; j < 2 * i + 2; j++) {
                    p[n].values[j] = approximatePower2(fmaf(p[n].values[j], scale, -base));
                    total[i] += p[n].values[j];
                }
            }
            UNROLLED
            for (int n = 0; n < WIDTH / 8; n++) {
                sums[n].values[2 * i] *= factor;
                sums[n].values[2 * i + 1] *= factor;
            }
        }
        addProduct(sums, p, values.next(own));
        own ^= 1;
    };
    for (; from + COLUMNS <= first; from += COLUMNS) {
        step(false);
    }
    for (; from < end; from += COLUMNS) {
        step(true);
    }
    UNROLLED
    for (int i = 0; i < 2; i++) {
        total[i] = rowSum(total[i]);
        if (laneColumn() == 0 && query + 8 * i < time) {
            logSumExp[(int64_t) ownHead() * time + query + 8 * i] = (top[i] * scale + log2f(total[i])) / LOG2_E;
        }
    }
    store(sums, head.part(out, 0, 1), row, time, width, 1 / total[0], 1 / total[1]);
}

/// The products of this lane's two rows.
template <int WIDTH>
DEVICE void rowProducts(const Lefts<WIDTH>& a, const Lefts<WIDTH>& b, float (&products)[2]) {
    UNROLLED
    for (int i = 0; i < 2; i++) {
        float sum = 0;
        UNROLLED
        for (int k = 0; k < WIDTH / 16; k++) {
            UNROLLED
            for (int j = i; j < 4; j += 2) {
                const U x = a.parts[k].words[j], y = b.parts[k].words[j];
                sum = fmaf(value(x << 16), value(y << 16), sum);
                sum = fmaf(value(x & 0xFFFF0000u), value(y & 0xFFFF0000u), sum);
            }
        }
        products[i] = rowSum(sum);
    }
}

/// dQ, and delta [batch * heads, time], the products of the rows of out with those of its gradient.
template <int WIDTH, int COLUMNS>
DEVICE void attentionBackwardQueries(
        const uint16_t* qkv, const uint16_t* out, const float* logSumExp, const uint16_t* dOut, uint16_t* dQkv,
        float* delta, int time, int heads, int width) {
    DYNAMIC_SHARED_MEMORY(sharedMemory);
    const Head head(ownHead(), time, heads, width);
    const Rows<const uint16_t> k = head.part(qkv, 1, 3), v = head.part(qkv, 2, 3);
    const Tile<WIDTH, COLUMNS> keys = {(uint16_t*) sharedMemory}, values = keys.next(2);
    const int first = firstQuery(), row = first + threadIdx.x / WARP * 16, query = row + laneRow();
    const float scale = 1 / sqrtf((float) width), scale2 = scale * LOG2_E;
    const Lefts<WIDTH> dOuts = loadLefts<WIDTH>(keys.memory, head.part(dOut, 0, 1), first, time, width);
    float lse[2], deltas[2];
    rowProducts(dOuts, loadLefts<WIDTH>(keys.memory, head.part(out, 0, 1), first, time, width), deltas);
    UNROLLED
    for (int i = 0; i < 2; i++) {
        const int64_t at = (int64_t) ownHead() * time + query + 8 * i;
        const bool real = query + 8 * i < time;
        lse[i] = real ? logSumExp[at] * LOG2_E : 0;
        if (real && laneColumn() == 0) {
            delta[at] = deltas[i];
        }
    }
    const Lefts<WIDTH> queries = loadLefts<WIDTH>(keys.memory, head.part(qkv, 0, 3), first, time, width);
    Sums dQueries[WIDTH / 8], p[COLUMNS / 8], dScores[COLUMNS / 8];
    clear(dQueries);
    const int end = first + TENSOR_ROWS < time ? first + TENSOR_ROWS : time;
    keys.load(k, 0, time, width);
    values.load(v, 0, time, width);
    int from = 0, own = 0;
    auto step = [&](bool diagonal) { // whether some of the queries do not see some of these keys
        waitForCopies();
        __syncthreads(); // the tile is there, and nobody reads the other one any more
        if (!diagonal || from + COLUMNS < end) {
            keys.next(own ^ 1).load(k, from + COLUMNS, time, width);
            values.next(own ^ 1).load(v, from + COLUMNS, time, width);
        }
        multiplyTransposed(p, queries, keys.next(own));
        multiplyTransposed(dScores, dOuts, values.next(own));
        UNROLLED
        for (int n = 0; n < COLUMNS / 8; n++) {
            UNROLLED
            for (int i = 0; i < 4; i++) {
                float& gradient = dScores[n].values[i];
                gradient = approximatePower2(fmaf(p[n].values[i], scale2, -lse[i / 2])) * (gradient - deltas[i / 2]);
                if (diagonal && from + 8 * n + laneColumn() + i % 2 > query + i / 2 * 8) {
                    gradient = 0;
                }
            }
        }
        addProduct(dQueries, dScores, keys.next(own));
        own ^= 1;
    };
    for (; from + COLUMNS <= first; from += COLUMNS) {
        step(false);
    }
    for (; from < end; from += COLUMNS) {
        step(true);
    }
    store(dQueries, head.part(dQkv, 0, 3), row, time, width, scale, scale);
}

/// dK and dV. Of a tile of queries, SLICE are in registers at once.
template <int WIDTH, int COLUMNS>
DEVICE void attentionBackwardKeys(
        const uint16_t* qkv, const float* logSumExp, const float* delta, const uint16_t* dOut, uint16_t* dQkv,
        int time, int heads, int width) {
    static const int SLICE = 32;
    DYNAMIC_SHARED_MEMORY(sharedMemory);
    __shared__ float lse[2][COLUMNS], deltas[2][COLUMNS];
    const Head head(ownHead(), time, heads, width);
    const Rows<const uint16_t> q = head.part(qkv, 0, 3), dOutRows = head.part(dOut, 0, 1);
    const Tile<WIDTH, COLUMNS> queries = {(uint16_t*) sharedMemory}, dOuts = queries.next(2);
    const int first = ownTile() * TENSOR_ROWS, row = first + threadIdx.x / WARP * 16, key = row + laneRow();
    const float scale = 1 / sqrtf((float) width), scale2 = scale * LOG2_E;
    const Lefts<WIDTH> keys = loadLefts<WIDTH>(queries.memory, head.part(qkv, 1, 3), first, time, width);
    const Lefts<WIDTH> values = loadLefts<WIDTH>(queries.memory, head.part(qkv, 2, 3), first, time, width);
    auto load = [&](int from, int tile) {
        queries.next(tile).load(q, from, time, width);
        dOuts.next(tile).load(dOutRows, from, time, width);
        if (threadIdx.x < COLUMNS) {
            const bool real = from + threadIdx.x < time;
            const int64_t at = (int64_t) ownHead() * time + (real ? from + threadIdx.x : 0);
            copyAsync(&lse[tile][threadIdx.x], logSumExp + at, real);
            copyAsync(&deltas[tile][threadIdx.x], delta + at, real);
        }
    };
    Sums dKeys[WIDTH / 8], dValues[WIDTH / 8], p[SLICE / 8], dScores[SLICE / 8];
    clear(dKeys);
    clear(dValues);
    load(first, 0);
    int from = first, own = 0;
    auto step = [&](bool diagonal) { // whether some of these queries do not see some of the keys
        waitForCopies();
        __syncthreads(); // the tile is there, and nobody reads the other one any more
        if (from + COLUMNS < time) {
            load(from + COLUMNS, own ^ 1);
        }
        NOT_UNROLLED
        for (int slice = 0; slice < COLUMNS; slice += SLICE) {
            const Tile<WIDTH, SLICE> someQueries = {queries.next(own).at(slice, 0)};
            const Tile<WIDTH, SLICE> someDOuts = {dOuts.next(own).at(slice, 0)};
            multiplyTransposed(p, keys, someQueries);
            multiplyTransposed(dScores, values, someDOuts);
            UNROLLED
            for (int n = 0; n < SLICE / 8; n++) {
                UNROLLED
                for (int i = 0; i < 4; i++) {
                    const int column = slice + 8 * n + laneColumn() + i % 2;
                    float &score = p[n].values[i], &gradient = dScores[n].values[i];
                    score = approximatePower2(fmaf(score, scale2, -LOG2_E * lse[own][column]));
                    gradient = score * (gradient - deltas[own][column]);
                    if (diagonal && key + i / 2 * 8 > from + column) {
                        score = gradient = 0;
                    }
                }
            }
            addProduct(dValues, p, someDOuts);
            addProduct(dKeys, dScores, someQueries);
        }
        own ^= 1;
    };
    for (; from < time && from < first + TENSOR_ROWS; from += COLUMNS) {
        step(true);
    }
    for (; from < time; from += COLUMNS) {
        step(false);
    }
    store(dKeys, head.part(dQkv, 1, 3), row, time, width, scale, scale);
    store(dValues, head.part(dQkv, 2, 3), row, time, width, 1, 1);
}

// FORWARD and BACKWARD blocks run on a multiprocessor at once.
#define ATTENTION_KERNELS(WIDTH, COLUMNS, FORWARD, BACKWARD) \
    RESIDENT_KERNEL(TENSOR_THREADS, FORWARD, attentionForward_mma##WIDTH, const uint16_t* qkv, uint16_t* out, float* logSumExp, int time, \
           int heads, int width) { \
        attentionForward<WIDTH, COLUMNS>(qkv, out, logSumExp, time, heads, width); \
    } \
    RESIDENT_KERNEL(TENSOR_THREADS, BACKWARD, attentionBackwardQueries_mma##WIDTH, const uint16_t* qkv, const uint16_t* out, \
           const float* logSumExp, const uint16_t* dOut, uint16_t* dQkv, float* delta, int time, int heads, \
           int width) { \
        attentionBackwardQueries<WIDTH, COLUMNS>(qkv, out, logSumExp, dOut, dQkv, delta, time, heads, width); \
    } \
    RESIDENT_KERNEL(TENSOR_THREADS, BACKWARD, attentionBackwardKeys_mma##WIDTH, const uint16_t* qkv, const float* logSumExp, \
           const float* delta, const uint16_t* dOut, uint16_t* dQkv, int time, int heads, int width) { \
        attentionBackwardKeys<WIDTH, COLUMNS>(qkv, logSumExp, delta, dOut, dQkv, time, heads, width); \
    }

ATTENTION_KERNELS(32, TENSOR_COLUMNS, 4, 3)
ATTENTION_KERNELS(64, TENSOR_COLUMNS, 4, 3)
ATTENTION_KERNELS(128, TENSOR_COLUMNS / 2, 2, 2)

// Attention in FP32, for any head width: tiles of TILE queries by TILE keys in shared memory. The backward pass is two
// kernels, one that owns keys and one that owns queries, so that nothing is added to memory by several blocks and the
// same bits come out each time.
#pragma once
#include "attention.h"

static_assert(THREADS == TILE * TILE, "a thread a score");

/// A tile [TILE, width] in shared memory, its rows padded against bank conflicts.
struct Tile {
    float* memory;
    int width;

    METHOD float& at(int row, int column) const { return memory[row * (width + 1) + column]; }

    /// All threads of the block copy rows [from, from + TILE); rows from `end` on are zero.
    template <class T>
    METHOD void load(Rows<T> source, int from, int end) const {
        for (int i = threadIdx.x; i < TILE * width; i += THREADS) {
            const int row = i / width, column = i % width;
            at(row, column) = from + row < end ? ::load(source.row(from + row) + column) : 0;
        }
    }

    METHOD void clear() const {
        for (int i = threadIdx.x; i < TILE * (width + 1); i += THREADS) {
            memory[i] = 0;
        }
    }

    template <class T>
    METHOD void store(Rows<T> target, int from, int end) const {
        for (int i = threadIdx.x; i < TILE * width; i += THREADS) {
            const int row = i / width, column = i % width;
            if (from + row < end) {
                ::store(target.row(from + row) + column, at(row, column));
            }
        }
    }

    /// The product of this tile's row with a row of the other.
    METHOD float dot(int row, const Tile& other, int otherRow) const {
        float sum = 0;
        for (int c = 0; c < width; c++) {
            sum = fmaf(at(row, c), other.at(otherRow, c), sum);
        }
        return sum;
    }

    /// at(row, c) += the sum over j of factors[row][j] * rows.at(j, c), for the thread's columns.
    METHOD void addProduct(int row, int column, const float (&factors)[TILE][TILE + 1], const Tile& rows) const {
        for (int c = column; c < width; c += TILE) {
            float sum = at(row, c);
            UNROLLED
            for (int j = 0; j < TILE; j++) {
                sum = fmaf(factors[row][j], rows.at(j, c), sum);
            }
            at(row, c) = sum;
        }
    }
};

/// The sum over the TILE threads of a row.
DEVICE float rowSum(float x) {
    for (int distance = TILE / 2; distance > 0; distance /= 2) {
        x += __shfl_xor_sync(0xFFFFFFFFu, x, distance);
    }
    return x;
}

DEVICE float rowMaximum(float x) {
    for (int distance = TILE / 2; distance > 0; distance /= 2) {
        x = fmaxf(x, __shfl_xor_sync(0xFFFFFFFFu, x, distance));
    }
    return x;
}

/// The block's dynamic shared memory: COUNT tiles, for which the launch reserves it.
template <int COUNT>
struct Tiles {
    float* memory;
    int width;

    template <int INDEX>
    METHOD Tile at() const {
        static_assert(INDEX < COUNT, "a tile for which the launch reserves no memory");
        return {memory + INDEX * TILE * (width + 1), width};
    }
};

/// Bytes of the block's scores, of which the launch knows how many there are.
constexpr int SCORES_BYTES = TILE * (TILE + 1) * sizeof(float);

/// What a query sees with causal attention: the keys up to its own.
struct Causal {
    METHOD bool sees(int query, int key) const { return key <= query; }

    /// The end of the keys that queries [first, first + TILE) see.
    METHOD int endOfKeys(int first, int keys) const { return first + TILE < keys ? first + TILE : keys; }

    /// The first query that sees keys from `key` on.
    METHOD int firstQuery(int key) const { return key; }
};

/// What all queries of a sequence see: the keys that are visible, or all if it is null.
struct Visible {
    const uint16_t* visible;
    int keys;

    METHOD bool sees(int, int key) const { return key < keys && (!visible || load(visible + key) != 0); }
    METHOD int endOfKeys(int, int keys) const { return keys; }
    METHOD int firstQuery(int) const { return 0; }
};

/// One head's operands: [queries, width] and [keys, width].
template <class T>
struct Operands {
    Rows<const T> q, k, v;
    int queries, keys, width;
};

/// Of a tile of queries, blockIdx.y.
template <class Sight, class T>
DEVICE void attend(Sight sight, const Operands<T>& of, Rows<T> out, float* logSumExp) {
    DYNAMIC_SHARED_MEMORY(sharedMemory);
    __shared__ float p[TILE][TILE + 1];
    static_assert(sizeof(p) == FORWARD_SCORES * SCORES_BYTES, "as the launch reckons");
    const int width = of.width;
    const Tiles<FORWARD_TILES> tiles = {(float*) sharedMemory, width};
    const Tile queries = tiles.at<0>(), keysOrValues = tiles.at<1>(), sums = tiles.at<2>();
    const int row = threadIdx.x / TILE, column = threadIdx.x % TILE, first = blockIdx.y * TILE, query = first + row;
    const float scale = LOG2_E / sqrtf((float) width);
    queries.load(of.q, first, of.queries);
    sums.clear();
    float top = -INFINITY, total = 0; // of 2^score, over the keys so far
    const int end = sight.endOfKeys(first, of.keys);
    for (int from = 0; from < end; from += TILE) {
        __syncthreads();
        keysOrValues.load(of.k, from, of.keys);
        __syncthreads();
        const bool seen = sight.sees(query, from + column);
        const float score = seen ? queries.dot(row, keysOrValues, column) * scale : -INFINITY;
        const float newTop = fmaxf(top, rowMaximum(score)); // NaN is passed over here, but not in p
        const float base = newTop == -INFINITY ? 0 : newTop;
        const float factor = exp2f(top - base);
        p[row][column] = seen ? exp2f(score - base) : 0;
        total = total * factor + rowSum(p[row][column]);
        top = newTop;
        __syncthreads();
        keysOrValues.load(of.v, from, of.keys);
        for (int c = column; c < width; c += TILE) {
            sums.at(row, c) *= factor;
        }
        __syncthreads();
        sums.addProduct(row, column, p, keysOrValues);
    }
    for (int c = column; c < width; c += TILE) {
        sums.at(row, c) /= total;
    }
    __syncthreads();
    sums.store(out, first, of.queries);
    if (column == 0 && query < of.queries) {
        logSumExp[query] = (top + log2f(total)) / LOG2_E;
    }
}

/// What both kernels of the backward pass compute of a tile of queries by a tile of keys.
struct ScoreGradients {
    float p[TILE][TILE + 1], dScore[TILE][TILE + 1];

    /// Of the thread's query (row) and key (column); the probability and the gradient of the score q k.
    METHOD void set(
            const Tile& queries, const Tile& keys, const Tile& values, const Tile& dOuts, bool seen, float logSumExp,
            float delta) {
        const int row = threadIdx.x / TILE, column = threadIdx.x % TILE;
        const float scale = 1 / sqrtf((float) queries.width);
        const float score = queries.dot(row, keys, column) * scale;
        p[row][column] = seen ? exp2f((score - logSumExp) * LOG2_E) : 0;
        dScore[row][column] = seen ? p[row][column] * (dOuts.dot(row, values, column) - delta) * scale : 0;
    }
};

static_assert(sizeof(ScoreGradients) == BACKWARD_SCORES * SCORES_BYTES, "as the launch reckons");

/// The product of the row of out with that of its gradient, which the row's threads share.
template <class T>
DEVICE float deltaOf(Rows<const T> out, const Tile& dOuts, int query, int queries) {
    float sum = 0;
    for (int c = threadIdx.x % TILE; c < dOuts.width; c += TILE) {
        sum += query < queries ? load(out.row(query) + c) * dOuts.at(threadIdx.x / TILE, c) : 0;
    }
    return rowSum(sum);
}

/// dK and dV of a tile of keys, blockIdx.y.
template <class Sight, class T>
DEVICE void attendBackwardKeys(
        Sight sight, const Operands<T>& of, Rows<const T> out, const float* logSumExp, Rows<const T> dOut, Rows<T> dK,
        Rows<T> dV) {
    DYNAMIC_SHARED_MEMORY(sharedMemory);
    __shared__ ScoreGradients gradients;
    const int width = of.width;
    const Tiles<BACKWARD_KEYS_TILES> tiles = {(float*) sharedMemory, width};
    const Tile queries = tiles.at<0>(), keys = tiles.at<1>(), values = tiles.at<2>(), dOuts = tiles.at<3>();
    const Tile dKeys = tiles.at<4>(), dValues = tiles.at<5>();
    const int row = threadIdx.x / TILE, column = threadIdx.x % TILE, first = blockIdx.y * TILE;
    keys.load(of.k, first, of.keys);
    values.load(of.v, first, of.keys);
    dKeys.clear();
    dValues.clear();
    for (int from = sight.firstQuery(first); from < of.queries; from += TILE) {
        __syncthreads();
        queries.load(of.q, from, of.queries);
        dOuts.load(dOut, from, of.queries);
        __syncthreads();
        const int query = from + row;
        const bool exists = query < of.queries;
        gradients.set(queries, keys, values, dOuts, exists && sight.sees(query, first + column),
                      exists ? logSumExp[query] : 0, deltaOf(out, dOuts, query, of.queries));
        __syncthreads();
        for (int c = column; c < width; c += TILE) { // here the thread's row is a key
            float dKey = dKeys.at(row, c), dValue = dValues.at(row, c);
            UNROLLED
            for (int i = 0; i < TILE; i++) {
                dKey = fmaf(gradients.dScore[i][row], queries.at(i, c), dKey);
                dValue = fmaf(gradients.p[i][row], dOuts.at(i, c), dValue);
            }
            dKeys.at(row, c) = dKey;
            dValues.at(row, c) = dValue;
        }
    }
    __syncthreads();
    dKeys.store(dK, first, of.keys);
    dValues.store(dV, first, of.keys);
}

/// dQ of a tile of queries, blockIdx.y.
template <class Sight, class T>
DEVICE void attendBackwardQueries(
        Sight sight, const Operands<T>& of, Rows<const T> out, const float* logSumExp, Rows<const T> dOut,
        Rows<T> dQ) {
    DYNAMIC_SHARED_MEMORY(sharedMemory);
    __shared__ ScoreGradients gradients;
    const int width = of.width;
    const Tiles<BACKWARD_QUERIES_TILES> tiles = {(float*) sharedMemory, width};
    const Tile queries = tiles.at<0>(), keys = tiles.at<1>(), values = tiles.at<2>(), dOuts = tiles.at<3>();
    const Tile dQueries = tiles.at<4>();
    const int row = threadIdx.x / TILE, column = threadIdx.x % TILE, first = blockIdx.y * TILE, query = first + row;
    queries.load(of.q, first, of.queries);
    dOuts.load(dOut, first, of.queries);
    dQueries.clear();
    __syncthreads();
    const float delta = deltaOf(out, dOuts, query, of.queries);
    const bool exists = query < of.queries;
    const float lse = exists ? logSumExp[query] : 0;
    const int end = sight.endOfKeys(first, of.keys);
    for (int from = 0; from < end; from += TILE) {
        __syncthreads();
        keys.load(of.k, from, of.keys);
        values.load(of.v, from, of.keys);
        __syncthreads();
        gradients.set(queries, keys, values, dOuts, exists && sight.sees(query, from + column), lse, delta);
        __syncthreads();
        dQueries.addProduct(row, column, gradients.dScore, keys);
    }
    __syncthreads();
    dQueries.store(dQ, first, of.queries);
}

// Causal attention in FP32, for any head width: tiles of TILE queries by TILE keys in shared memory. The backward pass
// is two kernels, one that owns keys and one that owns queries, so that nothing is added to memory by several blocks
// and the same bits come out each time.
#include "attention.h"

static_assert(THREADS == TILE * TILE, "a thread a score");

/// A tile [TILE, width] in shared memory, its rows padded against bank conflicts.
struct Tile {
    float* memory;
    int width;

    METHOD float& at(int row, int column) const { return memory[row * (width + 1) + column]; }

    /// All threads of the block copy rows [from, from + TILE); rows from `time` on are zero.
    template <class T>
    METHOD void load(Rows<T> source, int from, int time) const {
        for (int i = threadIdx.x; i < TILE * width; i += THREADS) {
            const int row = i / width, column = i % width;
            at(row, column) = from + row < time ? ::load(source.row(from + row) + column) : 0;
        }
    }

    METHOD void clear() const {
        for (int i = threadIdx.x; i < TILE * (width + 1); i += THREADS) {
            memory[i] = 0;
        }
    }

    template <class T>
    METHOD void store(Rows<T> target, int from, int time) const {
        for (int i = threadIdx.x; i < TILE * width; i += THREADS) {
            const int row = i / width, column = i % width;
            if (from + row < time) {
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

/// Grid [batch * heads, query tiles].
template <class T>
DEVICE void attentionForward(const T* qkv, T* out, float* logSumExp, int time, int heads, int width) {
    DYNAMIC_SHARED_MEMORY(sharedMemory);
    __shared__ float p[TILE][TILE + 1];
    static_assert(sizeof(p) == FORWARD_SCORES * SCORES_BYTES, "as the launch reckons");
    const Head head(blockIdx.x, time, heads, width);
    const Rows<const T> q = head.part(qkv, 0, 3), k = head.part(qkv, 1, 3), v = head.part(qkv, 2, 3);
    const Tiles<FORWARD_TILES> tiles = {(float*) sharedMemory, width};
    const Tile queries = tiles.at<0>(), keysOrValues = tiles.at<1>(), sums = tiles.at<2>();
    const int row = threadIdx.x / TILE, column = threadIdx.x % TILE, first = blockIdx.y * TILE, query = first + row;
    const float scale = LOG2_E / sqrtf((float) width);
    queries.load(q, first, time);
    sums.clear();
    float top = -INFINITY, total = 0; // of 2^score, over the keys so far
    for (int from = 0; from < first + TILE && from < time; from += TILE) {
        __syncthreads();
        keysOrValues.load(k, from, time);
        __syncthreads();
        const int key = from + column;
        const float score = key <= query ? queries.dot(row, keysOrValues, column) * scale : -INFINITY;
        const float newTop = fmaxf(top, rowMaximum(score)); // NaN is passed over here, but not in p
        const float base = newTop == -INFINITY ? 0 : newTop;
        const float factor = exp2f(top - base);
        p[row][column] = key <= query ? exp2f(score - base) : 0;
        total = total * factor + rowSum(p[row][column]);
        top = newTop;
        __syncthreads();
        keysOrValues.load(v, from, time);
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
    sums.store(head.part(out, 0, 1), first, time);
    if (column == 0 && query < time) {
        logSumExp[(int64_t) blockIdx.x * time + query] = (top + log2f(total)) / LOG2_E;
    }
}

/// What both kernels of the backward pass compute of a tile of queries by a tile of keys.
struct ScoreGradients {
    float p[TILE][TILE + 1], dScore[TILE][TILE + 1];

    /// Of the thread's query (row) and key (column); the probability and the gradient of the score q k.
    METHOD void set(
            const Tile& queries, const Tile& keys, const Tile& values, const Tile& dOuts, int query, int key, int time,
            float logSumExp, float delta) {
        const int row = threadIdx.x / TILE, column = threadIdx.x % TILE;
        const float scale = 1 / sqrtf((float) queries.width);
        const bool seen = key <= query && query < time;
        const float score = queries.dot(row, keys, column) * scale;
        p[row][column] = seen ? exp2f((score - logSumExp) * LOG2_E) : 0;
        dScore[row][column] = seen ? p[row][column] * (dOuts.dot(row, values, column) - delta) * scale : 0;
    }
};

static_assert(sizeof(ScoreGradients) == BACKWARD_SCORES * SCORES_BYTES, "as the launch reckons");

/// The product of the row of out with that of its gradient, which the row's threads share.
template <class T>
DEVICE float deltaOf(Rows<const T> out, const Tile& dOuts, int query, int time) {
    float sum = 0;
    for (int c = threadIdx.x % TILE; c < dOuts.width; c += TILE) {
        sum += query < time ? load(out.row(query) + c) * dOuts.at(threadIdx.x / TILE, c) : 0;
    }
    return rowSum(sum);
}

/// dK and dV; grid [batch * heads, key tiles].
template <class T>
DEVICE void attentionBackwardKeys(
        const T* qkv, const T* out, const float* logSumExp, const T* dOut, T* dQkv, int time, int heads, int width) {
    DYNAMIC_SHARED_MEMORY(sharedMemory);
    __shared__ ScoreGradients gradients;
    const Head head(blockIdx.x, time, heads, width);
    const Rows<const T> q = head.part(qkv, 0, 3), k = head.part(qkv, 1, 3), v = head.part(qkv, 2, 3);
    const Rows<const T> outRows = head.part(out, 0, 1), dOutRows = head.part(dOut, 0, 1);
    const Tiles<BACKWARD_KEYS_TILES> tiles = {(float*) sharedMemory, width};
    const Tile queries = tiles.at<0>(), keys = tiles.at<1>(), values = tiles.at<2>(), dOuts = tiles.at<3>();
    const Tile dKeys = tiles.at<4>(), dValues = tiles.at<5>();
    const int row = threadIdx.x / TILE, column = threadIdx.x % TILE, first = blockIdx.y * TILE;
    keys.load(k, first, time);
    values.load(v, first, time);
    dKeys.clear();
    dValues.clear();
    for (int from = first; from < time; from += TILE) {
        __syncthreads();
        queries.load(q, from, time);
        dOuts.load(dOutRows, from, time);
        __syncthreads();
        const int query = from + row;
        const float lse = query < time ? logSumExp[(int64_t) blockIdx.x * time + query] : 0;
        gradients.set(queries, keys, values, dOuts, query, first + column, time, lse,
                      deltaOf(outRows, dOuts, query, time));
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
    dKeys.store(head.part(dQkv, 1, 3), first, time);
    dValues.store(head.part(dQkv, 2, 3), first, time);
}

/// dQ; grid [batch * heads, query tiles].
template <class T>
DEVICE void attentionBackwardQueries(
        const T* qkv, const T* out, const float* logSumExp, const T* dOut, T* dQkv, int time, int heads, int width) {
    DYNAMIC_SHARED_MEMORY(sharedMemory);
    __shared__ ScoreGradients gradients;
    const Head head(blockIdx.x, time, heads, width);
    const Rows<const T> q = head.part(qkv, 0, 3), k = head.part(qkv, 1, 3), v = head.part(qkv, 2, 3);
    const Tiles<BACKWARD_QUERIES_TILES> tiles = {(float*) sharedMemory, width};
    const Tile queries = tiles.at<0>(), keys = tiles.at<1>(), values = tiles.at<2>(), dOuts = tiles.at<3>();
    const Tile dQueries = tiles.at<4>();
    const int row = threadIdx.x / TILE, column = threadIdx.x % TILE, first = blockIdx.y * TILE, query = first + row;
    queries.load(q, first, time);
    dOuts.load(head.part(dOut, 0, 1), first, time);
    dQueries.clear();
    __syncthreads();
    const float delta = deltaOf(head.part(out, 0, 1), dOuts, query, time);
    const float lse = query < time ? logSumExp[(int64_t) blockIdx.x * time + query] : 0;
    for (int from = 0; from < first + TILE && from < time; from += TILE) {
        __syncthreads();
        keys.load(k, from, time);
        values.load(v, from, time);
        __syncthreads();
        gradients.set(queries, keys, values, dOuts, query, from + column, time, lse, delta);
        __syncthreads();
        dQueries.addProduct(row, column, gradients.dScore, keys);
    }
    __syncthreads();
    dQueries.store(head.part(dQkv, 0, 3), first, time);
}

#define ATTENTION_KERNELS(suffix, T) \
    KERNEL(THREADS, attentionForward##suffix, const T* qkv, T* out, float* logSumExp, int time, int heads, \
           int width) { \
        attentionForward(qkv, out, logSumExp, time, heads, width); \
    } \
    KERNEL(THREADS, attentionBackwardKeys##suffix, const T* qkv, const T* out, const float* logSumExp, \
           const T* dOut, T* dQkv, int time, int heads, int width) { \
        attentionBackwardKeys(qkv, out, logSumExp, dOut, dQkv, time, heads, width); \
    } \
    KERNEL(THREADS, attentionBackwardQueries##suffix, const T* qkv, const T* out, const float* logSumExp, \
           const T* dOut, T* dQkv, int time, int heads, int width) { \
        attentionBackwardQueries(qkv, out, logSumExp, dOut, dQkv, time, heads, width); \
    }

ATTENTION_KERNELS(_float, float)
ATTENTION_KERNELS(_bfloat16, uint16_t)

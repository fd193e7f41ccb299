// Token and position embedding.
#include "device.h"

/// A warp a row.
template <class T>
DEVICE void embeddingForward(
        const int* tokens, const T* tokenTable, const T* positionTable, T* y, int rows, int time, int width) {
    const int64_t row = warpRow();
    if (row >= rows) {
        return;
    }
    const T* token = tokenTable + (int64_t) tokens[row] * width;
    const T* position = positionTable + row % time * width;
    T* out = y + row * width;
    rowOctets(width, areAligned(token, position, out), lane(), WARP, [&](int c, auto octet) {
        float a[OCTET], b[OCTET];
        octet.load(token + c, a);
        octet.load(position + c, b);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            a[k] += b[k];
        }
        store(octet, out + c, a);
    });
}

// The gradient of the token table. The rows are sorted by their tokens, a digit of the token at a time and keeping the
// order of equal ones. Warps sum WARP sorted rows each, then the parts of tokens that lie in several warps' rows. So a
// frequent token takes no longer than rare ones, and the tokens alone decide the order of each sum.

static const int DIGITS = 1 << DIGIT_BITS;
static_assert(DIGITS == THREADS && SORT_CHUNK % THREADS == 0, "a thread a digit");

struct TokenRow {
    int token, row;
};

/// Row i in the order so far; there is none yet before the first digit.
DEVICE TokenRow tokenRow(const int* tokens, const TokenRow* order, int i) {
    return order ? order[i] : TokenRow{tokens[i], i};
}

DEVICE int digitOf(int token, int shift) { return token >> shift & (DIGITS - 1); }

/// The lanes that have the same digit and are real, too.
DEVICE uint32_t equalLanes(int digit, bool real) {
    uint32_t equal = __ballot_sync(0xFFFFFFFFu, real);
    UNROLLED
    for (int bit = 0; bit < DIGIT_BITS; bit++) {
        const uint32_t set = __ballot_sync(0xFFFFFFFFu, digit >> bit & 1);
        equal &= digit >> bit & 1 ? set : ~set;
    }
    return equal;
}

/// counts [passes, chunks, DIGITS]: of the least digit, a block a chunk of rows; zeros for those that sortTokens counts.
KERNEL(THREADS, countTokens, const int* tokens, int* counts, int rows, int passes) {
    __shared__ int shared[DIGITS];
    shared[threadIdx.x] = 0;
    __syncthreads();
    UNROLLED
    for (int i = 0; i < SORT_CHUNK; i += THREADS) {
        const int64_t row = blockIdx.x * (int64_t) SORT_CHUNK + i + threadIdx.x;
        if (row < rows) {
            atomicAdd(&shared[digitOf(tokens[row], 0)], 1);
        }
    }
    __syncthreads();
    for (int pass = 0; pass < passes; pass++) {
        counts[((int64_t) pass * gridDim.x + blockIdx.x) * DIGITS + threadIdx.x] = pass == 0 ? shared[threadIdx.x] : 0;
    }
}

/// The sum of x over the threads before this one.
DEVICE int sumBefore(int x) {
    __shared__ int sums[WARPS];
    int sum = x; // with this thread's own, over the warp so far
    for (int distance = 1; distance < WARP; distance *= 2) {
        const int other = __shfl_up_sync(0xFFFFFFFFu, sum, distance);
        sum += lane() >= distance ? other : 0;
    }
    if (lane() == WARP - 1) {
        sums[threadIdx.x / WARP] = sum;
    }
    __syncthreads();
    for (int warp = 0; warp < threadIdx.x / WARP; warp++) {
        sum += sums[warp];
    }
    return sum - x;
}

/// Moves the rows of a chunk to where they belong by this digit, a block a chunk. The next digit, if there is one, is
/// counted for the chunks in which they come to lie; the order in which integers are added says nothing.
KERNEL(THREADS, sortTokens, const int* tokens, const TokenRow* order, const int* counts, TokenRow* sorted,
       int* nextCounts, int rows, int shift) {
    static const int ROWS = SORT_CHUNK / THREADS; // of a lane
    __shared__ int next[WARPS][DIGITS]; // where the warp's next row of a digit goes
    const int warp = threadIdx.x / WARP, digit = threadIdx.x;
    for (int w = 0; w < WARPS; w++) {
        next[w][digit] = 0;
    }
    __syncthreads();
    TokenRow own[ROWS];
    uint32_t equal[ROWS]; // the lanes with the same digit
    UNROLLED
    for (int i = 0; i < ROWS; i++) {
        const int64_t row = blockIdx.x * (int64_t) SORT_CHUNK + (warp * ROWS + i) * WARP + lane();
        own[i] = row < rows ? tokenRow(tokens, order, (int) row) : TokenRow{0, -1};
    }
    UNROLLED
    for (int i = 0; i < ROWS; i++) {
        equal[i] = equalLanes(digitOf(own[i].token, shift), own[i].row >= 0);
        if (own[i].row >= 0 && __ffs(equal[i]) == lane() + 1) {
            next[warp][digitOf(own[i].token, shift)] += __popc(equal[i]);
        }
        __syncwarp();
    }
    int before = 0, all = 0; // rows of this thread's digit in earlier chunks and in all
    UNROLLED_BY_16
    for (int chunk = 0; chunk < gridDim.x; chunk++) {
        const int count = counts[chunk * DIGITS + digit];
        before += chunk < blockIdx.x ? count : 0;
        all += count;
    }
    int position = sumBefore(all) + before; // behind it all threads have counted
    for (int w = 0; w < WARPS; w++) {
        const int count = next[w][digit];
        next[w][digit] = position;
        position += count;
    }
    __syncthreads();
    UNROLLED
    for (int i = 0; i < ROWS; i++) {
        int& place = next[warp][digitOf(own[i].token, shift)];
        const int first = place, rank = __popc(equal[i] & ((1u << lane()) - 1));
        __syncwarp(); // all have read it before it moves on
        if (own[i].row >= 0) {
            sorted[first + rank] = own[i];
            if (nextCounts) {
                const int chunk = (first + rank) / SORT_CHUNK;
                atomicAdd(&nextCounts[chunk * DIGITS + digitOf(own[i].token, shift + DIGIT_BITS)], 1);
            }
            if (rank == 0) {
                place = first + __popc(equal[i]);
            }
        }
        __syncwarp();
    }
}

// Neighbouring warps take the panels of the same WARP sorted rows.

DEVICE int panels(int width) { return (width + PANEL - 1) / PANEL; }
DEVICE int ownChunk(int width) { return warpRow() / panels(width); }
DEVICE int ownColumn(int width) { return warpRow() % panels(width) * PANEL + lane() * OCTET; }

/// partial [chunks of WARP rows, 2, width]: of the sums that do not end in a chunk where they began, the part of the
/// token that began before, and of the one that goes on. A warp takes PANEL columns of a chunk.
template <class T, class Octet>
DEVICE void sumTokens(
        Octet octet, const TokenRow* sorted, const T* dy, T* dTokenTable, float* partial, int rows, int width,
        int accumulate) {
    static const int AT_ONCE = 4;
    const int chunk = ownChunk(width), column = ownColumn(width);
    const int64_t first = chunk * (int64_t) WARP, at = first + lane();
    if (first >= rows) {
        return;
    }
    const int count = rows - first < WARP ? (int) (rows - first) : WARP;
    const bool active = column < width;
    const TokenRow own = sorted[at < rows ? at : rows - 1];
    const uint32_t begins = __ballot_sync(0xFFFFFFFFu, at == 0 || (at < rows && sorted[at - 1].token != own.token));
    const uint32_t ends = __ballot_sync(0xFFFFFFFFu, at + 1 >= rows || sorted[at + 1].token != own.token);
    float sums[OCTET] = {};
    bool beganHere = false;
    for (int i = 0; i < count; i += AT_ONCE) {
        Packed<T> old[AT_ONCE] = {}, dyRows[AT_ONCE];
        UNROLLED
        for (int j = 0; j < AT_ONCE; j++) { // all loads, then all sums
            const int64_t row = __shfl_sync(0xFFFFFFFFu, own.row, i + j);
            const int64_t token = __shfl_sync(0xFFFFFFFFu, own.token, i + j);
            if (active) {
                load(octet, dy + row * width + column, dyRows[j]);
                if (accumulate && begins >> (i + j) & 1) {
                    load(octet, dTokenTable + token * width + column, old[j]);
                }
            }
        }
        UNROLLED
        for (int j = 0; j < AT_ONCE; j++) {
            const bool begin = begins >> (i + j) & 1, end = ends >> (i + j) & 1;
            beganHere = beganHere || begin;
            float before[OCTET], v[OCTET];
            old[j].unpack(before);
            dyRows[j].unpack(v);
            UNROLLED
            for (int k = 0; k < OCTET; k++) {
                sums[k] = (begin ? before[k] : sums[k]) + v[k];
            }
            const int token = __shfl_sync(0xFFFFFFFFu, own.token, i + j);
            if (active && i + j < count) {
                if (end && beganHere) {
                    store(octet, dTokenTable + (int64_t) token * width + column, sums);
                } else if (end || i + j + 1 == count) {
                    store(octet, partial + (2 * (int64_t) chunk + beganHere) * width + column, sums);
                }
            }
        }
    }
}

/// Octets of the panel's columns of this lane.
template <class Body>
DEVICE void panelOctet(int width, bool aligned, Body body) {
    const int rest = width - ownColumn(width);
    if (aligned && width % OCTET == 0) {
        body(Whole());
    } else {
        body(Part{0, rest < 0 ? 0 : rest < OCTET ? rest : OCTET});
    }
}

/// Adds the parts of the token that begins in a chunk and goes on in the next.
template <class T>
DEVICE void joinTokens(int chunk, const TokenRow* sorted, const float* partial, T* dTokenTable, int rows, int width) {
    const int column = ownColumn(width);
    const int64_t first = chunk * (int64_t) WARP, next = first + WARP;
    if (next >= rows) {
        return;
    }
    const int token = sorted[next].token;
    if (sorted[next - 1].token != token || (first > 0 && sorted[first - 1].token == token)) {
        return;
    }
    int last = chunk; // the chunk where the token ends
    uint32_t goesOn;
    do {
        const int64_t behind = (last + 1 + lane()) * (int64_t) WARP;
        goesOn = __ballot_sync(0xFFFFFFFFu, behind < rows && sorted[behind].token == token);
        last += goesOn == 0xFFFFFFFFu ? WARP : __ffs(~goesOn) - 1;
    } while (goesOn == 0xFFFFFFFFu);
    if (column >= width) {
        return;
    }
    T* const target = dTokenTable + (int64_t) token * width + column;
    panelOctet(width, areAligned(partial, dTokenTable), [&](auto octet) {
        float sums[OCTET];
        octet.load(partial + (2 * (int64_t) chunk + 1) * width + column, sums);
        UNROLLED_BY_16
        for (int c = chunk + 1; c <= last; c++) {
            float v[OCTET];
            octet.load(partial + 2 * (int64_t) c * width + column, v);
            UNROLLED
            for (int k = 0; k < OCTET; k++) {
                sums[k] += v[k];
            }
        }
        store(octet, target, sums);
    });
}

/// Zeros for those of WARP tokens that no row has.
template <class T>
DEVICE void zeroOthers(int chunk, const TokenRow* sorted, T* dTokenTable, int rows, int width, int vocabulary) {
    const int column = ownColumn(width), token = chunk * WARP + lane();
    int place = 0; // of the first row whose token is not less
    for (int end = rows; place < end;) {
        const int middle = place + (end - place) / 2;
        const bool less = sorted[middle].token < token;
        place = less ? middle + 1 : place;
        end = less ? end : middle;
    }
    const bool occurs = token >= vocabulary || (place < rows && sorted[place].token == token);
    uint32_t others = __ballot_sync(0xFFFFFFFFu, !occurs);
    if (column >= width) {
        return;
    }
    panelOctet(width, areAligned(dTokenTable), [&](auto octet) {
        for (; others; others &= others - 1) {
            const int64_t row = chunk * WARP + __ffs(others) - 1;
            store(octet, dTokenTable + row * width + column, {});
        }
    });
}

/// Sums of a position over the batch.
template <class T>
DEVICE void sumPosition(int position, const T* dy, T* dPositionTable, int batch, int time, int width) {
    const int column = ownColumn(width);
    const int64_t size = (int64_t) time * width, i = (int64_t) position * width + column;
    if (column >= width) {
        return;
    }
    panelOctet(width, areAligned(dy, dPositionTable), [&](auto octet) {
        float sums[OCTET] = {};
        UNROLLED_BY_8
        for (int b = 0; b < batch; b++) {
            float v[OCTET];
            octet.load(dy + b * size + i, v);
            UNROLLED
            for (int k = 0; k < OCTET; k++) {
                sums[k] += v[k];
            }
        }
        store(octet, dPositionTable + i, sums);
    });
}

/// All that is left when sumTokens has run, PANEL columns a warp. What waits the longest begins first, so that it hides
/// behind the reading of dy: joins, then the tokens that no row has, of a vocabulary that is 0 where they keep their
/// values, then positions.
template <class T>
DEVICE void finishTables(
        const TokenRow* sorted, const float* partial, const T* dy, T* dTokenTable, T* dPositionTable, int batch,
        int time, int width, int vocabulary) {
    const int rows = batch * time, chunks = (rows + WARP - 1) / WARP, others = (vocabulary + WARP - 1) / WARP;
    const int own = ownChunk(width);
    if (own < chunks) {
        joinTokens(own, sorted, partial, dTokenTable, rows, width);
    } else if (own - chunks < others) {
        zeroOthers(own - chunks, sorted, dTokenTable, rows, width, vocabulary);
    } else if (own - chunks - others < time) {
        sumPosition(own - chunks - others, dy, dPositionTable, batch, time, width);
    }
}

#define EMBEDDING_KERNELS(suffix, T, residentBlocks) \
    KERNEL(THREADS, embeddingForward##suffix, const int* tokens, const T* tokenTable, const T* positionTable, T* y, \
           int rows, int time, int width) { \
        embeddingForward(tokens, tokenTable, positionTable, y, rows, time, width); \
    } \
    RESIDENT_KERNEL(THREADS, residentBlocks, sumTokens##suffix, const TokenRow* sorted, const T* dy, T* dTokenTable, \
                    float* partial, int rows, int width, int accumulate) { \
        panelOctet(width, areAligned(dy, dTokenTable, partial), [&](auto octet) { \
            sumTokens(octet, sorted, dy, dTokenTable, partial, rows, width, accumulate); \
        }); \
    } \
    KERNEL(THREADS, finishTables##suffix, const TokenRow* sorted, const float* partial, const T* dy, T* dTokenTable, \
           T* dPositionTable, int batch, int time, int width, int vocabulary) { \
        finishTables(sorted, partial, dy, dTokenTable, dPositionTable, batch, time, width, vocabulary); \
    }

EMBEDDING_KERNELS(_float, float, 2)
EMBEDDING_KERNELS(_bfloat16, uint16_t, 4)

// Tiles of rows in shared memory, and products of them on tensor cores.
#pragma once
#include "attention.h"

/// A tile of COUNT rows in shared memory, WIDTH values each, padded so that eight rows meet in no bank.
template <int WIDTH, int COUNT>
struct Tile {
    static const int STRIDE = WIDTH + TENSOR_PADDING, SIZE = COUNT * STRIDE;

    uint16_t* memory;

    METHOD uint16_t* at(int row, int column) const { return memory + row * STRIDE + column; }

    /// All threads of the block begin to copy rows from this one on; what lies behind `time` or `width` is zero.
    METHOD void load(Rows<const uint16_t> source, int from, int time, int width) const {
        static const int OCTETS = WIDTH / OCTET, AT_ONCE = TENSOR_THREADS / OCTETS;
        const int row = threadIdx.x / OCTETS, column = threadIdx.x % OCTETS * OCTET;
        const uint16_t* const in = source.row(from + row) + column;
        UNROLLED
        for (int i = 0; i < COUNT; i += AT_ONCE) {
            const bool real = from + row + i < time && column < width;
            copyAsync(at(row + i, column), real ? in + i * source.stride : source.first, real);
        }
    }

    /// Tile number i of those that follow this one in memory.
    METHOD Tile next(int i) const { return {memory + i * SIZE}; }
};

// The 16 x 16 left and 16 x 8 right factors and the 16 x 8 sums of a tensor core's product, as they lie in the lanes of
// a warp (PTX ISA, mma.m16n8k16).

DEVICE int laneRow() { return lane() / 4; }
DEVICE int laneColumn() { return lane() % 4 * 2; }

struct Left {
    uint32_t words[4];
};

/// Two factors that lie side by side.
struct Rights {
    uint32_t words[2][2];
};

struct Sums {
    float values[4]; // of laneRow(), laneColumn() and the next, then of laneRow() + 8
};

/// 16 rows of a tile from `row` on.
template <int WIDTH>
struct Lefts {
    Left parts[WIDTH / 16];

    template <int COUNT>
    METHOD void load(const Tile<WIDTH, COUNT>& tile, int row) {
        UNROLLED
        for (int k = 0; k < WIDTH / 16; k++) {
            loadMatrices(tile.at(row + lane() % 16, 16 * k + lane() / 16 * 8), parts[k].words);
        }
    }
};

/// The transposes of 8 rows from `row` on and the next 8, columns from `column` on.
template <int WIDTH, int COUNT>
DEVICE Rights transposedRights(const Tile<WIDTH, COUNT>& tile, int row, int column) {
    uint32_t words[4];
    loadMatrices(tile.at(row + lane() / 16 * 8 + lane() % 8, column + lane() / 8 % 2 * 8), words);
    return {{{words[0], words[1]}, {words[2], words[3]}}};
}

/// 16 rows from `row` on, 8 columns from `column` on and the next 8.
template <int WIDTH, int COUNT>
DEVICE Rights rightsOf(const Tile<WIDTH, COUNT>& tile, int row, int column) {
    uint32_t words[4];
    loadTransposed(tile.at(row + lane() % 16, column + lane() / 16 * 8), words);
    return {{{words[0], words[1]}, {words[2], words[3]}}};
}

/// Two tiles of sums, 16 columns, as a left factor.
DEVICE Left leftOf(const Sums& first, const Sums& second) {
    return {packNearest(first.values[0], first.values[1]), packNearest(first.values[2], first.values[3]),
            packNearest(second.values[0], second.values[1]), packNearest(second.values[2], second.values[3])};
}

DEVICE void multiplyAdd(Sums& first, Sums& second, const Left& left, const Rights& rights) {
    tensorMultiplyAdd(first.values, left.words, rights.words[0]);
    tensorMultiplyAdd(second.values, left.words, rights.words[1]);
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

/// sums = a times the transpose of b.
template <int WIDTH, int COUNT>
DEVICE void multiplyTransposed(Sums (&sums)[COUNT / 8], const Lefts<WIDTH>& a, const Tile<WIDTH, COUNT>& b) {
    clear(sums);
    UNROLLED
    for (int k = 0; k < WIDTH / 16; k++) {
        UNROLLED
        for (int n = 0; n < COUNT / 8; n += 2) {
            multiplyAdd(sums[n], sums[n + 1], a.parts[k], transposedRights(b, 8 * n, 16 * k));
        }
    }
}

/// sums += a times b.
template <int WIDTH, int COUNT>
DEVICE void addProduct(Sums (&sums)[WIDTH / 8], const Sums (&a)[COUNT / 8], const Tile<WIDTH, COUNT>& b) {
    UNROLLED
    for (int k = 0; k < COUNT / 8; k += 2) {
        const Left left = leftOf(a[k], a[k + 1]);
        UNROLLED
        for (int n = 0; n < WIDTH / 8; n += 2) {
            multiplyAdd(sums[n], sums[n + 1], left, rightsOf(b, 8 * k, 8 * n));
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

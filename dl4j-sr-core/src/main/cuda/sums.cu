#include "sums.h"

/// A warp's.
static const int WARP_BLOCKS = WARP / BLOCK_THREADS;

/// Of blocks that are all there: a warp reads 256 neighbouring bytes of each of its blocks at once.
template <class T>
DEVICE void addWholeBlocks(const T* values, Lanes& lanes) {
    static const int PACKET = 16 / sizeof(T), PACKETS = 256 / 16; // of a block
    static const int AT_ONCE = PACKETS * PACKET, PADDING = 2 * PACKET, LOADS = WARP_BLOCKS * PACKETS / WARP;
    alignas(16) __shared__ T shared[WARPS][WARP_BLOCKS][AT_ONCE + PADDING];
    auto& own = shared[threadIdx.x / WARP];
    const int block = lane() / PACKETS, at = lane() % PACKETS * PACKET; // of the first packet that the lane loads
    for (int i = 0; i < BLOCK; i += AT_ONCE) {
        uint4 packets[LOADS];
        UNROLLED
        for (int j = 0; j < LOADS; j++) {
            packets[j] = *(const uint4*) (values + (block + j * (WARP / PACKETS)) * BLOCK + i + at);
        }
        __syncwarp(); // what was there has been read
        UNROLLED
        for (int j = 0; j < LOADS; j++) {
            *(uint4*) &own[block + j * (WARP / PACKETS)][at] = packets[j];
        }
        __syncwarp();
        UNROLLED
        for (int j = 0; j < AT_ONCE; j += BLOCK_THREADS * OCTET) {
            float x[OCTET];
            Whole().load(&own[lane() / BLOCK_THREADS][j + lane() % BLOCK_THREADS * OCTET], x);
            lanes.addSquares(Whole(), x);
        }
    }
}

template <class T>
DEVICE void sumOfSquares(const T* values, int64_t length, int64_t block, double* sums) {
    Lanes lanes;
    const int64_t first = (block - lane() / BLOCK_THREADS) * BLOCK; // of the warp's first block
    if (areAligned(values) && first + WARP_BLOCKS * BLOCK <= length) {
        addWholeBlocks(values + first, lanes);
    } else {
        blockOctets(block, length, false, [&](int64_t i, auto octet) {
            float x[OCTET];
            octet.load(values + i, x);
            lanes.addSquares(octet, x);
        });
    }
    const double sum = lanes.sum();
    if (writesBlock(block, length)) {
        sums[block] = sum;
    }
}

struct SummedArrays {
    int64_t values[SUMMED_ARRAYS], lengths[SUMMED_ARRAYS];
};

/// One array after the other, each from a warp of its own on.
template <class T>
DEVICE void sumsOfSquares(const SummedArrays& arrays, int count, double* sums) {
    int64_t warp = warpRow();
    for (int i = 0; i < count; i++) {
        const int64_t blocks = (arrays.lengths[i] + BLOCK - 1) / BLOCK;
        const int64_t warps = (blocks + WARP_BLOCKS - 1) / WARP_BLOCKS;
        if (warp < warps) {
            const int64_t block = warp * WARP_BLOCKS + lane() / BLOCK_THREADS;
            sumOfSquares((const T*) arrays.values[i], arrays.lengths[i], block, sums);
            return;
        }
        warp -= warps;
        sums += blocks;
    }
}

/// sums [all arrays' blocks].
RESIDENT_KERNEL(THREADS, 4, sumsOfSquares_float, SummedArrays arrays, int count, double* sums) {
    sumsOfSquares<float>(arrays, count, sums);
}

RESIDENT_KERNEL(THREADS, 4, sumsOfSquares_bfloat16, SummedArrays arrays, int count, double* sums) {
    sumsOfSquares<uint16_t>(arrays, count, sums);
}

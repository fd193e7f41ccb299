#include "sums.h"

/// Of blocks that are all there: a warp reads 256 neighbouring bytes of each of its blocks at once.
template <class T>
DEVICE void addWholeBlocks(const T* values, Lanes& lanes) {
    static const int BLOCKS = WARP / BLOCK_THREADS, PACKET = 16 / sizeof(T), PACKETS = 256 / 16; // of a block
    static const int AT_ONCE = PACKETS * PACKET, PADDING = 2 * PACKET, LOADS = BLOCKS * PACKETS / WARP;
    alignas(16) __shared__ T shared[WARPS][BLOCKS][AT_ONCE + PADDING];
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
DEVICE void sumOfSquares(const T* values, int64_t length, double* sums) {
    Lanes lanes;
    const int64_t ofWarp = WARP / BLOCK_THREADS * BLOCK, first = warpRow() * ofWarp;
    if (areAligned(values) && first + ofWarp <= length) {
        addWholeBlocks(values + first, lanes);
    } else {
        blockOctets(length, false, [&](int64_t i, auto octet) {
            float x[OCTET];
            octet.load(values + i, x);
            lanes.addSquares(octet, x);
        });
    }
    const double sum = lanes.sum();
    if (writesBlock(length)) {
        sums[ownBlock()] = sum;
    }
}

/// sums [blocks].
RESIDENT_KERNEL(THREADS, 4, sumOfSquares_float, const float* values, int64_t length, double* sums) {
    sumOfSquares(values, length, sums);
}

RESIDENT_KERNEL(THREADS, 4, sumOfSquares_bfloat16, const uint16_t* values, int64_t length, double* sums) {
    sumOfSquares(values, length, sums);
}

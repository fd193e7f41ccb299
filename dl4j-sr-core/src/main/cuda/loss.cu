// Softmax cross-entropy.
#include "device.h"

static_assert(LOSS_THREADS <= WARP * WARP, "a lane a warp");

DEVICE int warps() { return blockDim.x / WARP; }

/// The sum over the block, in every thread.
DEVICE float blockSum(float x) {
    __shared__ float sums[LOSS_THREADS / WARP];
    x = warpSum(x);
    if (lane() == 0) {
        sums[threadIdx.x / WARP] = x;
    }
    __syncthreads();
    return warpSum(lane() < warps() ? sums[lane()] : 0);
}

DEVICE float warpMaximum(float x) {
    for (int distance = WARP / 2; distance > 0; distance /= 2) {
        x = fmaxf(x, __shfl_xor_sync(0xFFFFFFFFu, x, distance));
    }
    return x;
}

DEVICE float blockMaximum(float x) {
    __shared__ float most[LOSS_THREADS / WARP];
    x = warpMaximum(x);
    if (lane() == 0) {
        most[threadIdx.x / WARP] = x;
    }
    __syncthreads();
    return warpMaximum(lane() < warps() ? most[lane()] : -INFINITY);
}

/// What a thread has seen of a row: the greatest logit, and the sum of e^(logit - greatest).
struct Exponentials {
    float top = -INFINITY, sum = 0;

    template <class Octet>
    METHOD void add(Octet octet, const float (&v)[OCTET]) {
        float most = top;
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            most = octet.has(k) ? fmaxf(most, v[k]) : most;
        }
        const float base = most == -INFINITY ? 0 : most; // nothing but minus infinity so far
        sum *= top == most ? 1 : approximatePower2((top - base) * LOG2_E);
        top = most;
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            sum += octet.has(k) ? approximatePower2((v[k] - base) * LOG2_E) : 0;
        }
    }
};

/// A row of whole octets on its way to shared memory; each thread copies what it uses.
template <class T>
struct ArrivingRow {
    static const int AHEAD = 7; // octets of a thread under way: all that it has of GPT-2's vocabulary

    const T* row;
    T* kept;
    int width;

    METHOD ArrivingRow(const T* row, T* kept, int width) : row(row), kept(kept), width(width) {
        UNROLLED
        for (int j = 0; j < AHEAD; j++) {
            begin((threadIdx.x + j * blockDim.x) * OCTET);
        }
    }

    METHOD void begin(int c) const {
        static const int PACKET = 16 / sizeof(uint16_t);
        if (c < width) {
            UNROLLED
            for (int i = 0; i < (int) sizeof(T) * OCTET / 16; i++) {
                copyAsync((uint16_t*) (kept + c) + i * PACKET, (const uint16_t*) (row + c) + i * PACKET, true);
            }
        }
        endCopies();
    }

    /// Calls body(values) for this thread's octets as they come.
    template <class Body>
    METHOD void each(Body body) const {
        const int step = blockDim.x * OCTET;
        for (int c = threadIdx.x * OCTET; c < width; c += step) {
            begin(c + AHEAD * step);
            waitForCopiesBut<AHEAD>();
            float v[OCTET];
            Whole().load(kept + c, v);
            body(v);
        }
    }
};

/// A block a row, of as many warps as the row fills; it keeps the row in shared memory if that holds it. dLogits may be
/// logits, or null for the loss alone.
template <class T>
DEVICE void crossEntropy(
        const T* logits, const int* targets, float* losses, T* dLogits, int vocabulary, int keep, float scale) {
    DYNAMIC_SHARED_MEMORY(sharedMemory);
    T* const kept = (T*) sharedMemory;
    const int64_t row = blockIdx.x;
    const T* in = logits + row * vocabulary;
    T* out = dLogits ? dLogits + row * vocabulary : 0;
    const bool aligned = areAligned(in, out), whole = keep && aligned && vocabulary % OCTET == 0;
    const ArrivingRow<T> arriving(in, kept, whole ? vocabulary : 0); // on its way before all else
    const int target = targets[row];
    if (target < 0) {
        waitForCopiesBut<0>();
        if (threadIdx.x == 0) {
            losses[row] = 0;
        }
        if (out) {
            rowOctets(vocabulary, aligned, threadIdx.x, blockDim.x, [&](int c, auto octet) {
                const float zeros[OCTET] = {};
                store(octet, out + c, zeros);
            });
        }
        return;
    }
    const float targetLogit = load(in + target);
    // each thread sums e^(x - own maximum) on the way, so that the row is read once for the loss
    Exponentials seen;
    if (whole) {
        arriving.each([&](const float (&v)[OCTET]) { seen.add(Whole(), v); });
    } else {
        rowOctets(vocabulary, aligned, threadIdx.x, blockDim.x, [&](int c, auto octet) {
            float v[OCTET];
            octet.load(in + c, v);
            if (keep) {
                U b[OCTET];
                UNROLLED
                for (int k = 0; k < OCTET; k++) {
                    b[k] = bits(v[k]);
                }
                octet.storeBits(kept + c, b);
            }
            seen.add(octet, v);
        });
    }
    const float most = blockMaximum(seen.top);
    const float all = blockSum(
            seen.top == most ? seen.sum : seen.sum * approximatePower2((seen.top - most) * LOG2_E));
    const float own = (targetLogit - most) * LOG2_E;
    if (threadIdx.x == 0) {
        losses[row] = (log2f(all) - own) / LOG2_E;
    }
    if (out) {
        const float factor = scale / all, base = most * LOG2_E;
        auto write = [&](const T* again, int c, auto octet) {
            float v[OCTET];
            octet.load(again + c, v);
            UNROLLED
            for (int k = 0; k < OCTET; k++) {
                v[k] = approximatePower2(fmaf(v[k], LOG2_E, -base)) * factor;
            }
            store(octet, out + c, v);
        };
        if (whole) {
            for (int c = threadIdx.x * OCTET; c < vocabulary; c += blockDim.x * OCTET) {
                write(kept, c, Whole());
            }
        } else { // from the end: what was read last is still in a cache
            const int last = (vocabulary + OCTET - 1) / OCTET - 1;
            for (int i = threadIdx.x; i <= last; i += blockDim.x) {
                rowOctet(vocabulary, aligned, (last - i) * OCTET, [&](int c, auto octet) {
                    write(keep ? kept : in, c, octet);
                });
            }
        }
        __syncthreads();
        if (threadIdx.x == 0) {
            store(out + target, (approximatePower2(own) / all - 1) * scale);
        }
    }
}

#define LOSS_KERNELS(suffix, T) \
    RESIDENT_KERNEL(LOSS_THREADS, 2, crossEntropy##suffix, const T* logits, const int* targets, \
                    float* losses, T* dLogits, int vocabulary, int keep, float scale) { \
        crossEntropy(logits, targets, losses, dLogits, vocabulary, keep, scale); \
    }

LOSS_KERNELS(_float, float)
LOSS_KERNELS(_bfloat16, uint16_t)

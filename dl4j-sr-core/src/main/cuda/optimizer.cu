// The optimizer's kernels. They give the bits of org.dl4jsr.kernel.JavaKernels: compile without contraction
// (--fmad=false --prec-sqrt=true --prec-div=true --ftz=false).
#include "device.h"

static const int THREADS = 256;

/// The random bits of the eight elements from this multiple of eight on.
DEVICE void randomBits(const PhiloxKeys& keys, int step, int64_t element, U (&random)[OCTET]) {
    UNROLLED
    for (int half = 0; half < 2; half++) {
        const uint64_t block = ((uint64_t) element >> 2) + half;
        W c0 = block, c1 = block >> 32, c2 = (uint32_t) step, c3 = 0;
        philox(c0, c1, c2, c3, keys);
        random[4 * half] = (U) c0;
        random[4 * half + 1] = (U) c1;
        random[4 * half + 2] = (U) c2;
        random[4 * half + 3] = (U) c3;
    }
}

/// The random bits of one element.
DEVICE U randomWord(const PhiloxKeys& keys, int step, int64_t element) {
    W c0 = (uint64_t) element >> 2, c1 = c0 >> 32, c2 = (uint32_t) step, c3 = 0;
    philox(c0, c1, c2, c3, keys);
    return (U) (element & 2 ? element & 1 ? c3 : c2 : element & 1 ? c1 : c0);
}

KERNEL(THREADS, toBFloat16, const float* source, uint16_t* target, int64_t length) {
    const int shift = shiftOf(target);
    eachOctet(length, shift, areAligned(source - shift, target - shift), [&](int64_t i, auto octet) {
        float x[OCTET];
        octet.load(source + i, x);
        store(octet, target + i, x);
    });
}

KERNEL(THREADS, toFloat, const uint16_t* source, float* target, int64_t length) {
    const int shift = shiftOf(source);
    eachOctet(length, shift, areAligned(source - shift, target - shift), [&](int64_t i, auto octet) {
        float x[OCTET];
        octet.load(source + i, x);
        store(octet, target + i, x);
    });
}

KERNEL(THREADS, stochasticRound, const float* source, uint16_t* target, int64_t length, int64_t seed, int step,
       int64_t element) {
    const PhiloxKeys keys(seed);
    const int shift = (int) (element % OCTET);
    eachOctet(length, shift, areAligned(source - shift, target - shift), [&](int64_t i, auto octet) {
        float x[OCTET];
        U random[OCTET], rounded[OCTET];
        octet.load(source + i, x);
        randomBits(keys, step, element + i, random);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            rounded[k] = stochastic(x[k], random[k] & 0xFFFFu);
        }
        octet.storeBits(target + i, rounded);
    });
}

template <class Update>
DEVICE void stochasticSubtract(
        uint16_t* weights, const Update* update, int64_t length, int64_t seed, int step, int64_t element) {
    const PhiloxKeys keys(seed);
    const int shift = (int) (element % OCTET);
    eachOctet(length, shift, areAligned(weights - shift, update - shift), [&](int64_t i, auto octet) {
        float p[OCTET], u[OCTET];
        U random[OCTET], rounded[OCTET];
        octet.load(weights + i, p);
        octet.load(update + i, u);
        randomBits(keys, step, element + i, random);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            rounded[k] = stochastic(p[k] - u[k], random[k] & 0xFFFFu);
        }
        octet.storeBits(weights + i, rounded);
    });
}

KERNEL(THREADS, stochasticSubtract_float, uint16_t* weights, const float* update, int64_t length, int64_t seed,
       int step, int64_t element) {
    stochasticSubtract(weights, update, length, seed, step, element);
}

KERNEL(THREADS, stochasticSubtract_bfloat16, uint16_t* weights, const uint16_t* update, int64_t length, int64_t seed,
       int step, int64_t element) {
    stochasticSubtract(weights, update, length, seed, step, element);
}

// Sums in the order of org.dl4jsr.kernel.BlockSum: two threads sum one block, eight lanes each.
static const int BLOCK = 4096;
static const int BLOCK_THREADS = 2;

struct Lanes {
    double sums[OCTET];

    METHOD Lanes() : sums() {}

    /// Adds the squares, which are exact, so that it does not matter whether they are fused with the sum.
    template <class Octet>
    METHOD void addSquares(Octet octet, const float (&x)[OCTET]) {
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            sums[k] += octet.has(k) ? (double) x[k] * x[k] : 0;
        }
    }

    /// The block's sum, in the first of its threads.
    METHOD double sum() {
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            sums[k] += __shfl_down_sync(0xFFFFFFFFu, sums[k], 1);
        }
        UNROLLED
        for (int half = OCTET / 2; half > 0; half /= 2) {
            UNROLLED
            for (int k = 0; k < half; k++) {
                sums[k] += sums[k + half];
            }
        }
        return sums[0];
    }
};

DEVICE int64_t ownBlock() { return threadIndex() / BLOCK_THREADS; }

/// Whether this thread is the one that holds its block's sum; the last warp's blocks may not exist.
DEVICE bool writesBlock(int64_t length) { return threadIdx.x % BLOCK_THREADS == 0 && ownBlock() * BLOCK < length; }

/// Calls body(first, Whole or Part) for this thread's octets of its block of an array, from the block's start on.
template <class Body>
DEVICE void blockOctets(int64_t length, bool aligned, Body body) {
    const int64_t end = (ownBlock() + 1) * BLOCK < length ? (ownBlock() + 1) * BLOCK : length;
    int64_t i = ownBlock() * BLOCK + threadIdx.x % BLOCK_THREADS * OCTET;
    if (aligned) {
        UNROLLED_BY_4
        for (; i + OCTET <= end; i += BLOCK_THREADS * OCTET) {
            body(i, Whole());
        }
    }
    for (; i < end; i += BLOCK_THREADS * OCTET) {
        body(i, Part{0, end - i < OCTET ? (int) (end - i) : OCTET});
    }
}

template <class T>
DEVICE void sumOfSquares(const T* values, int64_t length, double* sums) {
    Lanes lanes;
    blockOctets(length, areAligned(values), [&](int64_t i, auto octet) {
        float x[OCTET];
        octet.load(values + i, x);
        lanes.addSquares(octet, x);
    });
    const double sum = lanes.sum();
    if (writesBlock(length)) {
        sums[ownBlock()] = sum;
    }
}

/// sums [blocks].
KERNEL(THREADS, sumOfSquares_float, const float* values, int64_t length, double* sums) {
    sumOfSquares(values, length, sums);
}

KERNEL(THREADS, sumOfSquares_bfloat16, const uint16_t* values, int64_t length, double* sums) {
    sumOfSquares(values, length, sums);
}

// Correctly rounded root and quotient of numbers that are neither huge nor tiny, by the steps that the compiler itself
// takes for them, but without its branch for each number, which keeps eight of them from running at once.

/// For x in [2^-101, 2^60].
DEVICE float rootInRange(float x) {
    const float inverse = approximateReciprocalRoot(x), root = x * inverse;
    return fmaf(fmaf(-root, root, x), 0.5f * inverse, root);
}

/// For |a| in [2^-90, 2^60] and b in [2^-52, 2^31].
DEVICE float quotientInRange(float a, float b) {
    const float approximate = approximateReciprocal(b);
    const float inverse = fmaf(approximate, fmaf(-b, approximate, 1), approximate), quotient = a * inverse;
    return fmaf(inverse, fmaf(-b, quotient, a), quotient);
}

/// Eight parameters on their way through a step.
struct Parameters {
    float gradient[OCTET], weight[OCTET], m[OCTET], v[OCTET], update[OCTET];
    U stored[OCTET]; // the new weight, bits of FP32

    /// From the scaled gradient to the update.
    METHOD void move(const AdamWScalars& s) {
        float newM[OCTET], newV[OCTET];
        bool inRange = s.epsilon < 1;
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            gradient[k] *= s.gradientScale;
            newM[k] = m[k];
            newV[k] = v[k];
            moveMoments(s, gradient[k], newM[k], newV[k]);
            const float numerator = fabsf(newM[k] * s.biasCorrection1), square = newV[k] * s.biasCorrection2;
            inRange = inRange && numerator >= 0x1p-90f && numerator <= 0x1p60f && square >= 0x1p-101f
                    && square <= 0x1p60f;
        }
        if (inRange) {
            UNROLLED
            for (int k = 0; k < OCTET; k++) {
                const float root = rootInRange(newV[k] * s.biasCorrection2);
                const float quotient = quotientInRange(newM[k] * s.biasCorrection1, root + s.epsilon);
                update[k] = scaledUpdate(s, quotient, weight[k]);
                m[k] = newM[k];
                v[k] = newV[k];
            }
        } else {
            for (int k = 0; k < OCTET; k++) {
                update[k] = adamWUpdate(s, gradient[k], weight[k], m[k], v[k]);
            }
        }
    }
};

/// BF16 weights with BF16 state.
template <int WRITE>
struct BFloat16Step {
    static const bool RANDOM = true;

    const uint16_t* gradient;
    uint16_t *weights, *m, *v, *compensation;

    METHOD explicit BFloat16Step(const AdamWArrays& a)
        : gradient((const uint16_t*) a.gradient), weights((uint16_t*) a.weights), m((uint16_t*) a.m),
          v((uint16_t*) a.v), compensation((uint16_t*) a.extra) {}

    METHOD bool isAligned(int shift) const {
        return areAligned(gradient - shift, weights - shift, m - shift, v - shift)
                && (WRITE != KAHAN || areAligned(compensation - shift));
    }

    template <class Octet>
    METHOD void run(Octet octet, int64_t i, const AdamWScalars& s, const U (&random)[OCTET], Parameters& p) const {
        float c[OCTET];
        U newM[OCTET], newV[OCTET];
        octet.load(gradient + i, p.gradient);
        octet.load(weights + i, p.weight);
        octet.load(m + i, p.m);
        octet.load(v + i, p.v);
        if (WRITE == KAHAN) {
            octet.load(compensation + i, c);
        }
        p.move(s);
        // whatever is huge or NaN shows in the weight or in v; an infinite m rounds to itself
        bool ordinary = WRITE == STOCHASTIC;
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            ordinary = ordinary && fabsf(p.weight[k] - p.update[k]) < 0x1p127f && p.v[k] < 0x1p127f;
        }
        if (ordinary) {
            UNROLLED
            for (int k = 0; k < OCTET; k++) {
                p.stored[k] = stochasticNumber(p.weight[k] - p.update[k], random[k] & 0xFFFFu);
                newM[k] = nearestNumber(p.m[k]);
            }
            if (s.stateRounding == STATE_STOCHASTIC) {
                UNROLLED
                for (int k = 0; k < OCTET; k++) {
                    newV[k] = stochasticNumber(p.v[k], random[k] >> 16);
                }
            } else {
                UNROLLED
                for (int k = 0; k < OCTET; k++) {
                    newV[k] = nearestNumber(p.v[k]);
                }
            }
        } else {
            UNROLLED
            for (int k = 0; k < OCTET; k++) {
                p.stored[k] = writeWeight<WRITE>(p.weight[k], p.update[k], c[k], random[k]);
                newM[k] = nearest(p.m[k]);
                newV[k] = writeSecondMoment(s, p.v[k], random[k]);
            }
        }
        octet.storeBits(weights + i, p.stored);
        octet.storeBits(m + i, newM);
        octet.storeBits(v + i, newV);
        if (WRITE == KAHAN) {
            store(octet, compensation + i, c);
        }
    }

    METHOD static bool isStagnant(const Parameters& p, int k) {
        return widened(nearest(p.weight[k] - p.update[k])) == bits(p.weight[k]);
    }

    METHOD static bool hasMoved(const Parameters& p, int k) { return widened(p.stored[k]) != bits(p.weight[k]); }
};

/// FP32 weights, or BF16 weights with an FP32 master; the state is FP32.
template <class Weight>
struct FloatStep {
    static const bool RANDOM = false;
    static const bool HAS_MASTER = sizeof(Weight) == sizeof(uint16_t);

    const Weight* gradient;
    Weight* weights;
    float *m, *v, *exact;

    METHOD explicit FloatStep(const AdamWArrays& a)
        : gradient((const Weight*) a.gradient), weights((Weight*) a.weights), m((float*) a.m), v((float*) a.v),
          exact((float*) (HAS_MASTER ? a.extra : a.weights)) {}

    METHOD bool isAligned(int shift) const {
        return areAligned(gradient - shift, weights - shift, m - shift, v - shift, exact - shift);
    }

    template <class Octet>
    METHOD void run(Octet octet, int64_t i, const AdamWScalars& s, const U (&)[OCTET], Parameters& p) const {
        float kept[OCTET];
        U newM[OCTET], newV[OCTET];
        octet.load(gradient + i, p.gradient);
        octet.load(exact + i, p.weight);
        octet.load(m + i, p.m);
        octet.load(v + i, p.v);
        if (HAS_MASTER) {
            octet.load(weights + i, kept);
            UNROLLED
            for (int k = 0; k < OCTET; k++) {
                p.weight[k] = masterWeight(p.weight[k], kept[k]);
            }
        }
        p.move(s);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            p.stored[k] = canonical(p.weight[k] - p.update[k]);
            newM[k] = canonical(p.m[k]);
            newV[k] = canonical(p.v[k]);
        }
        octet.storeBits(exact + i, p.stored);
        octet.storeBits(m + i, newM);
        octet.storeBits(v + i, newV);
        if (HAS_MASTER) {
            UNROLLED
            for (int k = 0; k < OCTET; k++) {
                kept[k] = value(p.stored[k]);
            }
            store(octet, weights + i, kept);
        }
    }

    METHOD static bool isStagnant(const Parameters& p, int k) { return !hasMoved(p, k); }

    METHOD static bool hasMoved(const Parameters& p, int k) { return p.stored[k] != bits(p.weight[k]); }
};

template <class Step>
DEVICE void adamW(const AdamWScalars& s, const AdamWArrays& a) {
    const Step step(a);
    const int shift = (int) (a.element % OCTET);
    eachOctet(a.length, shift, step.isAligned(shift), [&](int64_t i, auto octet) {
        Parameters p;
        U random[OCTET];
        if (Step::RANDOM) {
            randomBits(s.keys, s.step, a.element + i, random);
        }
        step.run(octet, i, s, random, p);
    });
}

/// What AdamWStatistics sums, over one block.
struct AdamWSums {
    int64_t stagnant, moved;
    double squaredUpdate, squaredWeight, squaredGradient;
};

/// As adamW, and writes sums [blocks].
template <class Step>
DEVICE void adamWTraced(const AdamWScalars& s, const AdamWArrays& a, AdamWSums* sums) {
    const Step step(a);
    const bool aligned = step.isAligned(0);
    Lanes updates, weights, gradients;
    int stagnant = 0, moved = 0;
    blockOctets(a.length, aligned, [&](int64_t i, auto octet) {
        Parameters p;
        U random[OCTET];
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            random[k] = Step::RANDOM ? randomWord(s.keys, s.step, a.element + i + k) : 0;
        }
        step.run(octet, i, s, random, p);
        updates.addSquares(octet, p.update);
        weights.addSquares(octet, p.weight);
        gradients.addSquares(octet, p.gradient);
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            if (octet.has(k)) {
                stagnant += Step::isStagnant(p, k) && p.update[k] != 0;
                moved += Step::hasMoved(p, k);
            }
        }
    });
    stagnant += __shfl_down_sync(0xFFFFFFFFu, stagnant, 1);
    moved += __shfl_down_sync(0xFFFFFFFFu, moved, 1);
    const AdamWSums blockSums = {stagnant, moved, updates.sum(), weights.sum(), gradients.sum()};
    if (writesBlock(a.length)) {
        sums[ownBlock()] = blockSums;
    }
}

#define ADAMW_PARAMETERS \
    float learningRate, float beta1, float beta2, float epsilon, float weightDecay, float gradientScale, \
    float biasCorrection1, float biasCorrection2, int stateRounding, int64_t seed, int step, void* weights, \
    const void* gradient, void* m, void* v, void* extra, int64_t length, int64_t element

#define ADAMW_SCALARS AdamWScalars { \
    learningRate, beta1, beta2, 1.0f - beta1, 1.0f - beta2, epsilon, weightDecay, gradientScale, biasCorrection1, \
    biasCorrection2, stateRounding, PhiloxKeys(seed), step}

#define ADAMW_ARRAYS AdamWArrays {weights, gradient, m, v, extra, length, element}

#define ADAMW_KERNELS(name, Step) \
    KERNEL(THREADS, name, ADAMW_PARAMETERS) { adamW<Step>(ADAMW_SCALARS, ADAMW_ARRAYS); } \
    KERNEL(THREADS, name##_traced, ADAMW_PARAMETERS, AdamWSums* sums) { \
        adamWTraced<Step>(ADAMW_SCALARS, ADAMW_ARRAYS, sums); \
    }

ADAMW_KERNELS(adamW_stochastic, BFloat16Step<STOCHASTIC>)
ADAMW_KERNELS(adamW_nearest, BFloat16Step<NEAREST>)
ADAMW_KERNELS(adamW_kahan, BFloat16Step<KAHAN>)
ADAMW_KERNELS(adamW_master, FloatStep<uint16_t>)
ADAMW_KERNELS(adamW_float, FloatStep<float>)

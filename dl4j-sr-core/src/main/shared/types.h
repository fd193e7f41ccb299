// The arguments of the optimizer's kernels; plain integers and floats, for C++ and CUDA.

#ifdef __CUDACC__
#define DL4JSR_DEVICE __device__
#else
#define DL4JSR_DEVICE
#endif

/// The streams of org.dl4jsr.rounding.StochasticRounding.
enum Stream { WEIGHT_STREAM = 0, MOMENT_STREAM = 1 };

/// The keys of Philox's rounds.
struct PhiloxKeys {
    static const int ROUNDS = 10;
    uint64_t k0[ROUNDS], k1[ROUNDS];

    DL4JSR_DEVICE explicit PhiloxKeys(int64_t seed) {
        for (uint32_t round = 0; round < ROUNDS; round++) {
            k0[round] = (uint32_t) seed + round * 0x9E3779B9u;
            k1[round] = (uint32_t) ((uint64_t) seed >> 32) + round * 0xBB67AE85u;
        }
    }
};

/// The numbers of org.dl4jsr.kernel.OptimizerStep, in the order of its scalars().
template <class Formula>
struct OptimizerStep {
    float learningRate, weightDecay, gradientScale;
    Formula formula;
};

/// The memory of org.dl4jsr.kernel.OptimizerArrays, in the order of its toArray().
struct OptimizerArrays {
    static const int MOST_MOMENTS = 2;

    void* weights;
    const void* gradient;
    void* extra;
    int64_t length, element;
    void* moments[MOST_MOMENTS];
};

/// What org.dl4jsr.kernel.StepStatistics sums, over one block or all of them.
struct StepSums {
    int64_t stagnant, moved;
    double squaredUpdate, squaredWeight, squaredGradient;
};

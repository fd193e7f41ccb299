// The arguments of the optimizer's kernels; plain integers and floats, for C++ and CUDA. The orders of the enums are
// those of the Java enums.

enum InstructionSet { AMX, AVX512BF16, EMULATED_AMX, AVX512, AVX2, SCALAR };
enum FloatType { FLOAT, BFLOAT16 };
enum WeightWrite { STOCHASTIC, NEAREST, KAHAN, MASTER };
enum StateRounding { STATE_STOCHASTIC, STATE_NEAREST };

#ifdef __CUDACC__
#define DL4JSR_DEVICE __device__
#else
#define DL4JSR_DEVICE
#endif

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

/// The scalars of org.dl4jsr.kernel.AdamWStep.
struct AdamWScalars {
    float learningRate, beta1, beta2, oneMinusBeta1, oneMinusBeta2, epsilon, weightDecay, gradientScale,
          biasCorrection1, biasCorrection2;
    int stateRounding;
    PhiloxKeys keys;
    int step;
};

/// The memory of org.dl4jsr.kernel.AdamWArrays.
struct AdamWArrays {
    void *weights;
    const void *gradient;
    void *m, *v, *extra;
    int64_t length, element;
};

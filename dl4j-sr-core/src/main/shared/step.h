// One step of any optimizer, for a pack of weights: loads, the formula, the weight write, the rounding of the state,
// stores. Included as rounding.h is, after optimizers.h and a function directions(formula, gradients, moments,
// directions). A pack is N times as many neighbours as F holds, in an order of its own: it has functions
// load(address, F [N]), and storeBits(address, U [N]) of bits of FP32 or of BF16 in the upper halves.

/// What statistics want to know of a step of a pack; weights as bits of FP32.
template <int N>
struct StepResult {
    F gradient[N], weight[N], update[N];
    U nearest[N], stored[N]; // what rounding to nearest would have stored, and what was

    LANES_METHOD U stagnant(int k) const {
        return (nearest[k] == bits(weight[k])) & (update[k] != F{}) ? U{} + 1u : U{};
    }

    LANES_METHOD U moved(int k) const { return stored[k] != bits(weight[k]) ? U{} + 1u : U{}; }
};

/// r.update from r.weight and the gradient, which is scaled, and the moments, which are moved.
template <class Formula, int N>
LANES_FUNCTION void findUpdate(const OptimizerStep<Formula>& s, F (&moments)[Formula::MOMENTS][N], StepResult<N>& r) {
    F direction[N];
    UNROLLED
    for (int k = 0; k < N; k++) {
        r.gradient[k] = r.gradient[k] * s.gradientScale;
    }
    directions(s.formula, r.gradient, moments, direction);
    UNROLLED
    for (int k = 0; k < N; k++) {
        F u = direction[k] + r.weight[k] * s.weightDecay;
        r.update[k] = u * s.learningRate;
    }
}

/// The random bits of N times as many weights as F holds.
template <int N>
struct StepRandom {
    U words[N]; // the low half for the weight, the high half for the last moment
    U halves[N]; // the low half for the first of two moments
};

/// Rounds weights and moments; c is the compensation. ORDINARY: as in nearestOf.
template <class Write, bool ORDINARY, int MOMENTS, int N>
LANES_FUNCTION void roundStep(
        bool stochasticState, const StepRandom<N>& random, const F (&moments)[MOMENTS][N], F (&c)[N],
        StepResult<N>& r, U (&roundedMoments)[MOMENTS][N]) {
    static_assert(MOMENTS <= OptimizerArrays::MOST_MOMENTS, "there are random bits for so many moments");
    UNROLLED
    for (int k = 0; k < N; k++) {
        r.stored[k] = Write::template write<ORDINARY>(r.weight[k], r.update[k], c[k], random.words[k]);
        UNROLLED
        for (int j = 0; j < MOMENTS; j++) {
            const U own = j == MOMENTS - 1 ? random.words[k] >> 16 : random.halves[k] & 0xFFFFu;
            roundedMoments[j][k] = stochasticState ? stochasticOf<ORDINARY>(moments[j][k], own)
                                                   : nearestOf<ORDINARY>(moments[j][k]);
        }
    }
}

/// BF16 weights with BF16 state.
template <class Write, class Formula, class Pack>
LANES_FUNCTION void stepBFloat16(
        Pack pack, const OptimizerStep<Formula>& s, const OptimizerArrays& a, bool stochasticState, int64_t i,
        const StepRandom<Pack::N>& random, StepResult<Pack::N>& r) {
    const int N = Pack::N, MOMENTS = Formula::MOMENTS;
    F moments[MOMENTS][N], c[N] = {};
    U roundedMoments[MOMENTS][N], roundedC[N], greatest = {};
    pack.load((const uint16_t*) a.gradient + i, r.gradient);
    pack.load((const uint16_t*) a.weights + i, r.weight);
    UNROLLED
    for (int j = 0; j < MOMENTS; j++) {
        pack.load((const uint16_t*) a.moments[j] + i, moments[j]);
    }
    if (Write::EXTRA) {
        pack.load((const uint16_t*) a.extra + i, c);
    }
    findUpdate(s, moments, r);
    UNROLLED
    for (int k = 0; k < N; k++) {
        const F after = r.weight[k] - r.update[k];
        r.nearest[k] = widened(nearest(after));
        greatest = greater(greatest, magnitude(after));
        UNROLLED
        for (int j = 0; j < MOMENTS; j++) {
            greatest = greater(greatest, magnitude(moments[j][k]));
        }
    }
    if (allBelow(greatest, ORDINARY_LIMIT)) {
        roundStep<Write, true>(stochasticState, random, moments, c, r, roundedMoments);
    } else {
        roundStep<Write, false>(stochasticState, random, moments, c, r, roundedMoments);
    }
    pack.storeBits((uint16_t*) a.weights + i, r.stored);
    UNROLLED
    for (int j = 0; j < MOMENTS; j++) {
        pack.storeBits((uint16_t*) a.moments[j] + i, roundedMoments[j]);
    }
    UNROLLED
    for (int k = 0; k < N; k++) {
        r.stored[k] = widened(r.stored[k]);
        roundedC[k] = nearest(c[k]);
    }
    if (Write::EXTRA) {
        pack.storeBits((uint16_t*) a.extra + i, roundedC);
    }
}

/// FP32 weights, or BF16 weights with an FP32 master; the state is FP32.
template <class Weight, class Formula, class Pack>
LANES_FUNCTION void stepFloat(
        Pack pack, const OptimizerStep<Formula>& s, const OptimizerArrays& a, int64_t i, StepResult<Pack::N>& r) {
    const int N = Pack::N, MOMENTS = Formula::MOMENTS;
    const bool hasMaster = sizeof(Weight) == sizeof(uint16_t);
    float* exact = (float*) (hasMaster ? a.extra : a.weights);
    F moments[MOMENTS][N], kept[N];
    U b[N];
    pack.load((const Weight*) a.gradient + i, r.gradient);
    pack.load(exact + i, r.weight);
    UNROLLED
    for (int j = 0; j < MOMENTS; j++) {
        pack.load((const float*) a.moments[j] + i, moments[j]);
    }
    if (hasMaster) {
        pack.load((const Weight*) a.weights + i, kept);
        UNROLLED
        for (int k = 0; k < N; k++) {
            r.weight[k] = masterWeight(r.weight[k], kept[k]);
        }
    }
    findUpdate(s, moments, r);
    UNROLLED
    for (int k = 0; k < N; k++) {
        r.nearest[k] = r.stored[k] = canonical(r.weight[k] - r.update[k]);
        b[k] = nearest(value(r.stored[k]));
    }
    pack.storeBits(exact + i, r.stored);
    if (hasMaster) {
        pack.storeBits((Weight*) a.weights + i, b);
    }
    UNROLLED
    for (int j = 0; j < MOMENTS; j++) {
        UNROLLED
        for (int k = 0; k < N; k++) {
            b[k] = canonical(moments[j][k]);
        }
        pack.storeBits((float*) a.moments[j] + i, b);
    }
}

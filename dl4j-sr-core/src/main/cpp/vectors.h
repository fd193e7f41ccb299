// The kernels' loops over elements [begin, end) of one block, vectors at a time, and an element at a time at the ends.
// BF16 is loaded as pairs of vectors: the even elements, which are the lower halves of 32-bit words, and the odd ones.

static const int PAIR = 2 * LANES;

/// Where pairs may start: the first index from begin on whose element is a multiple of four, since four elements share
/// a Philox block. Where that is beyond end, and where the upper word of the block's number changes underway: end.
static inline int64_t firstPair(int64_t element, int64_t begin, int64_t end) {
    int64_t first = begin + (-(element + begin) & 3);
    bool oneUpperWord = (element + begin) >> 34 == (element + end) >> 34;
    return first < end && oneUpperWord ? first : end;
}

/// The random bits of pairs of one block.
struct PairBits {
    const PhiloxKeys& keys;
    const W step, upperWord;

    /// For pairs from the given element on, as far as firstPair allows.
    LANES_METHOD PairBits(const PhiloxKeys& keys, int step, int64_t element)
        : keys(keys), step(W{} + (uint64_t) (uint32_t) step), upperWord(W{} + (uint64_t) (element >> 34)) {}

    /// Of the pair at this element.
    LANES_METHOD void get(int64_t element, U& even, U& odd) const { get(element, RISING, even, odd); }

    /// Of the pair at this element, in the order of the elements.
    LANES_METHOD void getInOrder(int64_t element, U& first, U& second) const {
        U even, odd;
        get(element, ALTERNATING, even, odd);
        first = unpackLow(even, odd);
        second = unpackHigh(even, odd);
    }

private:
    LANES_METHOD void get(int64_t element, W blocks, U& even, U& odd) const {
        W c0 = blocks + (uint64_t) (element >> 2), c1 = upperWord, c2 = step, c3 = W{};
        philox(c0, c1, c2, c3, keys);
        even = lowerHalves(c0, c2);
        odd = lowerHalves(c1, c3);
    }
};

LANES_FUNCTION F load(const float* source) {
    F x;
    memcpy(&x, source, sizeof x);
    return x;
}

LANES_FUNCTION F load(const uint16_t* source) {
    Half b;
    memcpy(&b, source, sizeof b);
    return value(__builtin_convertvector(b, U) << 16);
}

LANES_FUNCTION void store(float* target, U b) { memcpy(target, &b, sizeof b); }

LANES_FUNCTION void store(uint16_t* target, U b) {
    Half upper = __builtin_convertvector(b >> 16, Half);
    memcpy(target, &upper, sizeof upper);
}

LANES_FUNCTION void loadPair(const uint16_t* source, F& even, F& odd) {
    U both;
    memcpy(&both, source, sizeof both);
    even = value(both << 16);
    odd = value(both & 0xFFFF0000u);
}

LANES_FUNCTION void storePair(uint16_t* target, U even, U odd) {
    U both = upperHalves(even, odd);
    memcpy(target, &both, sizeof both);
}

LANES_FUNCTION F magnitude(F x) { return value(bits(x) & 0x7FFFFFFFu); }

static inline void toBFloat16Block(const float* source, uint16_t* target, int64_t begin, int64_t end) {
    int64_t i = begin;
    for (; i + LANES <= end; i += LANES) {
        store(target + i, nearest(load(source + i)));
    }
    scalar::toBFloat16Block(source, target, i, end);
}

static inline void toFloatBlock(const uint16_t* source, float* target, int64_t begin, int64_t end) {
    int64_t i = begin;
    for (; i + LANES <= end; i += LANES) {
        store(target + i, bits(load(source + i)));
    }
    scalar::toFloatBlock(source, target, i, end);
}

static inline void stochasticRoundBlock(
        const float* source, uint16_t* target, int64_t begin, int64_t end, const PhiloxKeys& keys, int step,
        int64_t element) {
    int64_t i = firstPair(element, begin, end);
    scalar::stochasticRoundBlock(source, target, begin, i, keys, step, element);
    const PairBits random(keys, step, element + i);
    for (; i + PAIR <= end; i += PAIR) {
        U first, second;
        random.getInOrder(element + i, first, second);
        store(target + i, stochastic(load(source + i), first & 0xFFFFu));
        store(target + i + LANES, stochastic(load(source + i + LANES), second & 0xFFFFu));
    }
    scalar::stochasticRoundBlock(source, target, i, end, keys, step, element);
}

template <class Update>
static inline void stochasticSubtractBlock(
        uint16_t* weights, const Update* update, int64_t begin, int64_t end, const PhiloxKeys& keys, int step,
        int64_t element) {
    int64_t i = firstPair(element, begin, end);
    scalar::stochasticSubtractBlock(weights, update, begin, i, keys, step, element);
    const PairBits random(keys, step, element + i);
    for (; i + PAIR <= end; i += PAIR) {
        U first, second;
        random.getInOrder(element + i, first, second);
        F a = load(weights + i) - load(update + i);
        F b = load(weights + i + LANES) - load(update + i + LANES);
        store(weights + i, stochastic(a, first & 0xFFFFu));
        store(weights + i + LANES, stochastic(b, second & 0xFFFFu));
    }
    scalar::stochasticSubtractBlock(weights, update, i, end, keys, step, element);
}

/// Adds the squares of at most one block to sixteen lanes.
template <class T>
static inline void addSquares(const T* values, int64_t begin, int64_t end, double* lanes) {
    const int vectors = 16 / LANES;
    D low[vectors] = {}, high[vectors] = {};
    int64_t i = begin;
    for (; i + 16 <= end; i += 16) {
        for (int vector = 0; vector < vectors; vector++) {
            addSquares(load(values + i + vector * LANES), low[vector], high[vector]);
        }
    }
    for (int vector = 0; vector < vectors; vector++) {
        memcpy(lanes + vector * LANES, &low[vector], sizeof(D));
        memcpy(lanes + vector * LANES + LANES / 2, &high[vector], sizeof(D));
    }
    scalar::addSquares(values, i, end, lanes);
}

LANES_FUNCTION int64_t sum(U counts) {
    int64_t total = 0;
    for (int lane = 0; lane < LANES; lane++) {
        total += counts[lane];
    }
    return total;
}

/// One AdamW step of BF16 weights with BF16 state.
template <int WRITE, bool TRACE>
static inline void adamWBFloat16(
        const AdamWScalars& scalars, const AdamWArrays& a, int64_t begin, int64_t end, AdamWTrace* trace) {
    const AdamWScalars s = scalars; // a copy that no store can alias
    const uint16_t* gradient = (const uint16_t*) a.gradient;
    uint16_t *weights = (uint16_t*) a.weights, *ms = (uint16_t*) a.m, *vs = (uint16_t*) a.v;
    uint16_t* compensation = (uint16_t*) a.extra;
    U stagnant = {}, moved = {};
    int64_t i = firstPair(a.element, begin, end);
    scalar::adamWBFloat16<WRITE, TRACE>(scalars, a, begin, i, trace);
    const PairBits bitsOf(s.keys, s.step, a.element + i);
    for (; i + PAIR <= end; i += PAIR) {
        U random[2], newP[2], newM[2], newV[2];
        F g[2], p[2], m[2], v[2], c[2] = {}, update[2], after[2];
        bitsOf.get(a.element + i, random[0], random[1]);
        loadPair(gradient + i, g[0], g[1]);
        loadPair(weights + i, p[0], p[1]);
        loadPair(ms + i, m[0], m[1]);
        loadPair(vs + i, v[0], v[1]);
        if (WRITE == KAHAN) {
            loadPair(compensation + i, c[0], c[1]);
        }
        for (int k = 0; k < 2; k++) {
            g[k] = g[k] * s.gradientScale;
            update[k] = adamWUpdate(s, g[k], p[k], m[k], v[k]);
            after[k] = p[k] - update[k];
        }
        // whatever is huge or NaN shows in the weight or in v; an infinite m rounds to itself
        bool ordinary = WRITE == STOCHASTIC
                && allBelow(magnitude(after[0]), magnitude(after[1]), v[0], v[1], F{} + 0x1p127f);
        for (int k = 0; k < 2; k++) {
            if (ordinary) {
                newP[k] = stochasticNumber(after[k], random[k] & 0xFFFFu);
                newM[k] = nearestNumber(m[k]);
                newV[k] = s.stateRounding == STATE_STOCHASTIC ? stochasticNumber(v[k], random[k] >> 16)
                                                              : nearestNumber(v[k]);
            } else {
                newP[k] = writeWeight<WRITE>(p[k], update[k], c[k], random[k]);
                newM[k] = nearest(m[k]);
                newV[k] = writeSecondMoment(s, v[k], random[k]);
            }
            if (TRACE) {
                stagnant -= (U) ((widened(nearest(after[k])) == bits(p[k])) & (update[k] != F{}));
                moved -= (U) (widened(newP[k]) != bits(p[k]));
            }
        }
        storePair(weights + i, newP[0], newP[1]);
        storePair(ms + i, newM[0], newM[1]);
        storePair(vs + i, newV[0], newV[1]);
        if (WRITE == KAHAN) {
            storePair(compensation + i, nearest(c[0]), nearest(c[1]));
        }
        if (TRACE) {
            storePair(trace->update + i % BLOCK, update[0], update[1]);
            storePair(trace->weight + i % BLOCK, p[0], p[1]);
            storePair(trace->gradient + i % BLOCK, g[0], g[1]);
        }
    }
    if (TRACE) {
        trace->stagnant += sum(stagnant);
        trace->moved += sum(moved);
    }
    scalar::adamWBFloat16<WRITE, TRACE>(scalars, a, i, end, trace);
}

/// One AdamW step of FP32 weights, or of BF16 weights with an FP32 master; state is FP32.
template <class Gradient, bool TRACE>
static inline void adamWFloat(
        const AdamWScalars& scalars, const AdamWArrays& a, int64_t begin, int64_t end, AdamWTrace* trace) {
    const AdamWScalars s = scalars; // a copy that no store can alias
    const bool master = sizeof(Gradient) == sizeof(uint16_t);
    const Gradient* gradient = (const Gradient*) a.gradient;
    float *weights = (float*) (master ? a.extra : a.weights), *ms = (float*) a.m, *vs = (float*) a.v;
    U stagnant = {}, moved = {};
    int64_t i = begin;
    for (; i + LANES <= end; i += LANES) {
        F g = load(gradient + i) * s.gradientScale;
        F p = load(weights + i), m = load(ms + i), v = load(vs + i);
        if (master) {
            p = masterWeight(p, load((const uint16_t*) a.weights + i));
        }
        F update = adamWUpdate(s, g, p, m, v);
        U written = canonical(p - update);
        store(weights + i, written);
        if (master) {
            store((uint16_t*) a.weights + i, nearest(value(written)));
        }
        store(ms + i, canonical(m));
        store(vs + i, canonical(v));
        if (TRACE) {
            stagnant -= (U) ((written == bits(p)) & (update != F{}));
            moved -= (U) (written != bits(p));
            memcpy(trace->update + i % BLOCK, &update, sizeof update);
            memcpy(trace->weight + i % BLOCK, &p, sizeof p);
            memcpy(trace->gradient + i % BLOCK, &g, sizeof g);
        }
    }
    if (TRACE) {
        trace->stagnant += sum(stagnant);
        trace->moved += sum(moved);
    }
    scalar::adamWFloat<Gradient, TRACE>(scalars, a, i, end, trace);
}

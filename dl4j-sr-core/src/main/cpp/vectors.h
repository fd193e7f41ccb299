// The kernels' loops over elements [begin, end) of one block, two vectors at a time, and an element at a time at the
// ends. The random bits of four elements are one Philox block, so vectors start at a multiple of four elements.

static const int PAIR = 2 * LANES;

/// The random bits of a pair of vectors whose first element is a multiple of four. Blocks are the Philox blocks of its
/// lanes: RISING gives the order of loadPair, ALTERNATING that of the elements.
LANES_FUNCTION void randomPair(int64_t seed, int step, int64_t element, W blocks, U& low, U& high) {
    W c0 = blocks + (uint64_t) (element >> 2);
    W c1 = c0 >> 32, c2 = W{} + (uint64_t) (uint32_t) step, c3 = W{};
    philox(c0, c1, c2, c3, (uint64_t) seed);
    W words01 = (c0 & 0xFFFFFFFFu) | (c1 << 32);
    W words23 = (c2 & 0xFFFFFFFFu) | (c3 << 32);
    low = unpackLow(words01, words23);
    high = unpackHigh(words01, words23);
}

/// The first index from begin on whose element is a multiple of four, at most end.
static inline int64_t firstVector(int64_t element, int64_t begin, int64_t end) {
    int64_t first = begin + (-(element + begin) & 3);
    return first < end ? first : end;
}

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
    Half low = __builtin_convertvector(b, Half);
    memcpy(target, &low, sizeof low);
}

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
        const float* source, uint16_t* target, int64_t begin, int64_t end, int64_t seed, int step, int64_t element) {
    int64_t i = firstVector(element, begin, end);
    scalar::stochasticRoundBlock(source, target, begin, i, seed, step, element);
    for (; i + PAIR <= end; i += PAIR) {
        U first, second;
        randomPair(seed, step, element + i, ALTERNATING, first, second);
        store(target + i, stochastic(load(source + i), first & 0xFFFFu));
        store(target + i + LANES, stochastic(load(source + i + LANES), second & 0xFFFFu));
    }
    scalar::stochasticRoundBlock(source, target, i, end, seed, step, element);
}

template <class Update>
static inline void stochasticSubtractBlock(
        uint16_t* weights, const Update* update, int64_t begin, int64_t end, int64_t seed, int step, int64_t element) {
    int64_t i = firstVector(element, begin, end);
    scalar::stochasticSubtractBlock(weights, update, begin, i, seed, step, element);
    for (; i + PAIR <= end; i += PAIR) {
        U first, second;
        randomPair(seed, step, element + i, ALTERNATING, first, second);
        F a = load(weights + i) - load(update + i);
        F b = load(weights + i + LANES) - load(update + i + LANES);
        store(weights + i, stochastic(a, first & 0xFFFFu));
        store(weights + i + LANES, stochastic(b, second & 0xFFFFu));
    }
    scalar::stochasticSubtractBlock(weights, update, i, end, seed, step, element);
}

/// Adds the squares of at most one block to sixteen lanes.
template <class T>
static inline void addSquares(const T* values, int64_t begin, int64_t end, double* lanes) {
    const int vectors = 16 / LANES;
    D even[vectors] = {}, odd[vectors] = {};
    int64_t i = begin;
    for (; i + 16 <= end; i += 16) {
        for (int vector = 0; vector < vectors; vector++) {
            D low, high;
            widen(load(values + i + vector * LANES), low, high);
            even[vector] += low * low;
            odd[vector] += high * high;
        }
    }
    for (int vector = 0; vector < vectors; vector++) {
        memcpy(lanes + vector * LANES, &even[vector], sizeof(D));
        memcpy(lanes + vector * LANES + LANES / 2, &odd[vector], sizeof(D));
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
        const AdamWScalars& s, const AdamWArrays& a, int64_t begin, int64_t end, AdamWTrace* trace) {
    const uint16_t* gradient = (const uint16_t*) a.gradient;
    uint16_t *weights = (uint16_t*) a.weights, *ms = (uint16_t*) a.m, *vs = (uint16_t*) a.v;
    uint16_t* compensation = (uint16_t*) a.extra;
    U stagnant = {}, moved = {};
    int64_t i = firstVector(a.element, begin, end);
    scalar::adamWBFloat16<WRITE, TRACE>(s, a, begin, i, trace);
    for (; i + PAIR <= end; i += PAIR) {
        U random[2], newP[2], newM[2], newV[2];
        F g[2], p[2], m[2], v[2], c[2], update[2];
        randomPair(s.seed, s.step, a.element + i, RISING, random[0], random[1]);
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
            newP[k] = writeWeight<WRITE>(p[k], update[k], c[k], random[k]);
            newM[k] = nearest(m[k]);
            newV[k] = writeSecondMoment(s, v[k], random[k]);
            if (TRACE) {
                U old = bits(p[k]) >> 16;
                stagnant -= (U) ((nearest(p[k] - update[k]) == old) & (update[k] != F{}));
                moved -= (U) (newP[k] != old);
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
    scalar::adamWBFloat16<WRITE, TRACE>(s, a, i, end, trace);
}

/// One AdamW step of FP32 weights, or of BF16 weights with an FP32 master; state is FP32.
template <class Gradient, bool TRACE>
static inline void adamWFloat(
        const AdamWScalars& s, const AdamWArrays& a, int64_t begin, int64_t end, AdamWTrace* trace) {
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
    scalar::adamWFloat<Gradient, TRACE>(s, a, i, end, trace);
}

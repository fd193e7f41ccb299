// The kernels' loops over elements [begin, end) of one block, vectors at a time, and an element at a time at the ends.
// BF16 is loaded as pairs of vectors: the even elements, which are the lower halves of 32-bit words, and the odd ones.

static const int PAIR = 2 * LANES;

/// Where pairs may start: the first index from begin on whose element is a multiple of eight, since four or eight
/// elements share a Philox block. Where that is beyond end, and where the upper word of the block's number changes underway: end.
static inline int64_t firstPair(int64_t element, int64_t begin, int64_t end) {
    int64_t first = begin + (-(element + begin) & 7);
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

    /// Of the pair at this element, in the order of the elements.
    LANES_METHOD void getInOrder(int64_t element, U& first, U& second) const {
        W c0 = ALTERNATING + (uint64_t) (element >> 2), c1 = upperWord, c2 = step, c3 = W{};
        philox(c0, c1, c2, c3, keys);
        const U even = lowerHalves(c0, c2), odd = lowerHalves(c1, c3);
        first = unpackLow(even, odd);
        second = unpackHigh(even, odd);
    }

    /// Of the two pairs from this element on, words of even and of odd elements, and if asked for the halves for first
    /// moments: low ones of even, high ones of odd elements. Side by side, since a round waits for the one before; in a
    /// function of its own, since all that would not stay in the registers.
    template <bool HALVES>
    __attribute__((noinline)) void get(int64_t element, U (&words)[2][2], U (&halves)[2]) const {
        const uint64_t block = (uint64_t) element >> 2;
        W c0[] = {RISING + block, RISING + (block + PAIR / 4), ALTERNATING + block / 2};
        W c1[] = {upperWord, upperWord, W{} + (uint64_t) (element >> 35)};
        W c2[] = {step, step, step}, c3[] = {W{}, W{}, W{} + (uint64_t) MOMENT_STREAM};
        UNROLLED
        for (int round = 0; round < PhiloxKeys::ROUNDS; round++) {
            UNROLLED
            for (int k = 0; k < (HALVES ? 3 : 2); k++) {
                philoxRound(c0[k], c1[k], c2[k], c3[k], keys.k0[round], keys.k1[round]);
            }
        }
        UNROLLED
        for (int pair = 0; pair < 2; pair++) {
            words[pair][0] = lowerHalves(c0[pair], c2[pair]);
            words[pair][1] = lowerHalves(c1[pair], c3[pair]);
        }
        if (HALVES) {
            const U low = lowerHalves(c0[2], c1[2]), high = lowerHalves(c2[2], c3[2]);
            halves[0] = unpackLow64(low, high);
            halves[1] = unpackHigh64(low, high);
        }
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

template <class T>
LANES_FUNCTION F valueAt(const T* source) { return load(source); }

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

template <class T>
static inline void accumulateBlock(
        const T* x, float factor, bool first, float* sums, int64_t begin, int64_t end) {
    int64_t i = begin;
    for (; i + LANES <= end; i += LANES) {
        const F value = load(x + i) * factor;
        store(sums + i, bits(first ? value : load(sums + i) + value));
    }
    scalar::accumulateBlock(x, factor, first, sums, i, end);
}

LANES_FUNCTION void storeNearest(float* target, F x) { store(target, bits(x)); }
LANES_FUNCTION void storeNearest(uint16_t* target, F x) { store(target, nearest(x)); }

template <class T>
static inline void meanBlock(const float* sums, int count, T* mean, int64_t begin, int64_t end) {
    int64_t i = begin;
    for (; i + LANES <= end; i += LANES) {
        storeNearest(mean + i, load(sums + i) / (float) count);
    }
    scalar::meanBlock(sums, count, mean, i, end);
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
    const int vectors = SUM_LANES / LANES;
    D low[vectors] = {}, high[vectors] = {};
    int64_t i = begin;
    for (; i + SUM_LANES <= end; i += SUM_LANES) {
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

/// Neighbours as a pack, in order; see step.h.
struct Single {
    static const int N = 1;

    template <class T>
    LANES_METHOD void load(const T* source, F (&x)[N]) const { x[0] = valueAt(source); }

    template <class T>
    LANES_METHOD void storeBits(T* target, const U (&b)[N]) const { store(target, b[0]); }
};

/// The even and the odd ones of twice as many neighbours.
struct Pair {
    static const int N = 2;

    LANES_METHOD void load(const uint16_t* source, F (&x)[N]) const { loadPair(source, x[0], x[1]); }

    LANES_METHOD void storeBits(uint16_t* target, const U (&b)[N]) const { storePair(target, b[0], b[1]); }

    LANES_METHOD void storeBits(float* target, const U (&b)[N]) const {
        storePair(target, value(b[0]), value(b[1]));
    }
};

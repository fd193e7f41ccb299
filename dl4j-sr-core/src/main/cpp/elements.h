// The kernels' loops over elements [begin, end) of one block, an element at a time.

/// The words of a stream at rising indices: one Philox block holds four of them.
struct RandomBits {
    const PhiloxKeys& keys;
    const uint32_t step, stream;
    int64_t block;
    uint32_t words[4];

    RandomBits(const PhiloxKeys& keys, int step, Stream stream)
        : keys(keys), step((uint32_t) step), stream(stream), block(-1) {}

    U get(int64_t index) {
        if (index >> 2 != block) {
            block = index >> 2;
            W c0 = (W) block, c1 = (W) block >> 32, c2 = step, c3 = stream;
            philox(c0, c1, c2, c3, keys);
            words[0] = (uint32_t) c0;
            words[1] = (uint32_t) c1;
            words[2] = (uint32_t) c2;
            words[3] = (uint32_t) c3;
        }
        return words[index & 3];
    }
};

// Arrays may lie at any address.
LANES_FUNCTION F load(const float* source) {
    F x;
    memcpy(&x, source, sizeof x);
    return x;
}

LANES_FUNCTION F load(const uint16_t* source) {
    uint16_t b;
    memcpy(&b, source, sizeof b);
    return value((U) b << 16);
}

template <class T>
LANES_FUNCTION F valueAt(const T* source) { return load(source); }

LANES_FUNCTION void store(float* target, U b) { memcpy(target, &b, sizeof b); }

LANES_FUNCTION void store(uint16_t* target, U b) {
    uint16_t upper = (uint16_t) (b >> 16);
    memcpy(target, &upper, sizeof upper);
}

static inline void toBFloat16Block(const float* source, uint16_t* target, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
        store(target + i, nearest(load(source + i)));
    }
}

static inline void toFloatBlock(const uint16_t* source, float* target, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
        store(target + i, bits(load(source + i)));
    }
}

template <class T>
static inline void accumulateBlock(
        const T* x, float factor, bool first, float* sums, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
        const F value = load(x + i) * factor;
        store(sums + i, bits(first ? value : load(sums + i) + value));
    }
}

LANES_FUNCTION void storeNearest(float* target, F x) { store(target, bits(x)); }
LANES_FUNCTION void storeNearest(uint16_t* target, F x) { store(target, nearest(x)); }

template <class T>
static inline void meanBlock(const float* sums, int count, T* mean, int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
        storeNearest(mean + i, load(sums + i) / (float) count);
    }
}

static inline void stochasticRoundBlock(
        const float* source, uint16_t* target, int64_t begin, int64_t end, const PhiloxKeys& keys, int step,
        int64_t element) {
    RandomBits random(keys, step, WEIGHT_STREAM);
    for (int64_t i = begin; i < end; i++) {
        store(target + i, stochastic(load(source + i), random.get(element + i) & 0xFFFFu));
    }
}

template <class Update>
static inline void stochasticSubtractBlock(
        uint16_t* weights, const Update* update, int64_t begin, int64_t end, const PhiloxKeys& keys, int step,
        int64_t element) {
    RandomBits random(keys, step, WEIGHT_STREAM);
    for (int64_t i = begin; i < end; i++) {
        F difference = load(weights + i) - load(update + i);
        store(weights + i, stochastic(difference, random.get(element + i) & 0xFFFFu));
    }
}

/// Adds the squares of at most one block to sixteen lanes.
template <class T>
static inline void addSquares(const T* values, int64_t begin, int64_t end, double* lanes) {
    for (int64_t i = begin; i < end; i++) {
        double x = load(values + i);
        lanes[(i - begin) & (SUM_LANES - 1)] += x * x;
    }
}

LANES_FUNCTION int64_t sum(U count) { return count; }

/// One value as a pack; see step.h.
struct Single {
    static const int N = 1;

    template <class T>
    LANES_METHOD void load(const T* source, F (&x)[N]) const { x[0] = valueAt(source); }

    template <class T>
    LANES_METHOD void storeBits(T* target, const U (&b)[N]) const { store(target, b[0]); }
};

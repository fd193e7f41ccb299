// Elementwise functions of BF16 arrays with any strides, 0 to broadcast. FP32 inside, rounded once.

/// Calls run(offsets, length) for all runs along the innermost dimension, cut into blocks; offsets are those of the
/// operands, in elements.
template <int OPERANDS, class Run>
static inline void eachRun(int threads, const Loops<OPERANDS>& loops, Run run) {
    const int last = loops.rank - 1;
    const int64_t inner = loops.sizes[last], blocks = blocksOf(inner);
    int64_t parts = blocks;
    for (int d = 0; d < last; d++) {
        parts *= loops.sizes[d];
    }
    const int useful = threadsFor(threads, blocksOf(parts * (inner < BLOCK ? inner : BLOCK)));
#pragma omp parallel for num_threads(useful)
    for (int64_t part = 0; part < parts; part++) {
        const int64_t begin = part % blocks * BLOCK;
        int64_t offsets[OPERANDS], rest = part / blocks;
        for (int k = 0; k < OPERANDS; k++) {
            offsets[k] = begin * loops.step(k, last);
        }
        for (int d = last - 1; d >= 0; d--) {
            const int64_t index = rest % loops.sizes[d];
            rest /= loops.sizes[d];
            for (int k = 0; k < OPERANDS; k++) {
                offsets[k] += index * loops.step(k, d);
            }
        }
        run(offsets, inner - begin < BLOCK ? inner - begin : BLOCK);
    }
}

template <int OPERATION, class Value>
LANES_FUNCTION Value calculate(Value a, Value b) {
#define RESULT(operation, result) \
    case operation: return result;
    switch (OPERATION) {
        ARITHMETIC(RESULT)
    }
#undef RESULT
}

/// Of each operand: its address, and its step in elements.
template <int OPERATION, class Second>
static inline void arithmeticRun(
        const uint16_t* a, int64_t stepA, const Second* b, int64_t stepB, uint16_t* c, int64_t stepC, int64_t length) {
    int64_t i = 0;
#if SIMD_BYTES > 16
    if (stepC == 1 && stepA == 1 && stepB == 1) {
        for (; i + LANES <= length; i += LANES) {
            store(c + i, nearest(calculate<OPERATION>(load(a + i), load(b + i))));
        }
    } else if (stepC == 1 && stepA == 1 && stepB == 0) {
        const F same = scalar::load(b) - F{}; // keeps the sign of -0
        for (; i + LANES <= length; i += LANES) {
            store(c + i, nearest(calculate<OPERATION>(load(a + i), same)));
        }
    }
#endif
    for (; i < length; i++) {
        float result = calculate<OPERATION>(scalar::load(a + i * stepA), scalar::load(b + i * stepB));
        scalar::store(c + i * stepC, scalar::nearest(result));
    }
}

template <int OPERATION, class Second>
static inline void arithmetic(int threads, const Loops<3>& loops, const uint16_t* a, const Second* b, uint16_t* c) {
    const int last = loops.rank - 1;
    eachRun(threads, loops, [&](const int64_t* offsets, int64_t length) {
        arithmeticRun<OPERATION>(a + offsets[0], loops.step(0, last), b + offsets[1], loops.step(1, last),
                                 c + offsets[2], loops.step(2, last), length);
    });
}

/// c = a operation b.
template <class Second>
static inline void arithmetic(
        int threads, int operation, const Loops<3>& loops, const uint16_t* a, const Second* b, uint16_t* c) {
#define ARITHMETIC_CASE(operation, result) \
    case operation: return arithmetic<operation>(threads, loops, a, b, c);
    switch (operation) {
        ARITHMETIC(ARITHMETIC_CASE)
    }
#undef ARITHMETIC_CASE
    throw std::invalid_argument("There is no arithmetic operation " + std::to_string(operation));
}

/// y = table[x], x being taken as 16 bits.
static inline void lookUp(int threads, const Loops<2>& loops, const uint16_t* table, const uint16_t* x, uint16_t* y) {
    const int64_t stepX = loops.step(0, loops.rank - 1), stepY = loops.step(1, loops.rank - 1);
    eachRun(threads, loops, [&](const int64_t* offsets, int64_t length) {
        const uint16_t* in = x + offsets[0];
        uint16_t* out = y + offsets[1];
        for (int64_t i = 0; i < length; i++) {
            out[i * stepY] = table[in[i * stepX]];
        }
    });
}

template <bool GATE, class Value>
LANES_FUNCTION Value slopeTimes(Value slope, Value gradient) {
    if (GATE) {
        return slope == 0 ? Value{} : gradient * slope;
    }
    return gradient * slope;
}

/// dx = dy * table[x], x being taken as 16 bits; a gate is shut, whatever dy is, where the table's value is 0.
template <bool GATE>
static inline void multiplyLookUp(
        int threads, const Loops<3>& loops, const float* table, const uint16_t* x, const uint16_t* dy, uint16_t* dx) {
    const int last = loops.rank - 1;
    const int64_t stepX = loops.step(0, last), stepDy = loops.step(1, last), stepDx = loops.step(2, last);
    eachRun(threads, loops, [&](const int64_t* offsets, int64_t length) {
        const uint16_t *in = x + offsets[0], *gradient = dy + offsets[1];
        uint16_t* out = dx + offsets[2];
        int64_t i = 0;
#if SIMD_BYTES > 16
        if (stepDy == 1 && stepDx == 1) {
            for (; i + LANES <= length; i += LANES) {
                float slopes[LANES];
                for (int lane = 0; lane < LANES; lane++) {
                    slopes[lane] = table[in[(i + lane) * stepX]];
                }
                store(out + i, nearest(slopeTimes<GATE>(load(slopes), load(gradient + i))));
            }
        }
#endif
        for (; i < length; i++) {
            float product = slopeTimes<GATE>(table[in[i * stepX]], scalar::load(gradient + i * stepDy));
            scalar::store(out + i * stepDx, scalar::nearest(product));
        }
    });
}

static inline void multiplyLookUp(
        int threads, bool gate, const Loops<3>& loops, const float* table, const uint16_t* x, const uint16_t* dy,
        uint16_t* dx) {
    if (gate) {
        multiplyLookUp<true>(threads, loops, table, x, dy, dx);
    } else {
        multiplyLookUp<false>(threads, loops, table, x, dy, dx);
    }
}

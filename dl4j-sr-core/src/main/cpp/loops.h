// The loops of elementwise functions.

/// Sizes outermost first, and for each operand its steps in elements.
template <int OPERANDS>
struct Loops {
    const int rank;
    const int64_t *sizes, *steps;

    /// rank sizes, then rank steps for each operand.
    Loops(int rank, const int64_t* sizesAndSteps) : rank(rank), sizes(sizesAndSteps), steps(sizesAndSteps + rank) {}

    int64_t step(int operand, int dimension) const { return steps[operand * rank + dimension]; }
};

/// BF16 arrays [outer, channels, inner]: planes of contiguous elements, or, with outer 1, rows of contiguous channels.
struct Channels {
    const uint16_t* const values;
    const int64_t outer, channels, inner, outerStride, channelStride, innerStride;

    /// As StridedArray.toArray has it.
    explicit Channels(const int64_t* array)
        : values((const uint16_t*) array[0]), outer(array[1]), channels(array[2]), inner(array[3]),
          outerStride(array[4]), channelStride(array[5]), innerStride(array[6]) {}

    int64_t elements() const { return outer * inner; }
    int64_t length() const { return channels * elements(); }
    bool inPlanes() const { return innerStride == 1; }
    int64_t plane(int64_t o, int64_t c) const { return o * outerStride + c * channelStride; }
};

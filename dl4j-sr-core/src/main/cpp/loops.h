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

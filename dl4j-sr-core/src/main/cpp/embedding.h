// Token and position embedding.

template <class T>
static inline void embeddingForward(
        int threads, const int32_t* tokens, const T* tokenTable, const T* positionTable, T* y, int batch, int time,
        int width) {
    const int rows = batch * time;
#pragma omp parallel for num_threads(threadsFor(threads, blocksOf((int64_t) rows * width)))
    for (int row = 0; row < rows; row++) {
        const T* token = tokenTable + (int64_t) tokens[row] * width;
        const T* position = positionTable + (int64_t) (row % time) * width;
        eachVector(width, [&](int64_t c, auto part) {
            store(y + (int64_t) row * width + c, load(token + c, part) + load(position + c, part), part);
        });
    }
}

/// target = (or += if accumulate) the sum of the rows of dy that next() names, until it returns -1.
template <class T, class Next>
static inline void sumNamedRows(const T* dy, int width, T* target, bool accumulate, Next next) {
    static thread_local Scratch scratch;
    float* sums = scratch.floats(roundUp(width, LANES));
    eachVector(width, [&](int64_t c, auto part) { store(sums + c, accumulate ? load(target + c, part) : V{}); });
    for (int64_t row = next(); row >= 0; row = next()) {
        eachVector(width, [&](int64_t c, auto part) {
            store(sums + c, load(sums + c) + load(dy + row * width + c, part));
        });
    }
    copy(sums, target, width);
}

template <class T>
static inline void embeddingBackward(
        int threads, const int32_t* tokens, const T* dy, T* dTokenTable, T* dPositionTable, int batch, int time,
        int width, int vocabulary, bool accumulate) {
    static thread_local Scratch scratch;
    const int rows = batch * time;
    int32_t* starts = (int32_t*) scratch.words(vocabulary + 1 + rows); // of each token's rows in sorted
    int32_t* sorted = starts + vocabulary + 1;
    memset(starts, 0, (vocabulary + 1) * sizeof *starts);
    for (int row = 0; row < rows; row++) {
        starts[tokens[row] + 1]++;
    }
    for (int token = 0; token < vocabulary; token++) {
        starts[token + 1] += starts[token];
    }
    for (int row = 0; row < rows; row++) {
        sorted[starts[tokens[row]]++] = row;
    }
    // now starts[token] is the end of the token's rows, and the start of the next token's
    const int useful = threadsFor(threads, blocksOf((int64_t) (rows + vocabulary) * width));
#pragma omp parallel for schedule(dynamic, 16) num_threads(useful)
    for (int token = 0; token < vocabulary; token++) {
        int i = token == 0 ? 0 : starts[token - 1], end = starts[token];
        if (i < end || !accumulate) {
            sumNamedRows(dy, width, dTokenTable + (int64_t) token * width, accumulate,
                         [&] { return i < end ? sorted[i++] : -1; });
        }
    }
#pragma omp parallel for num_threads(useful)
    for (int position = 0; position < time; position++) {
        int row = position;
        sumNamedRows(dy, width, dPositionTable + (int64_t) position * width, false, [&] {
            int next = row < rows ? row : -1;
            row += time;
            return next;
        });
    }
}

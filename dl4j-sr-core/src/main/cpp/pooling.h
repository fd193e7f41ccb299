// Pooling of BF16 images whose channels are contiguous, a vector of channels at a time, with the bits of images.h.

/// The lower halves of these bits.
SIMD_FUNCTION void storeHalves(uint16_t* target, Bits bits, Whole) {
    *(UnalignedHalves*) target = __builtin_convertvector(bits, Halves);
}

SIMD_FUNCTION void storeHalves(uint16_t* target, Bits bits, Part part) {
    uint16_t values[LANES];
    storeHalves(values, bits, Whole());
    memcpy(target, values, part.values * sizeof(uint16_t));
}

/// Calls body(row, column) for the elements of x's window at a position.
template <class Body>
SIMD_FUNCTION void eachPlace(const Image& x, const Window& window, int64_t row, int64_t column, Body body) {
    const int64_t rowEnd = window.end(0, row, x.height), end = window.end(1, column, x.width);
    for (int64_t i = window.begin(0, row); i < rowEnd; i++) {
        for (int64_t j = window.begin(1, column); j < end; j++) {
            body(window.at(0, row, i), window.at(1, column, j));
        }
    }
}

/// Calls body(value, index in the plane) for the elements of a window, with values of channels from c on.
template <class P, class Body>
SIMD_FUNCTION void eachOfWindow(
        const Image& x, const Window& window, int64_t b, int64_t c, int64_t row, int64_t column, P part, Body body) {
    eachPlace(x, window, row, column, [&](int64_t h, int64_t w) {
        body(load(x.at(b, c, h, w), part), (int32_t) (h * x.width + w));
    });
}

static inline void maxPool(int threads, const Image& x, const Image& y, const Window& window) {
    const int64_t rows = y.batch * y.height;
#pragma omp parallel for num_threads(threadsFor(threads, blocksOf(x.batch * x.channels * x.height * x.width)))
    for (int64_t r = 0; r < rows; r++) {
        const int64_t b = r / y.height, row = r % y.height;
        for (int64_t column = 0; column < y.width; column++) {
            eachVector(x.channels, [&](int64_t c, auto part) {
                V most = broadcast(-INFINITY);
                eachOfWindow(x, window, b, c, row, column, part, [&](V value, int32_t) {
                    most = value > most ? value : most;
                });
                storeHalves(y.at(b, c, row, column), (Bits) most >> 16, part);
            });
        }
    }
}

/// Image b of dx = sums [height, width, channels].
SIMD_FUNCTION void storeSums(const float* sums, int64_t b, const Image& dx) {
    for (int64_t h = 0; h < dx.height; h++) {
        for (int64_t w = 0; w < dx.width; w++) {
            eachVector(dx.channels, [&](int64_t c, auto part) {
                V sum = load(sums + (h * dx.width + w) * dx.channels + c, part);
                storeHalves(dx.at(b, c, h, w), nearest(sum), part);
            });
        }
    }
}

static inline void maxPoolGradient(
        int threads, const Image& x, const Image& dy, const Image& dx, const Window& window) {
    const int64_t image = x.height * x.width * x.channels;
#pragma omp parallel num_threads(threadsFor(threads, blocksOf(x.batch * image)))
    {
        float* sums = (float*) malloc(image * sizeof(float));
#pragma omp for
        for (int64_t b = 0; b < x.batch; b++) {
            memset(sums, 0, image * sizeof(float));
            for (int64_t row = 0; row < dy.height; row++) {
                for (int64_t column = 0; column < dy.width; column++) {
                    eachVector(x.channels, [&](int64_t c, auto part) {
                        V most = broadcast(-INFINITY);
                        Mask at = Mask{} - 1;
                        eachOfWindow(x, window, b, c, row, column, part, [&](V value, int32_t index) {
                            at = value > most ? Mask{} + index : at;
                            most = value > most ? value : most;
                        });
                        V gradient = load(dy.at(b, c, row, column), part);
                        eachOfWindow(x, window, b, c, row, column, part, [&](V, int32_t index) {
                            float* sum = sums + index * x.channels + c;
                            V before = load(sum, part);
                            store(sum, at == index ? before + gradient : before, part);
                        });
                    });
                }
            }
            storeSums(sums, b, dx);
        }
        free(sums);
    }
}

static inline void averagePool(int threads, const Image& x, const Image& y, const Window& window, bool padding) {
    const int64_t rows = y.batch * y.height;
#pragma omp parallel for num_threads(threadsFor(threads, blocksOf(x.batch * x.channels * x.height * x.width)))
    for (int64_t r = 0; r < rows; r++) {
        const int64_t b = r / y.height, row = r % y.height;
        for (int64_t column = 0; column < y.width; column++) {
            const V by = broadcast(divisor(x, window, row, column, padding));
            eachVector(x.channels, [&](int64_t c, auto part) {
                V sum = {};
                eachOfWindow(x, window, b, c, row, column, part, [&](V value, int32_t) { sum += value; });
                storeHalves(y.at(b, c, row, column), nearest(sum / by), part);
            });
        }
    }
}

static inline void averagePoolGradient(
        int threads, const Image& dy, const Image& dx, const Window& window, bool padding) {
    const int64_t image = dx.height * dx.width * dx.channels;
#pragma omp parallel num_threads(threadsFor(threads, blocksOf(dx.batch * image)))
    {
        float* sums = (float*) malloc(image * sizeof(float));
#pragma omp for
        for (int64_t b = 0; b < dx.batch; b++) {
            memset(sums, 0, image * sizeof(float));
            for (int64_t row = 0; row < dy.height; row++) {
                for (int64_t column = 0; column < dy.width; column++) {
                    const V by = broadcast(divisor(dx, window, row, column, padding));
                    eachVector(dx.channels, [&](int64_t c, auto part) {
                        const V share = load(dy.at(b, c, row, column), part) / by;
                        eachPlace(dx, window, row, column, [&](int64_t h, int64_t w) {
                            float* sum = sums + (h * dx.width + w) * dx.channels + c;
                            store(sum, load(sum, part) + share, part);
                        });
                    });
                }
            }
            storeSums(sums, b, dx);
        }
        free(sums);
    }
}

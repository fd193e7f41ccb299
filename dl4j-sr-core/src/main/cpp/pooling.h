// Max pooling of BF16 images whose channels are contiguous, a vector of channels at a time, with the bits of images.h.

/// The lower halves of these bits.
SIMD_FUNCTION void storeHalves(uint16_t* target, Bits bits, Whole) {
    *(UnalignedHalves*) target = __builtin_convertvector(bits, Halves);
}

SIMD_FUNCTION void storeHalves(uint16_t* target, Bits bits, Part part) {
    uint16_t values[LANES];
    storeHalves(values, bits, Whole());
    memcpy(target, values, part.values * sizeof(uint16_t));
}

/// Calls body(value, index in the plane) for the elements of a window, with values of channels from c on.
template <class P, class Body>
SIMD_FUNCTION void eachOfWindow(
        const Image& x, const Window& window, int64_t b, int64_t c, int64_t row, int64_t column, P part, Body body) {
    const int64_t rowEnd = window.end(0, row, x.height), end = window.end(1, column, x.width);
    for (int64_t i = window.begin(0, row); i < rowEnd; i++) {
        for (int64_t j = window.begin(1, column); j < end; j++) {
            int64_t h = window.at(0, row, i), w = window.at(1, column, j);
            body(load(x.at(b, c, h, w), part), (int32_t) (h * x.width + w));
        }
    }
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
            for (int64_t h = 0; h < x.height; h++) {
                for (int64_t w = 0; w < x.width; w++) {
                    eachVector(x.channels, [&](int64_t c, auto part) {
                        V sum = load(sums + (h * x.width + w) * x.channels + c, part);
                        storeHalves(dx.at(b, c, h, w), nearest(sum), part);
                    });
                }
            }
        }
        free(sums);
    }
}

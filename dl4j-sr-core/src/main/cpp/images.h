// Convolution's ways between images and columns, and pooling, of BF16 arrays with any strides. Sums are FP32, taken
// window row by window row, so that every implementation gives the same bits.

/// The threads for so many elements, shared out in so many parts.
static inline int threadsFor(int threads, int64_t elements, int64_t parts) {
    int useful = threadsFor(threads, blocksOf(elements));
    return useful < parts ? useful : parts > 1 ? (int) parts : 1;
}

static inline void im2col(
        int threads, const Image& image, const Columns<uint16_t>& columns, const Window& window) {
    const int64_t *s = columns.strides, step = image.strides[3] * window.dilation[1];
    const int64_t parts = image.batch * columns.rows;
    const int64_t elements = parts * columns.columns * image.channels * window.size[0] * window.size[1];
#pragma omp parallel for num_threads(threadsFor(threads, elements, parts))
    for (int64_t part = 0; part < parts; part++) {
        const int64_t b = part / columns.rows, row = part % columns.rows;
        const int64_t rowBegin = window.begin(0, row), rowEnd = window.end(0, row, image.height);
        for (int64_t column = 0; column < columns.columns; column++) {
            const int64_t begin = window.begin(1, column), end = window.end(1, column, image.width);
            uint16_t* target = columns.at(b, row, column);
            for (int64_t c = 0; c < image.channels; c++) {
                const uint16_t* source = image.at(b, c, window.at(0, row, 0), window.at(1, column, 0));
                for (int64_t i = 0; i < window.size[0]; i++) {
                    uint16_t* out = target + c * s[1] + i * s[2];
                    if (i < rowBegin || i >= rowEnd) {
                        for (int64_t j = 0; j < window.size[1]; j++) {
                            out[j * s[3]] = 0;
                        }
                        continue;
                    }
                    const uint16_t* in = source + i * window.dilation[0] * image.strides[2];
                    for (int64_t j = 0; j < window.size[1]; j++) {
                        out[j * s[3]] = j >= begin && j < end ? in[j * step] : 0;
                    }
                }
            }
        }
    }
}

/// image = the sums of the columns' elements that stand for each of its elements.
template <class T>
static inline void col2im(int threads, const Columns<T>& columns, const Image& image, const Window& window) {
    const int64_t plane = image.height * image.width, *s = columns.strides;
    const int64_t elements = image.batch * image.channels * plane;
#pragma omp parallel num_threads(threadsFor(threads, elements, image.batch))
    {
        float* sums = (float*) malloc(image.channels * plane * sizeof(float));
#pragma omp for
        for (int64_t b = 0; b < image.batch; b++) {
            memset(sums, 0, image.channels * plane * sizeof(float));
            for (int64_t row = columns.rows - 1; row >= 0; row--) { // backwards: each sum goes up the window
                const int64_t rowBegin = window.begin(0, row), rowEnd = window.end(0, row, image.height);
                for (int64_t column = columns.columns - 1; column >= 0; column--) {
                    const int64_t begin = window.begin(1, column), end = window.end(1, column, image.width);
                    const T* source = columns.at(b, row, column);
                    for (int64_t c = 0; c < image.channels; c++) {
                        for (int64_t i = rowBegin; i < rowEnd; i++) {
                            float* sum = sums + c * plane + window.at(0, row, i) * image.width
                                    + window.at(1, column, 0);
                            const T* in = source + c * s[1] + i * s[2];
                            for (int64_t j = begin; j < end; j++) {
                                sum[j * window.dilation[1]] += scalar::load(in + j * s[3]);
                            }
                        }
                    }
                }
            }
            const float* sum = sums;
            for (int64_t c = 0; c < image.channels; c++) {
                for (int64_t h = 0; h < image.height; h++) {
                    for (int64_t w = 0; w < image.width; w++) {
                        scalar::store(image.at(b, c, h, w), scalar::nearest(*sum++));
                    }
                }
            }
        }
        free(sums);
    }
}

/// Where in its plane of x the greatest value of a window lies: the first of equals, never a NaN; -1 if nowhere.
static inline int64_t greatest(
        const Image& x, const Window& window, int64_t b, int64_t c, int64_t row, int64_t column) {
    const int64_t rowEnd = window.end(0, row, x.height), end = window.end(1, column, x.width);
    float most = -INFINITY;
    int64_t at = -1;
    for (int64_t i = window.begin(0, row); i < rowEnd; i++) {
        for (int64_t j = window.begin(1, column); j < end; j++) {
            int64_t h = window.at(0, row, i), w = window.at(1, column, j);
            float value = scalar::load(x.at(b, c, h, w));
            if (value > most) {
                most = value;
                at = h * x.width + w;
            }
        }
    }
    return at;
}

/// y [batch, channels, rows, columns] = the greatest value of each window of x.
static inline void maxPool(int threads, const Image& x, const Image& y, const Window& window) {
    const int64_t planes = x.batch * x.channels;
#pragma omp parallel for num_threads(threadsFor(threads, planes * x.height * x.width, planes))
    for (int64_t plane = 0; plane < planes; plane++) {
        const int64_t b = plane / x.channels, c = plane % x.channels;
        for (int64_t row = 0; row < y.height; row++) {
            for (int64_t column = 0; column < y.width; column++) {
                int64_t from = greatest(x, window, b, c, row, column);
                *y.at(b, c, row, column) = from < 0 ? 0xFF80 : *x.at(b, c, from / x.width, from % x.width);
            }
        }
    }
}

/// dx = the sums of dy over the windows in which an element of x is the greatest.
static inline void maxPoolGradient(
        int threads, const Image& x, const Image& dy, const Image& dx, const Window& window) {
    const int64_t planes = x.batch * x.channels, plane = x.height * x.width;
#pragma omp parallel num_threads(threadsFor(threads, planes * plane, planes))
    {
        float* sums = (float*) malloc(plane * sizeof(float));
#pragma omp for
        for (int64_t index = 0; index < planes; index++) {
            const int64_t b = index / x.channels, c = index % x.channels;
            memset(sums, 0, plane * sizeof(float));
            for (int64_t row = 0; row < dy.height; row++) {
                for (int64_t column = 0; column < dy.width; column++) {
                    int64_t at = greatest(x, window, b, c, row, column);
                    if (at >= 0) {
                        sums[at] += scalar::load(dy.at(b, c, row, column));
                    }
                }
            }
            const float* sum = sums;
            for (int64_t h = 0; h < x.height; h++) {
                for (int64_t w = 0; w < x.width; w++) {
                    scalar::store(dx.at(b, c, h, w), scalar::nearest(*sum++));
                }
            }
        }
        free(sums);
    }
}

/// y [batch, channels, rows, columns] = the average of each window of x.
static inline void averagePool(int threads, const Image& x, const Image& y, const Window& window, bool padding) {
    const int64_t planes = x.batch * x.channels;
#pragma omp parallel for num_threads(threadsFor(threads, planes * x.height * x.width, planes))
    for (int64_t plane = 0; plane < planes; plane++) {
        const int64_t b = plane / x.channels, c = plane % x.channels;
        for (int64_t row = 0; row < y.height; row++) {
            const int64_t rowEnd = window.end(0, row, x.height);
            for (int64_t column = 0; column < y.width; column++) {
                const int64_t end = window.end(1, column, x.width);
                float sum = 0;
                for (int64_t i = window.begin(0, row); i < rowEnd; i++) {
                    for (int64_t j = window.begin(1, column); j < end; j++) {
                        sum += scalar::load(x.at(b, c, window.at(0, row, i), window.at(1, column, j)));
                    }
                }
                scalar::store(
                        y.at(b, c, row, column), scalar::nearest(sum / divisor(x, window, row, column, padding)));
            }
        }
    }
}

/// dx = the sums of the windows' shares of dy, in the order of the windows.
static inline void averagePoolGradient(
        int threads, const Image& dy, const Image& dx, const Window& window, bool padding) {
    const int64_t planes = dx.batch * dx.channels, plane = dx.height * dx.width;
#pragma omp parallel num_threads(threadsFor(threads, planes * plane, planes))
    {
        float* sums = (float*) malloc(plane * sizeof(float));
#pragma omp for
        for (int64_t index = 0; index < planes; index++) {
            const int64_t b = index / dx.channels, c = index % dx.channels;
            memset(sums, 0, plane * sizeof(float));
            for (int64_t row = 0; row < dy.height; row++) {
                const int64_t rowEnd = window.end(0, row, dx.height);
                for (int64_t column = 0; column < dy.width; column++) {
                    const int64_t end = window.end(1, column, dx.width);
                    const float share =
                            scalar::load(dy.at(b, c, row, column)) / divisor(dx, window, row, column, padding);
                    for (int64_t i = window.begin(0, row); i < rowEnd; i++) {
                        for (int64_t j = window.begin(1, column); j < end; j++) {
                            sums[window.at(0, row, i) * dx.width + window.at(1, column, j)] += share;
                        }
                    }
                }
            }
            const float* sum = sums;
            for (int64_t h = 0; h < dx.height; h++) {
                for (int64_t w = 0; w < dx.width; w++) {
                    scalar::store(dx.at(b, c, h, w), scalar::nearest(*sum++));
                }
            }
        }
        free(sums);
    }
}

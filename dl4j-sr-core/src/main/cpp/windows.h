// Images, and the windows that convolutions and pooling move over them.

/// Where windows lie: their positions' counts, and for each dimension of the image a window's size, step, padding and
/// distance between its elements. Height first.
struct Window {
    const int64_t size[2], stride[2], padding[2], dilation[2];

    explicit Window(const int64_t* w)
        : size{w[0], w[1]}, stride{w[2], w[3]}, padding{w[4], w[5]}, dilation{w[6], w[7]} {}

    /// Where element k of the window at a position lies in the image, which may be outside.
    int64_t at(int dimension, int64_t position, int64_t k) const {
        return position * stride[dimension] - padding[dimension] + k * dilation[dimension];
    }

    /// The first element of the window at this position that is not before the image's start.
    int64_t begin(int dimension, int64_t position) const { return elements(dimension, -at(dimension, position, 0)); }

    /// The end of its elements that lie before the image's end.
    int64_t end(int dimension, int64_t position, int64_t imageSize) const {
        int64_t fitting = elements(dimension, imageSize - at(dimension, position, 0));
        return fitting < size[dimension] ? fitting : size[dimension];
    }

private:
    /// How many elements of a window start within so many of the image's.
    int64_t elements(int dimension, int64_t length) const {
        return length <= 0 ? 0
                : dilation[dimension] == 1 ? length // a division takes long
                : (length + dilation[dimension] - 1) / dilation[dimension];
    }
};

/// A BF16 array [batch, channels, height, width]; strides in elements.
struct Image {
    uint16_t* values;
    int64_t batch, channels, height, width;
    const int64_t* strides;

    /// As StridedArray.toArray has it.
    explicit Image(const int64_t* array)
        : values((uint16_t*) array[0]), batch(array[1]), channels(array[2]), height(array[3]), width(array[4]),
          strides(array + 5) {}

    uint16_t* at(int64_t b, int64_t c, int64_t h, int64_t w) const {
        return values + b * strides[0] + c * strides[1] + h * strides[2] + w * strides[3];
    }
};

/// By what the sum over the window at a position is divided for its average.
static inline float divisor(const Image& x, const Window& window, int64_t row, int64_t column, bool padding) {
    if (padding) {
        return (float) (window.size[0] * window.size[1]);
    }
    const int64_t rows = window.end(0, row, x.height) - window.begin(0, row);
    const int64_t columns = window.end(1, column, x.width) - window.begin(1, column);
    return rows > 0 && columns > 0 ? (float) (rows * columns) : 0;
}

/// An array [batch, channels, window height, window width, rows, columns]; strides in elements.
template <class T>
struct Columns {
    T* values;
    int64_t rows, columns;
    const int64_t* strides;

    /// As StridedArray.toArray has it.
    explicit Columns(const int64_t* array)
        : values((T*) array[0]), rows(array[5]), columns(array[6]), strides(array + 7) {}

    T* at(int64_t b, int64_t row, int64_t column) const {
        return values + b * strides[0] + row * strides[4] + column * strides[5];
    }
};

// Windows that convolutions and poolings move over images, of any strides. A kernel's operands are those of one element
// of its result, in the order of the result's memory.
#include "loops.h"

/// The numbers of org.dl4jsr.kernel.Window.
struct Window {
    int64_t height, width, strideHeight, strideWidth, paddingHeight, paddingWidth, dilationHeight, dilationWidth;
};

/// Rows and columns of an image's channel.
struct Plane {
    int64_t height, width, rowStride, columnStride;

    METHOD bool has(int64_t row, int64_t column) const {
        return row >= 0 && row < height && column >= 0 && column < width;
    }

    METHOD int64_t at(int64_t row, int64_t column) const { return row * rowStride + column * columnStride; }
};

/// Operands: the image's channel, row and column in it but for the padding, the columns.
KERNEL(THREADS, im2col, Loops<4> loops, Window window, Plane plane, const uint16_t* image, uint16_t* columns) {
    eachRun<OCTET>(loops, [&](const int64_t (&at)[4], int count) {
        U b[OCTET];
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            const int64_t row = at[1] + k * loops.step(1) - window.paddingHeight;
            const int64_t column = at[2] + k * loops.step(2) - window.paddingWidth;
            const bool inside = k < count && plane.has(row, column);
            b[k] = inside ? (U) image[at[0] + k * loops.step(0) + plane.at(row, column)] << 16 : 0;
        }
        storeRunBits(columns + at[3], loops.step(3), count, b);
    });
}

/// The positions of windows, in order, that have a row or column of an image, by their k-th element: calls
/// body(position, k).
template <class Body>
DEVICE void eachPosition(
        int64_t inImage, int64_t positions, int64_t size, int64_t stride, int64_t padding, int64_t dilation, Body body) {
    const int distance = (int) (inImage + padding), reach = (int) ((size - 1) * dilation);
    const int first = distance <= reach ? 0 : (distance - reach + (int) stride - 1) / (int) stride;
    for (int position = first; position < positions && position * (int) stride <= distance; position++) {
        const int from = distance - position * (int) stride, k = from / (int) dilation;
        if (k * (int) dilation == from) {
            body(position, k);
        }
    }
}

/// Operands: the columns of the channel, row and column of the image, the image. Sums in the order of the windows'
/// elements. `ofWindows` are the columns' strides over positions, `inWindow` those over elements.
template <class T>
DEVICE void col2im(
        const Loops<4>& loops, const Window& window, const Plane& ofWindows, const Plane& inWindow, const T* columns,
        uint16_t* image) {
    eachRun<1>(loops, [&](const int64_t (&at)[4], int) {
        const int down = (int) (at[1] + window.paddingHeight), across = (int) (at[2] + window.paddingWidth);
        const int strideHeight = (int) window.strideHeight, strideWidth = (int) window.strideWidth;
        float sum = 0;
        for (int i = 0; i < window.height; i++) {
            const int rows = down - i * (int) window.dilationHeight, row = rows / strideHeight;
            if (rows < 0 || row * strideHeight != rows || row >= ofWindows.height) {
                continue;
            }
            for (int j = 0; j < window.width; j++) {
                const int steps = across - j * (int) window.dilationWidth, column = steps / strideWidth;
                if (steps >= 0 && column * strideWidth == steps && column < ofWindows.width) {
                    sum += load(columns + at[0] + ofWindows.at(row, column) + inWindow.at(i, j));
                }
            }
        }
        store(image + at[3], sum);
    });
}

#define COL2IM(suffix, T) \
    KERNEL(THREADS, col2im##suffix, Loops<4> loops, Window window, Plane ofWindows, Plane inWindow, const T* columns, \
           uint16_t* image) { \
        col2im(loops, window, ofWindows, inWindow, columns, image); \
    }

COL2IM(_float, float)
COL2IM(_bfloat16, uint16_t)

/// Operands: x's channel, row and column of the window's start but for the padding, y.
KERNEL(THREADS, maxPool, Loops<4> loops, Window window, Plane plane, const uint16_t* x, uint16_t* y) {
    eachRun<1>(loops, [&](const int64_t (&at)[4], int) {
        float most = -INFINITY;
        for (int i = 0; i < window.height; i++) {
            for (int j = 0; j < window.width; j++) {
                const int64_t row = at[1] - window.paddingHeight + i * window.dilationHeight;
                const int64_t column = at[2] - window.paddingWidth + j * window.dilationWidth;
                const float number = plane.has(row, column) ? load(x + at[0] + plane.at(row, column)) : -INFINITY;
                most = number > most ? number : most;
            }
        }
        storeBits(y + at[3], bits(most));
    });
}

/// Whether of the window at a position the k-th and l-th element, which is `own`, is the first of the greatest numbers.
DEVICE bool isGreatest(
        const Window& window, const Plane& plane, const uint16_t* channel, int position, int positionAcross, int k,
        int l, float own) {
    if (!(own > -INFINITY)) {
        return false;
    }
    for (int i = 0; i < window.height; i++) {
        for (int j = 0; j < window.width; j++) {
            const int64_t row = position * window.strideHeight - window.paddingHeight + i * window.dilationHeight;
            const int64_t column
                    = positionAcross * window.strideWidth - window.paddingWidth + j * window.dilationWidth;
            if (plane.has(row, column)) {
                const float other = load(channel + plane.at(row, column));
                const bool before = i < k || (i == k && j < l);
                if (before ? other >= own : other > own) {
                    return false;
                }
            }
        }
    }
    return true;
}

/// Operands: the channels of x and dy, row and column of the image, dx. Sums in the order of the windows.
KERNEL(THREADS, maxPoolGradient, Loops<5> loops, Window window, Plane plane, Plane ofWindows, const uint16_t* x,
       const uint16_t* dy, uint16_t* dx) {
    eachRun<1>(loops, [&](const int64_t (&at)[5], int) {
        const uint16_t* const channel = x + at[0];
        const float own = load(channel + plane.at(at[2], at[3]));
        float sum = 0;
        eachPosition(at[2], ofWindows.height, window.height, window.strideHeight, window.paddingHeight,
                     window.dilationHeight, [&](int row, int k) {
            eachPosition(at[3], ofWindows.width, window.width, window.strideWidth, window.paddingWidth,
                         window.dilationWidth, [&](int column, int l) {
                if (isGreatest(window, plane, channel, row, column, k, l, own)) {
                    sum += load(dy + at[1] + ofWindows.at(row, column));
                }
            });
        });
        store(dx + at[4], sum);
    });
}

// Windows that convolutions and poolings move over images, of any strides. A kernel's operands are those of one element
// of its result, in the order of the result's memory.
#include "loops.h"

/// The numbers of org.dl4jsr.kernel.Window, all of them below 2^31.
struct Window {
    int64_t height, width, strideHeight, strideWidth, paddingHeight, paddingWidth, dilationHeight, dilationWidth;
};

/// Rows and columns of an image's channel, below 2^31 as the strides are.
struct Plane {
    int64_t height, width, rowStride, columnStride;

    METHOD bool has(int row, int column) const {
        return (U) row < (U) height && (U) column < (U) width; // also of negative ones
    }

    METHOD int64_t at(int row, int column) const {
        return (int64_t) row * (int) rowStride + (int64_t) column * (int) columnStride;
    }
};

/// A division takes long, and most strides and dilations are 1.
DEVICE int quotient(int x, int y) { return y == 1 ? x : x / y; }

/// Operands: the image's channel, row and column in it but for the padding, the columns, whose elements are neighbours
/// if they are dense.
KERNEL(THREADS, im2col, Loops<4> loops, Window window, Plane plane, const uint16_t* image, uint16_t* columns, int dense,
       int total) {
    const int octets = (total + OCTET - 1) / OCTET;
    for (int octet = (int) threadIndex(); octet < octets; octet += (int) threads()) {
        const int first = octet * OCTET, count = total - first < OCTET ? total - first : OCTET;
        Place<4> place(loops, first);
        uint16_t* const target = columns + place.offsets[3];
        U b[OCTET];
        UNROLLED
        for (int k = 0; k < OCTET; k++) {
            const int row = (int) place.offsets[1] - (int) window.paddingHeight;
            const int column = (int) place.offsets[2] - (int) window.paddingWidth;
            const bool inside = k < count && plane.has(row, column);
            b[k] = inside ? (U) image[place.offsets[0] + plane.at(row, column)] << 16 : 0;
            if (!dense && k < count) {
                storeBits(columns + place.offsets[3], b[k]);
            }
            place.advance();
        }
        if (dense) {
            storeRunBits(target, 1, count, b);
        }
    }
}

/// The windows' positions, in order, that have a row or column of an image, by their k-th element: calls
/// body(position, k).
template <class Body>
DEVICE void eachPosition(int inImage, int positions, int size, int stride, int padding, int dilation, Body body) {
    const int distance = inImage + padding, reach = (size - 1) * dilation;
    const int first = distance <= reach ? 0 : quotient(distance - reach + stride - 1, stride);
    for (int position = first; position < positions && position * stride <= distance; position++) {
        const int from = distance - position * stride, k = quotient(from, dilation);
        if (k * dilation == from) {
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
    const int height = (int) window.height, width = (int) window.width;
    const int strideHeight = (int) window.strideHeight, strideWidth = (int) window.strideWidth;
    const int dilationHeight = (int) window.dilationHeight, dilationWidth = (int) window.dilationWidth;
    eachRun<1>(loops, [&](const int64_t (&at)[4], int) {
        const int down = (int) at[1] + (int) window.paddingHeight, across = (int) at[2] + (int) window.paddingWidth;
        float sum = 0;
        for (int i = 0; i < height; i++) {
            const int rows = down - i * dilationHeight, row = quotient(rows, strideHeight);
            if (rows < 0 || row * strideHeight != rows || row >= (int) ofWindows.height) {
                continue;
            }
            for (int j = 0; j < width; j++) {
                const int steps = across - j * dilationWidth, column = quotient(steps, strideWidth);
                if (steps >= 0 && column * strideWidth == steps && column < (int) ofWindows.width) {
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

/// Calls body(i, j, number) for the elements of x's channel that are in the window at a position of which this is the
/// first row and column, until it returns false.
template <class Body>
DEVICE void eachInWindow(
        const Window& window, const Plane& plane, const uint16_t* channel, int firstRow, int firstColumn, Body body) {
    const int height = (int) window.height, width = (int) window.width;
    for (int i = 0; i < height; i++) {
        for (int j = 0; j < width; j++) {
            const int row = firstRow + i * (int) window.dilationHeight;
            const int column = firstColumn + j * (int) window.dilationWidth;
            if (plane.has(row, column) && !body(i, j, load(channel + plane.at(row, column)))) {
                return;
            }
        }
    }
}

/// Operands: x's channel, row and column of the window's start but for the padding, y.
KERNEL(THREADS, maxPool, Loops<4> loops, Window window, Plane plane, const uint16_t* x, uint16_t* y) {
    eachRun<1>(loops, [&](const int64_t (&at)[4], int) {
        float most = -INFINITY;
        eachInWindow(window, plane, x + at[0], (int) at[1] - (int) window.paddingHeight,
                     (int) at[2] - (int) window.paddingWidth, [&](int, int, float number) {
            most = number > most ? number : most;
            return true;
        });
        storeBits(y + at[3], bits(most));
    });
}

/// Operands: the channels of x and dy, row and column of the image, dx. An element has the gradients of the windows of
/// whose greatest numbers it is the first, added in the order of the windows.
KERNEL(THREADS, maxPoolGradient, Loops<5> loops, Window window, Plane plane, Plane ofWindows, const uint16_t* x,
       const uint16_t* dy, uint16_t* dx) {
    const int strideHeight = (int) window.strideHeight, strideWidth = (int) window.strideWidth;
    eachRun<1>(loops, [&](const int64_t (&at)[5], int) {
        const uint16_t* const channel = x + at[0];
        const float own = load(channel + plane.at((int) at[2], (int) at[3]));
        float sum = 0;
        eachPosition((int) at[2], (int) ofWindows.height, (int) window.height, strideHeight,
                     (int) window.paddingHeight, (int) window.dilationHeight, [&](int row, int k) {
            eachPosition((int) at[3], (int) ofWindows.width, (int) window.width, strideWidth,
                         (int) window.paddingWidth, (int) window.dilationWidth, [&](int column, int l) {
                bool greatest = own > -INFINITY;
                eachInWindow(window, plane, channel, row * strideHeight - (int) window.paddingHeight,
                             column * strideWidth - (int) window.paddingWidth, [&](int i, int j, float other) {
                    const bool before = i < k || (i == k && j < l);
                    greatest = greatest && !(before ? other >= own : other > own);
                    return greatest;
                });
                sum += greatest ? load(dy + at[1] + ofWindows.at(row, column)) : 0;
            });
        });
        store(dx + at[4], sum);
    });
}

/// How many elements of the windows at a position lie in an image.
DEVICE int inImage(int position, int size, int stride, int padding, int dilation, int imageSize) {
    const int first = position * stride - padding;
    int count = 0;
    for (int k = 0; k < size; k++) {
        const int at = first + k * dilation;
        count += at >= 0 && at < imageSize ? 1 : 0;
    }
    return count;
}

/// By what the sum over the window at a position is divided for its average.
DEVICE float count(const Window& window, const Plane& plane, int row, int column, int padding) {
    const int height = (int) window.height, width = (int) window.width;
    return padding ? (float) (height * width)
                   : (float) (inImage(row, height, (int) window.strideHeight, (int) window.paddingHeight,
                                      (int) window.dilationHeight, (int) plane.height)
                              * inImage(column, width, (int) window.strideWidth, (int) window.paddingWidth,
                                        (int) window.dilationWidth, (int) plane.width));
}

/// Operands: x's channel, row and column of the window, y. `padding`: whether what lies outside of x counts.
KERNEL(THREADS, averagePool, Loops<4> loops, Window window, Plane plane, const uint16_t* x, uint16_t* y, int padding) {
    eachRun<1>(loops, [&](const int64_t (&at)[4], int) {
        const int row = (int) at[1], column = (int) at[2];
        float sum = 0;
        eachInWindow(window, plane, x + at[0], row * (int) window.strideHeight - (int) window.paddingHeight,
                     column * (int) window.strideWidth - (int) window.paddingWidth, [&](int, int, float number) {
            sum += number;
            return true;
        });
        store(y + at[3], sum / count(window, plane, row, column, padding));
    });
}

/// Operands: the channel of dy, row and column of the image, dx. An element has its shares of the gradients of all
/// windows that it is in, added in the order of the windows.
KERNEL(THREADS, averagePoolGradient, Loops<4> loops, Window window, Plane plane, Plane ofWindows, const uint16_t* dy,
       uint16_t* dx, int padding) {
    eachRun<1>(loops, [&](const int64_t (&at)[4], int) {
        float sum = 0;
        eachPosition((int) at[1], (int) ofWindows.height, (int) window.height, (int) window.strideHeight,
                     (int) window.paddingHeight, (int) window.dilationHeight, [&](int row, int) {
            eachPosition((int) at[2], (int) ofWindows.width, (int) window.width, (int) window.strideWidth,
                         (int) window.paddingWidth, (int) window.dilationWidth, [&](int column, int) {
                sum += load(dy + at[0] + ofWindows.at(row, column)) / count(window, plane, row, column, padding);
            });
        });
        store(dx + at[3], sum);
    });
}

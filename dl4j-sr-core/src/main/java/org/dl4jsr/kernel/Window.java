package org.dl4jsr.kernel;

/**
 * The windows that a convolution or a pooling slides over an image.
 *
 * @param height rows of a window
 * @param width columns of a window
 * @param strideHeight rows from a window to the next
 * @param strideWidth columns from a window to the next
 * @param paddingHeight rows by which the first window lies before the image
 * @param paddingWidth columns by which the first window lies before the image
 * @param dilationHeight rows of the image from a row of a window to the next
 * @param dilationWidth columns of the image from a column of a window to the next
 */
public record Window(
        long height,
        long width,
        long strideHeight,
        long strideWidth,
        long paddingHeight,
        long paddingWidth,
        long dilationHeight,
        long dilationWidth) {

    /** As the native kernels take it. */
    public long[] toArray() {
        return new long[] {
            height, width, strideHeight, strideWidth, paddingHeight, paddingWidth, dilationHeight, dilationWidth
        };
    }

    /** The image's row of row {@code i} of the windows at {@code position}; may be outside. */
    public long row(long position, long i) {
        return position * strideHeight - paddingHeight + i * dilationHeight;
    }

    /** The image's column of column {@code j} of the windows at {@code position}; may be outside. */
    public long column(long position, long j) {
        return position * strideWidth - paddingWidth + j * dilationWidth;
    }
}

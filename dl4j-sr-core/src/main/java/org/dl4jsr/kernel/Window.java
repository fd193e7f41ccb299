package org.dl4jsr.kernel;

/**
 * The windows that a convolution or a pooling slides over an image, or over a volume.
 *
 * @param height rows of a window
 * @param width columns of a window
 * @param strideHeight rows from a window to the next
 * @param strideWidth columns from a window to the next
 * @param paddingHeight rows by which the first window lies before the image
 * @param paddingWidth columns by which the first window lies before the image
 * @param dilationHeight rows of the image from a row of a window to the next
 * @param dilationWidth columns of the image from a column of a window to the next
 * @param depth of windows over volumes; {@link Depth#OF_IMAGES} over images
 */
public record Window(
        long height,
        long width,
        long strideHeight,
        long strideWidth,
        long paddingHeight,
        long paddingWidth,
        long dilationHeight,
        long dilationWidth,
        Depth depth) {

    /**
     * What a window over a volume has beside its rows and columns.
     *
     * @param size images of a window
     * @param stride images from a window to the next
     * @param padding images by which the first window lies before the volume
     * @param dilation images of the volume from an image of a window to the next
     */
    public record Depth(long size, long stride, long padding, long dilation) {

        /** That of windows over images. */
        public static final Depth OF_IMAGES = new Depth(1, 1, 0, 1);
    }

    /** Windows over images. */
    public Window(
            long height,
            long width,
            long strideHeight,
            long strideWidth,
            long paddingHeight,
            long paddingWidth,
            long dilationHeight,
            long dilationWidth) {
        this(
                height,
                width,
                strideHeight,
                strideWidth,
                paddingHeight,
                paddingWidth,
                dilationHeight,
                dilationWidth,
                Depth.OF_IMAGES);
    }

    /** As the native kernels of images take it. */
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

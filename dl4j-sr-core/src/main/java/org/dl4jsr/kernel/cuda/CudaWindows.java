package org.dl4jsr.kernel.cuda;

import static org.dl4jsr.kernel.cuda.KernelConstant.OCTET;
import static org.dl4jsr.kernel.cuda.KernelConstant.THREADS;
import static org.dl4jsr.kernel.cuda.KernelLauncher.blocks;
import static org.dl4jsr.kernel.cuda.KernelSource.WINDOWS;

import org.dl4jsr.kernel.ElementLoops;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;

/**
 * The windows of {@link CudaArrayKernels}: a thread an element of the result, or a run of them. Beside the result the
 * loops have as operands what follows from an element's index: its channel in another array, its row and its column.
 */
final class CudaWindows {

    private final KernelLauncher launcher;

    CudaWindows(KernelLauncher launcher) {
        this.launcher = launcher;
    }

    void im2col(StridedArray image, StridedArray columns, Window window) {
        if (columns.length() > Integer.MAX_VALUE - OCTET.value) { // the kernel rounds up to octets in 32 bits
            for (long i = 0; i < columns.shape()[0]; i++) {
                im2col(only(i, image), only(i, columns), window);
            }
            return;
        }
        long[] strides = image.strides();
        var loops = ElementLoops.over(
                operand(columns, strides[0], strides[1], 0, 0, 0, 0),
                operand(columns, 0, 0, window.dilationHeight(), 0, window.strideHeight(), 0),
                operand(columns, 0, 0, 0, window.dilationWidth(), 0, window.strideWidth()),
                columns);
        int total = (int) columns.length();
        launcher.kernel(WINDOWS, "im2col")
                .add(loops, 1)
                .addStructure(window.toArray())
                .addStructure(plane(image))
                .add(image.address(), columns.address())
                .add(columns.isContiguous() ? 1 : 0, total)
                .launchLooping(THREADS.value, blocks(blocks(total, OCTET.value), THREADS.value));
    }

    /** The array with one index of its first dimension. */
    private static StridedArray only(long index, StridedArray array) {
        long[] shape = array.shape().clone();
        if (shape[0] == 1) {
            throw new IllegalArgumentException(array + " is too large for one kernel");
        }
        shape[0] = 1;
        return new StridedArray(array.type(), array.slice(index).address(), shape, array.strides());
    }

    void col2im(StridedArray columns, StridedArray image, Window window) {
        long[] strides = columns.strides();
        var loops = ElementLoops.over(
                operand(image, strides[0], strides[1], 0, 0),
                operand(image, 0, 0, 1, 0),
                operand(image, 0, 0, 0, 1),
                image);
        launcher.kernel(WINDOWS, "col2im", columns.type())
                .add(loops, 1)
                .addStructure(window.toArray())
                .addStructure(plane(columns))
                .addStructure(window.height(), window.width(), strides[2], strides[3])
                .add(columns.address(), image.address())
                .launchRuns();
    }

    void maxPool(StridedArray x, StridedArray y, Window window) {
        long[] strides = x.strides();
        var loops = ElementLoops.over(
                operand(y, strides[0], strides[1], 0, 0),
                operand(y, 0, 0, window.strideHeight(), 0),
                operand(y, 0, 0, 0, window.strideWidth()),
                y);
        launcher.kernel(WINDOWS, "maxPool")
                .add(loops, 1)
                .addStructure(window.toArray())
                .addStructure(plane(x))
                .add(x.address(), y.address())
                .launchRuns();
    }

    void maxPoolGradient(StridedArray x, StridedArray dy, StridedArray dx, Window window) {
        var loops = ElementLoops.over(
                operand(dx, x.strides()[0], x.strides()[1], 0, 0),
                operand(dx, dy.strides()[0], dy.strides()[1], 0, 0),
                operand(dx, 0, 0, 1, 0),
                operand(dx, 0, 0, 0, 1),
                dx);
        launcher.kernel(WINDOWS, "maxPoolGradient")
                .add(loops, 1)
                .addStructure(window.toArray())
                .addStructure(plane(x))
                .addStructure(plane(dy))
                .add(x.address(), dy.address(), dx.address())
                .launchRuns();
    }

    void averagePool(StridedArray x, StridedArray y, Window window, boolean padding) {
        long[] strides = x.strides();
        var loops = ElementLoops.over(
                operand(y, strides[0], strides[1], 0, 0), operand(y, 0, 0, 1, 0), operand(y, 0, 0, 0, 1), y);
        launcher.kernel(WINDOWS, "averagePool")
                .add(loops, 1)
                .addStructure(window.toArray())
                .addStructure(plane(x))
                .add(x.address(), y.address())
                .add(padding ? 1 : 0)
                .launchRuns();
    }

    void averagePoolGradient(StridedArray dy, StridedArray dx, Window window, boolean padding) {
        var loops = ElementLoops.over(
                operand(dx, dy.strides()[0], dy.strides()[1], 0, 0),
                operand(dx, 0, 0, 1, 0),
                operand(dx, 0, 0, 0, 1),
                dx);
        launcher.kernel(WINDOWS, "averagePoolGradient")
                .add(loops, 1)
                .addStructure(window.toArray())
                .addStructure(plane(dx))
                .addStructure(plane(dy))
                .add(dy.address(), dx.address())
                .add(padding ? 1 : 0)
                .launchRuns();
    }

    /** A number that grows by so much along each dimension of {@code result}. */
    private static StridedArray operand(StridedArray result, long... steps) {
        return new StridedArray(result.type(), 0, result.shape(), steps);
    }

    /** The last two dimensions. */
    private static long[] plane(StridedArray array) {
        return new long[] {
            Math.toIntExact(array.rows()),
            Math.toIntExact(array.columns()),
            Math.toIntExact(array.rowStride()),
            Math.toIntExact(array.columnStride())
        };
    }
}

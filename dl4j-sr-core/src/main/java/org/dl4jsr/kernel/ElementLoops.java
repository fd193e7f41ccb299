package org.dl4jsr.kernel;

import java.util.Arrays;

/**
 * The loops over all elements of operands of one shape: the order is that of the last operand's memory, and dimensions
 * that lie behind each other in all operands are one.
 *
 * @param sizes outermost first
 * @param steps of each operand, in elements
 */
public record ElementLoops(long[] sizes, long[][] steps) {

    /** At least one loop; operands have equal shapes and at least one element. */
    public static ElementLoops over(StridedArray... operands) {
        StridedArray last = operands[operands.length - 1];
        for (StridedArray operand : operands) {
            if (!Arrays.equals(operand.shape(), last.shape())) {
                throw new IllegalArgumentException("Operands " + operand + " and " + last + ", expected equal shapes");
            }
        }
        int[] order = last.byStride();
        long[] sizes = new long[Math.max(1, order.length)];
        long[][] steps = new long[operands.length][sizes.length];
        Arrays.fill(sizes, 1);
        int first = sizes.length;
        for (int i = order.length - 1; i >= 0; i--) {
            int dimension = order[i];
            if (first == sizes.length || !follows(operands, dimension, sizes[first], steps, first)) {
                first--;
                sizes[first] = 1;
                for (int k = 0; k < operands.length; k++) {
                    steps[k][first] = operands[k].strides()[dimension];
                }
            }
            sizes[first] *= last.shape()[dimension];
        }
        int skipped = Math.min(first, sizes.length - 1);
        for (int k = 0; k < steps.length; k++) {
            steps[k] = Arrays.copyOfRange(steps[k], skipped, sizes.length);
        }
        return new ElementLoops(Arrays.copyOfRange(sizes, skipped, sizes.length), steps);
    }

    /** Whether {@code dimension} goes on in every operand where the loop inside it ends. */
    private static boolean follows(StridedArray[] operands, int dimension, long size, long[][] steps, int inner) {
        for (int k = 0; k < operands.length; k++) {
            if (operands[k].strides()[dimension] != size * steps[k][inner]) {
                return false;
            }
        }
        return true;
    }

    /** Number of loops. */
    public int rank() {
        return sizes.length;
    }

    /** As the native kernels take it. */
    public long[] toArray() {
        long[] array = Arrays.copyOf(sizes, sizes.length * (1 + steps.length));
        for (int k = 0; k < steps.length; k++) {
            System.arraycopy(steps[k], 0, array, sizes.length * (k + 1), sizes.length);
        }
        return array;
    }

    /** Calls {@code body} with the operands' offsets, in elements, of each element. */
    public void forEach(Body body) {
        forEach(0, new long[steps.length], body);
    }

    private void forEach(int dimension, long[] offsets, Body body) {
        if (dimension == sizes.length) {
            body.accept(offsets);
            return;
        }
        long[] inner = offsets.clone();
        for (long i = 0; i < sizes[dimension]; i++) {
            forEach(dimension + 1, inner, body);
            for (int k = 0; k < inner.length; k++) {
                inner[k] += steps[k][dimension];
            }
        }
    }

    /** What is done with one element of each operand. */
    @FunctionalInterface
    public interface Body {
        void accept(long[] offsets);
    }
}

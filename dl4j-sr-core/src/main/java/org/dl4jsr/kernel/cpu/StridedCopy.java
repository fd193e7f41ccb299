package org.dl4jsr.kernel.cpu;

import java.util.Arrays;
import org.dl4jsr.kernel.ElementLoops;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.Memory;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.rounding.BFloat16;

/**
 * Copies an array into another of the same shape but any strides, casting between storage types on the way: FLOAT to
 * BF16 rounds to nearest even, BF16 to FLOAT is exact, and a copy within one type keeps every bit. What lies
 * contiguous on both sides, and a matrix of one type that is transposed, goes through {@link Kernels} in one call.
 */
public final class StridedCopy {

    /** A shorter run, or a matrix with a shorter side, is copied here: it is not worth a call. */
    private static final int SHORT_RUN = 32;

    private final Kernels kernels;

    /** Copies by these kernels. */
    public StridedCopy(Kernels kernels) {
        this.kernels = kernels;
    }

    /** Copies {@code source} to {@code target}, which must have the same shape and must not overlap it. */
    public void copy(StridedArray source, StridedArray target) {
        if (!Arrays.equals(source.shape(), target.shape())) {
            throw new IllegalArgumentException("Copy of " + source + " to " + target + ", expected equal shapes");
        }
        if (target.length() > 0) {
            new Loops(source, target).run(0, source.address(), target.address());
        }
    }

    /** A row-major copy in {@code scratch}. */
    StridedArray rowMajor(StridedArray array, Scratch scratch) {
        StridedArray copy = array.rowMajorAt(scratch.reserve(array.bytes()));
        copy(array, copy);
        return copy;
    }

    /** A dense copy as {@code type} in {@code scratch}, its dimensions in the same order. */
    StridedArray dense(StridedArray array, FloatType type, Scratch scratch) {
        StridedArray copy = array.denseAt(scratch.reserve(array.length() * type.bytes()), type);
        copy(array, copy);
        return copy;
    }

    /** The loops of one copy. */
    private final class Loops {

        private final FloatType from;
        private final FloatType to;
        /** Bounds and steps in bytes, outermost first, contiguous dimensions merged. */
        private final long[] sizes;

        private final long[] sourceSteps;
        private final long[] targetSteps;

        Loops(StridedArray source, StridedArray target) {
            from = source.type();
            to = target.type();
            var loops = ElementLoops.over(source, target);
            sizes = loops.sizes();
            sourceSteps = inBytes(loops.steps()[0], from);
            targetSteps = inBytes(loops.steps()[1], to);
        }

        private static long[] inBytes(long[] steps, FloatType type) {
            long[] bytes = new long[steps.length];
            for (int i = 0; i < steps.length; i++) {
                bytes[i] = steps[i] * type.bytes();
            }
            return bytes;
        }

        void run(int dimension, long source, long target) {
            if (dimension == sizes.length - 1) {
                innermost(source, target);
                return;
            }
            if (dimension == sizes.length - 2 && transposes()) {
                kernels.transpose(to, source, target, (int) sizes[dimension + 1], (int) sizes[dimension]);
                return;
            }
            for (long i = 0; i < sizes[dimension]; i++) {
                run(dimension + 1, source + i * sourceSteps[dimension], target + i * targetSteps[dimension]);
            }
        }

        /** Whether the two innermost loops copy a dense column-major matrix to a dense row-major one of its type. */
        private boolean transposes() {
            int last = sizes.length - 1;
            long rows = sizes[last - 1];
            long columns = sizes[last];
            return from == to
                    && Math.min(rows, columns) >= SHORT_RUN
                    && Math.max(rows, columns) <= Integer.MAX_VALUE
                    && sourceSteps[last - 1] == from.bytes()
                    && sourceSteps[last] == rows * from.bytes()
                    && targetSteps[last] == to.bytes()
                    && targetSteps[last - 1] == columns * to.bytes();
        }

        private void innermost(long source, long target) {
            int last = sizes.length - 1;
            long size = sizes[last];
            long sourceStep = sourceSteps[last];
            long targetStep = targetSteps[last];
            if (size >= SHORT_RUN && sourceStep == from.bytes() && targetStep == to.bytes()) {
                contiguous(source, target, size);
            } else if (from == FloatType.FLOAT && to == FloatType.BFLOAT16) {
                for (long i = 0; i < size; i++) {
                    float value = Memory.getFloat(source + i * sourceStep);
                    Memory.putShort(target + i * targetStep, BFloat16.fromFloat(value));
                }
            } else if (from == FloatType.BFLOAT16 && to == FloatType.FLOAT) {
                for (long i = 0; i < size; i++) {
                    Memory.putInt(target + i * targetStep, Memory.getShort(source + i * sourceStep) << 16);
                }
            } else if (from == FloatType.FLOAT) {
                for (long i = 0; i < size; i++) {
                    Memory.putInt(target + i * targetStep, Memory.getInt(source + i * sourceStep));
                }
            } else {
                for (long i = 0; i < size; i++) {
                    Memory.putShort(target + i * targetStep, Memory.getShort(source + i * sourceStep));
                }
            }
        }

        private void contiguous(long source, long target, long length) {
            if (from == to) {
                Memory.copy(source, target, length * to.bytes());
            } else {
                kernels.cast(to, source, target, length);
            }
        }
    }
}

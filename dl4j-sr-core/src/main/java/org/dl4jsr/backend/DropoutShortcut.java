package org.dl4jsr.backend;

import java.util.Arrays;
import java.util.function.Supplier;
import org.dl4jsr.kernel.Arithmetic;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.ops.random.impl.DropOut;
import org.nd4j.linalg.api.ops.random.impl.DropOutInverted;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Dropout of dense BF16 arrays that are not small: what remains is what ND4J's op makes of it, but which elements do is
 * drawn by stochastic rounding, whose bits a number of ND4J's generator of this thread is the key of. The probability is
 * rounded to 1/65536.
 */
final class DropoutShortcut implements Shortcut {

    /** For fewer elements ND4J's op is as fast, and draws those that it would draw in FLOAT. */
    private static final long SMALL = 4096;
    /** Elements whose scratch stays in a processor's cache. */
    private static final long AT_ONCE = 1 << 15;

    private static final long PROBABILITIES = 1 << 16;
    /** Between 1 and the next BF16 value, which is so much greater. */
    private static final float ULP = 0x1p-7f;

    private final CpuDevice device;

    DropoutShortcut(CpuDevice device) {
        this.device = device;
    }

    @Override
    public boolean run(Op op, OpContext context, INDArray x, INDArray y, INDArray z, Supplier<INDArray> stock) {
        boolean inverted = op instanceof DropOutInverted;
        if (!inverted && !(op instanceof DropOut) || !suits(x, z)) {
            return false;
        }
        double kept = ((Number) op.extraArgs()[0]).doubleValue();
        long share = Math.round(kept * PROBABILITIES);
        if (share < 1 || share > PROBABILITIES) {
            return false;
        }
        long length = x.length();
        long atOnce = Math.min(length, AT_ONCE);
        float upwards = 1 + ULP * share / PROBABILITIES; // rounded with this probability
        long key = Nd4j.getRandom().nextLong();
        try (INDArray chances = Nd4j.valueArrayOf(new long[] {atOnce}, upwards, DataType.FLOAT);
                INDArray drawn = Nd4j.createUninitialized(DataType.BFLOAT16, atOnce)) {
            for (long first = 0; first < length; first += atOnce) {
                long count = Math.min(atOnce, length - first);
                StridedArray remains = part(drawn, 0, count);
                StridedArray target = part(z, first, count);
                device.kernels().stochasticRound(device.address(chances), remains.address(), count, key, 0, first);
                device.arrays().arithmetic(Arithmetic.SUBTRACT, remains, 1, remains);
                device.arrays().arithmetic(Arithmetic.GATE, remains, part(x, first, count), target);
                if (inverted) {
                    device.arrays().arithmetic(Arithmetic.DIVIDE, target, (float) kept, target);
                }
            }
        }
        return true;
    }

    private static boolean suits(INDArray x, INDArray z) {
        return z != null
                && z.dataType() == DataType.BFLOAT16
                && x.length() >= SMALL
                && Arrays.equals(x.shape(), z.shape())
                && Arrays.equals(x.stride(), z.stride())
                && (KernelOp.isDense(x) || KernelOp.isDense(RowBlock.reversed(x)));
    }

    /** Elements in the order of memory. */
    private StridedArray part(INDArray array, long first, long count) {
        return StridedArray.rowMajor(
                FloatType.BFLOAT16, device.address(array) + first * FloatType.BFLOAT16.bytes(), count);
    }
}

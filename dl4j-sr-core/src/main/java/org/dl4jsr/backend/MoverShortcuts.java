package org.dl4jsr.backend;

import java.util.List;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * ND4J's concatenation and tiling, where all operands are BF16, as copies to parts of the result. ND4J's code works out
 * the place of each element, of tiles always, of what it concatenates where that lies in another order than the result.
 */
final class MoverShortcuts implements Shortcut {

    private final CpuDevice device;

    MoverShortcuts(CpuDevice device) {
        this.device = device;
    }

    @Override
    public boolean run(String op, List<INDArray> inputs, List<INDArray> outputs, long[] integers, double[] numbers) {
        return outputs.size() == 1
                && Bf16Arrays.allBFloat16(inputs)
                && Bf16Arrays.allBFloat16(outputs)
                && switch (op) {
                    case "concat" -> concatenate(inputs, outputs.get(0), integers);
                    case "tile" -> inputs.size() == 1 && tile(inputs.get(0), outputs.get(0), integers);
                    default -> false;
                };
    }

    private boolean concatenate(List<INDArray> parts, INDArray whole, long[] integers) {
        int rank = whole.rank();
        int dimension = integers.length == 1 ? (int) (integers[0] < 0 ? integers[0] + rank : integers[0]) : -1;
        if (dimension < 0 || dimension >= rank || !fit(parts, whole, dimension)) {
            return false;
        }
        StridedArray target = strided(whole);
        long start = 0;
        for (INDArray part : parts) {
            long address = target.address()
                    + start * target.strides()[dimension] * target.type().bytes();
            device.copy(strided(part), new StridedArray(target.type(), address, part.shape(), target.strides()));
            start += part.size(dimension);
        }
        return true;
    }

    /** Whether the parts, one behind the other along {@code dimension}, have the shape of the whole. */
    private static boolean fit(List<INDArray> parts, INDArray whole, int dimension) {
        long[] shape = whole.shape().clone();
        shape[dimension] = 0;
        for (INDArray part : parts) {
            if (part.rank() != shape.length) {
                return false;
            }
            for (int i = 0; i < shape.length; i++) {
                if (i == dimension) {
                    shape[i] += part.size(i);
                } else if (part.size(i) != shape[i]) {
                    return false;
                }
            }
        }
        return shape[dimension] == whole.size(dimension);
    }

    /** Each dimension becomes two: how often, along which the source stands still, and the source's own. */
    private boolean tile(INDArray one, INDArray many, long[] times) {
        int rank = one.rank();
        if (times.length != rank || many.rank() != rank) {
            return false;
        }
        StridedArray source = strided(one);
        StridedArray target = strided(many);
        long[] shape = new long[2 * rank];
        long[] sourceStrides = new long[2 * rank];
        long[] targetStrides = new long[2 * rank];
        for (int i = 0; i < rank; i++) {
            if (many.size(i) != times[i] * one.size(i)) {
                return false;
            }
            shape[2 * i] = times[i];
            shape[2 * i + 1] = one.size(i);
            sourceStrides[2 * i + 1] = source.strides()[i];
            targetStrides[2 * i] = one.size(i) * target.strides()[i];
            targetStrides[2 * i + 1] = target.strides()[i];
        }
        device.copy(
                new StridedArray(source.type(), source.address(), shape, sourceStrides),
                new StridedArray(target.type(), target.address(), shape, targetStrides));
        return true;
    }

    private StridedArray strided(INDArray array) {
        return KernelOp.strided(device, array);
    }
}

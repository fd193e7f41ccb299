package org.dl4jsr.updater;

import java.util.Arrays;
import org.dl4jsr.backend.Bf16Arrays;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.op.Device;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** A network's flattened parameters and the gradient that is subtracted from them, as arrays and as memory. */
final class FlatArrays {

    private final Device device;
    private final FloatType type;
    private final INDArray parameters;
    private final INDArray gradient;
    private final long parametersAddress;
    private final long gradientAddress;

    /** @throws IllegalStateException if the two do not match, or their elements do not lie one behind the other */
    FlatArrays(Device device, INDArray parameters, INDArray gradient) {
        if (parameters.length() != gradient.length() || parameters.dataType() != gradient.dataType()) {
            throw new IllegalStateException("A gradient of " + gradient.length() + " " + gradient.dataType()
                    + " elements is subtracted from " + parameters.length() + " " + parameters.dataType()
                    + " parameters, expected as many of the same type");
        }
        this.device = device;
        this.parameters = flat(parameters);
        this.gradient = flat(gradient);
        type = KernelOp.type(parameters);
        parametersAddress = device.address(this.parameters);
        gradientAddress = device.address(this.gradient);
    }

    private static INDArray flat(INDArray array) {
        INDArray flat = array.reshape(array.length());
        if (Bf16Arrays.root(flat) != Bf16Arrays.root(array)) {
            throw new IllegalStateException("Parameters and gradients have to be contiguous, got strides "
                    + Arrays.toString(array.stride()) + " for shape " + Arrays.toString(array.shape()));
        }
        return flat;
    }

    Device device() {
        return device;
    }

    FloatType type() {
        return type;
    }

    /** The parameters, [n]. */
    INDArray parameters() {
        return parameters;
    }

    INDArray parameters(long start, long end) {
        return slice(parameters, start, end);
    }

    INDArray gradient(long start, long end) {
        return slice(gradient, start, end);
    }

    private static INDArray slice(INDArray vector, long start, long end) {
        return vector.get(NDArrayIndex.interval(start, end));
    }

    long length() {
        return parameters.length();
    }

    /** The address of parameter {@code element}. */
    long parameterAddress(long element) {
        return parametersAddress + element * type.bytes();
    }

    /** The address of the gradient of parameter {@code element}. */
    long gradientAddress(long element) {
        return gradientAddress + element * type.bytes();
    }

    /** The parameter that the first element of {@code range} belongs to. */
    long first(RangeUpdate range) {
        return range.start() - gradient.offset();
    }

    /** The parameter behind the last of {@code range}. */
    long last(RangeUpdate range) {
        return range.end() - gradient.offset();
    }

    /** The sum of squares of the gradients of these parameters; not finite exactly when some value is not. */
    double squaredGradient(long start, long end) {
        return device.kernels().sumOfSquares(type, gradientAddress(start), end - start);
    }

    /**
     * {@link #squaredGradient} of the parameters from starts[i] to ends[i], for each i, and the squares of all parameters
     * where they are rounded: by one call, since a GPU is waited for at each.
     */
    Squares squares(long[] starts, long[] ends) {
        int stretches = starts.length;
        boolean rounded = type == FloatType.BFLOAT16;
        long[] addresses = new long[rounded ? stretches + 1 : stretches];
        long[] lengths = new long[addresses.length];
        for (int i = 0; i < stretches; i++) {
            addresses[i] = gradientAddress(starts[i]);
            lengths[i] = ends[i] - starts[i];
        }
        if (rounded) {
            addresses[stretches] = parametersAddress;
            lengths[stretches] = length();
        }
        double[] sums = device.kernels().sumsOfSquares(type, addresses, lengths);
        return new Squares(Arrays.copyOf(sums, stretches), rounded ? sums[stretches] : 0);
    }
}

package org.dl4jsr.backend;

import java.util.Arrays;
import java.util.function.Supplier;
import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.op.Device;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What dl4j-sr's array factories, which extend those of ND4J's backends, do with BF16 arrays where ND4J's own go past its
 * executioner. In each method {@code stock} is ND4J's own code, for other types.
 */
public final class Bf16Factory {

    private final Device device;

    /** For arrays in {@code device}'s memory. */
    public Bf16Factory(Device device) {
        this.device = device;
    }

    /** Adds the sum of {@code arrays} to {@code target}, and returns that. */
    public INDArray accumulate(INDArray target, INDArray[] arrays, Supplier<INDArray> stock) {
        if (!Bf16Arrays.isBFloat16(target) && !Bf16Arrays.anyBFloat16(Arrays.asList(arrays))) {
            return stock.get();
        }
        try (var copies = new FloatCopies(device)) {
            INDArray sum = copies.of(target);
            for (INDArray array : arrays) {
                sum.addi(array);
            }
            copies.writeBack(target);
        }
        return target;
    }

    /**
     * The mean of {@code arrays}, written to {@code target} where that is not null, and to each of them: rounded to
     * nearest, but stochastically where the first of them is marked in {@link StochasticAverages}.
     */
    public INDArray average(INDArray target, INDArray[] arrays, Supplier<INDArray> stock) {
        if (arrays.length < 2 || !Bf16Arrays.anyBFloat16(Arrays.asList(arrays))) {
            return stock.get();
        }
        try (var copies = new FloatCopies(device)) {
            INDArray mean = copies.of(arrays[0]);
            for (int i = 1; i < arrays.length; i++) {
                mean.addi(arrays[i]);
            }
            mean.divi(arrays.length);
            INDArray rounded = arrays[0];
            if (!StochasticAverages.assign(rounded, mean)) {
                rounded.assign(mean);
            }
            for (int i = 1; i < arrays.length; i++) {
                arrays[i].assign(rounded);
            }
            if (target != null) {
                target.assign(rounded);
            }
        }
        return target;
    }

    /** The subarrays along these dimensions, copied; ND4J would write BF16 ones into FLOAT memory. */
    public INDArray[] tear(INDArray tensor, int[] dimensions, Supplier<INDArray[]> stock) {
        if (!Bf16Arrays.isBFloat16(tensor)) {
            return stock.get();
        }
        INDArray[] parts = new INDArray[(int) tensor.tensorsAlongDimension(dimensions)];
        Arrays.setAll(parts, i -> tensor.tensorAlongDimension(i, dimensions).dup());
        return parts;
    }

    /** The array in NumPy's format; of BF16 ND4J would write one that ends the process when it is read. */
    public Pointer convertToNumpy(INDArray array, Supplier<Pointer> stock) {
        if (Bf16Arrays.isBFloat16(array)) {
            throw new UnsupportedOperationException("NumPy's format has no BFLOAT16; castTo(DataType.FLOAT) first");
        }
        return stock.get();
    }
}

package org.dl4jsr.backend;

import java.util.Arrays;
import java.util.function.Supplier;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Sums and means over several arrays, which ND4J's array factories compute past its executioner and in BF16. */
public final class Bf16Sums {

    private final Bf16Device device;

    /** For arrays in {@code device}'s memory. */
    public Bf16Sums(Bf16Device device) {
        this.device = device;
    }

    /** The sum of {@code arrays}, added to {@code target}; {@code stock} does so for other types than BF16. */
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
}

package org.dl4jsr.benchmarks.contract;

import java.util.Arrays;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.kernel.Matmul;

/** How far a result may be from that of the Java kernels. */
@FunctionalInterface
public interface Bound {

    /** Equal numbers; NaN may be any NaN. */
    Bound EXACT = (type, expected, largest) -> 0;

    /**
     * The bound for one element.
     *
     * @param type storage of the array
     * @param expected the Java kernels' element
     * @param largest the largest finite magnitude in the Java kernels' array
     */
    double of(FloatType type, double expected, double largest);

    /** The bound for what {@code kernels} give. */
    default Bound on(KernelSet kernels) {
        return this;
    }

    /** As {@code bound}, and where the kernels' products {@link Matmul#roundsBeforeBias}, that rounding, too. */
    static Bound withBias(Bound bound, Content bias) {
        double largestBias = Arrays.stream(bias.values(bias.guarded()))
                .map(Math::abs)
                .filter(Double::isFinite)
                .max()
                .orElse(0);
        return new Bound() {
            @Override
            public double of(FloatType type, double expected, double largest) {
                return bound.of(type, expected, largest);
            }

            @Override
            public Bound on(KernelSet kernels) {
                return kernels.matmul().roundsBeforeBias()
                        ? (type, expected, largest) -> bound.of(type, expected, largest)
                                + rounding(type) / 2 * (Math.abs(expected) + largestBias)
                        : bound;
            }
        };
    }

    /** One rounding of the storage and {@code tolerance} of the largest element. */
    static Bound ofLargest(double tolerance) {
        return (type, expected, largest) ->
                rounding(type) * Math.abs(expected) + tolerance * largest + Double.MIN_VALUE;
    }

    /** One unit in the last place of BF16; of FLOAT four, since its statistics are rounded on the way, too. */
    static double rounding(FloatType type) {
        return type == FloatType.FLOAT ? 0x1p-22 : 0x1p-7;
    }
}

package org.dl4jsr.benchmarks.contract;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.dl4jsr.kernel.AdamW;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.Optimizer;
import org.dl4jsr.kernel.OptimizerArrays;
import org.dl4jsr.kernel.OptimizerStep;
import org.dl4jsr.kernel.StepStatistics;
import org.dl4jsr.rounding.StateRounding;
import org.dl4jsr.rounding.WeightWrite;

/** Casts, stochastic rounding and what an optimizer's step needs: the same bits everywhere. */
enum OptimizerCases implements KernelCase {
    CASTS {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            sizes(arrays.random(), largest).forEach(size -> {
                comparison.same(
                        "toBFloat16 of " + size,
                        (set, a) -> set.kernels().toBFloat16(a[0], a[1], size),
                        arrays.anyValues(FloatType.FLOAT, size),
                        arrays.unwritten(FloatType.BFLOAT16, size));
                comparison.same(
                        "toFloat of " + size,
                        (set, a) -> set.kernels().toFloat(a[0], a[1], size),
                        arrays.anyValues(FloatType.BFLOAT16, size),
                        arrays.unwritten(FloatType.FLOAT, size));
            });
        }
    },

    MEAN {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            sizes(arrays.random(), largest).forEach(size -> {
                int count = 1 + arrays.random().nextInt(1000);
                for (var type : FloatType.values()) {
                    for (boolean first : new boolean[] {false, true}) {
                        float factor = arrays.random().nextBoolean()
                                ? 1
                                : arrays.random().nextFloat() - 0.5f;
                        comparison.same(
                                "accumulate of " + factor + " x " + size + " " + type + (first ? ", the first" : ""),
                                (set, a) -> set.kernels().accumulate(type, a[0], factor, first, a[1], size),
                                arrays.numbers(type, size),
                                arrays.numbers(FloatType.FLOAT, size));
                    }
                    comparison.same(
                            "mean of " + count + " by " + size + " " + type,
                            (set, a) -> set.kernels().mean(a[0], count, type, a[1], size),
                            arrays.numbers(FloatType.FLOAT, size),
                            arrays.unwritten(type, size));
                }
            });
        }
    },

    STOCHASTIC_ROUND {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            sizes(arrays.random(), largest).forEach(size -> {
                long element = element(arrays.random());
                long seed = arrays.random().nextLong();
                int step = arrays.random().nextInt();
                comparison.same(
                        "stochasticRound of " + size + " from element " + element,
                        (set, a) -> set.kernels().stochasticRound(a[0], a[1], size, seed, step, element),
                        arrays.at(element, arrays.anyValues(FloatType.FLOAT, size)),
                        arrays.at(element, arrays.unwritten(FloatType.BFLOAT16, size)));
            });
        }
    },

    STOCHASTIC_SUBTRACT {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            sizes(arrays.random(), largest).forEach(size -> {
                long element = element(arrays.random());
                long seed = arrays.random().nextLong();
                int step = arrays.random().nextInt();
                for (var type : FloatType.values()) {
                    comparison.same(
                            "stochasticSubtract of " + size + " " + type + " from element " + element,
                            (set, a) -> set.kernels().stochasticSubtract(a[0], type, a[1], size, seed, step, element),
                            arrays.at(element, arrays.anyValues(FloatType.BFLOAT16, size)),
                            arrays.at(element, arrays.anyValues(type, size)));
                }
            });
        }
    },

    SUM_OF_SQUARES {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            sizes(arrays.random(), largest).forEach(size -> {
                for (var type : FloatType.values()) {
                    comparison.sameResult(
                            "sumOfSquares of " + size + " " + type,
                            (set, a) -> set.kernels().sumOfSquares(type, a[0], size),
                            arrays.numbers(type, size));
                    comparison.sameResult(
                            "sumOfSquares of " + size + " " + type + ", some not finite",
                            (set, a) -> finite(set.kernels().sumOfSquares(type, a[0], size)),
                            arrays.anyValues(type, size));
                }
            });
            for (var type : FloatType.values()) {
                ofRanges(comparison, arrays, type, 150);
            }
        }

        /** Of ranges one behind the other, most of them short, one empty, one long. */
        private void ofRanges(Comparison comparison, RandomArrays arrays, FloatType type, int ranges) {
            long[] starts = new long[ranges];
            long[] lengths = new long[ranges];
            int size = 0;
            for (int i = 0; i < ranges; i++) {
                starts[i] = (long) size * type.bytes();
                lengths[i] = i == 1 ? 0 : i == 2 ? 70_000 : arrays.random().nextInt(1, 100);
                size += (int) lengths[i];
            }
            comparison.sameResult(
                    "sumsOfSquares of " + ranges + " ranges of " + type,
                    (set, a) -> Arrays.stream(set.kernels()
                                    .sumsOfSquares(
                                            type,
                                            Arrays.stream(starts)
                                                    .map(start -> a[0] + start)
                                                    .toArray(),
                                            lengths))
                            .boxed()
                            .toList(),
                    arrays.numbers(type, size));
        }

        /** What is not finite may be so in any way. */
        private Object finite(double sum) {
            return Double.isFinite(sum) ? sum : "not finite";
        }
    },

    STEP {
        @Override
        public void run(Comparison comparison, RandomArrays arrays, int largest) {
            sizes(arrays.random(), largest).forEach(size -> {
                for (var optimizer : optimizers(arrays.random())) {
                    for (var write : WeightWrite.values()) {
                        for (var rounding : StateRounding.values()) {
                            step(comparison, arrays, optimizer, FloatType.BFLOAT16, write, rounding, size);
                        }
                    }
                    for (var rounding : StateRounding.values()) {
                        step(comparison, arrays, optimizer, FloatType.FLOAT, WeightWrite.MASTER, rounding, size);
                    }
                }
            });
        }

        /** Every formula, with numbers that it may have. */
        private List<Optimizer> optimizers(Random random) {
            int step = random.nextInt(1000);
            return List.of(AdamW.of(0.9, random.nextBoolean() ? 0.95 : 0.999, 1e-8, step));
        }

        private void step(
                Comparison comparison,
                RandomArrays arrays,
                Optimizer optimizer,
                FloatType type,
                WeightWrite write,
                StateRounding rounding,
                int size) {
            Random random = arrays.random();
            var state = type == FloatType.FLOAT || write.hasFp32State() ? FloatType.FLOAT : FloatType.BFLOAT16;
            long element = element(random);
            boolean traced = random.nextInt(3) == 0;
            boolean ordinary = random.nextBoolean(); // one special value in eight would switch the careful path on
            var step = new OptimizerStep(
                    optimizer,
                    1e-2f,
                    0.1f,
                    random.nextBoolean() ? 0.7f : 1,
                    write,
                    rounding,
                    random.nextLong(),
                    random.nextInt(1000));
            comparison.sameResult(
                    "step of " + size + " " + type + ", " + step + " from element " + element,
                    (set, a) -> {
                        var statistics = traced ? new StepStatistics() : null;
                        set.kernels()
                                .step(
                                        step,
                                        new OptimizerArrays(
                                                type,
                                                a[0],
                                                a[1],
                                                Arrays.copyOfRange(a, 3, 3 + optimizer.moments()),
                                                a[2],
                                                size,
                                                element),
                                        statistics);
                        return traced ? text(statistics) : null;
                    },
                    arrays.at(element, ordinary ? arrays.numbers(type, size) : arrays.anyValues(type, size)),
                    arrays.at(element, ordinary ? arrays.numbers(type, size) : arrays.anyValues(type, size)),
                    arrays.at(element, arrays.numbers(state, size)),
                    arrays.at(element, arrays.numbers(state, size)),
                    arrays.at(element, arrays.of(state, size, () -> Math.pow(random.nextGaussian(), 2))));
        }

        private String text(StepStatistics s) {
            return s.weights + " weights, " + s.stagnant + " stagnant, " + s.moved + " moved, squares "
                    + s.squaredUpdate + " " + s.squaredWeight + " " + s.squaredGradient;
        }
    };

    /** All small ones, some about the width of a vector, a pair and a block of sums, and some of several blocks. */
    private static IntStream sizes(Random random, int largest) {
        return Stream.of(
                        IntStream.rangeClosed(0, 70),
                        IntStream.of(127, 128, 129, 255, 256, 257, 511, 513),
                        random.ints(12, 71, 10_000),
                        IntStream.of(4095, 4096, 4097, largest))
                .flatMapToInt(sizes -> sizes);
    }

    /** An element of the network's parameters; some near the place where its upper counter word changes. */
    private static long element(Random random) {
        return random.nextInt(4) == 0 ? (1L << 34) - random.nextInt(2000) : random.nextInt(1_000_000);
    }
}

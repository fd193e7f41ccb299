package org.dl4jsr.kernel.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;
import org.dl4jsr.kernel.AdamWArrays;
import org.dl4jsr.kernel.AdamWStatistics;
import org.dl4jsr.kernel.AdamWStep;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.StateRounding;
import org.dl4jsr.kernel.WeightWrite;
import org.dl4jsr.kernel.cuda.KernelComparison.Content;
import org.dl4jsr.rounding.BFloat16;

/** What {@link CudaKernels} must do, checked against {@link org.dl4jsr.kernel.JavaKernels} on random arrays. */
enum KernelCheck {

    CASTS {
        @Override
        void run(KernelComparison comparison, Random random, int largest) {
            sizes(random, largest).forEach(size -> {
                comparison.same("toBFloat16 of " + size, (k, a) -> {
                    k.toBFloat16(a[0], a[1], size);
                    return null;
                }, anywhere(random, FloatType.FLOAT, anyValues(random, FloatType.FLOAT, size)),
                        anywhere(random, FloatType.BFLOAT16, new byte[2 * size]));
                comparison.same("toFloat of " + size, (k, a) -> {
                    k.toFloat(a[0], a[1], size);
                    return null;
                }, anywhere(random, FloatType.BFLOAT16, anyValues(random, FloatType.BFLOAT16, size)),
                        anywhere(random, FloatType.FLOAT, new byte[4 * size]));
            });
        }
    },

    STOCHASTIC_ROUNDING {
        @Override
        void run(KernelComparison comparison, Random random, int largest) {
            sizes(random, largest).forEach(size -> {
                long element = element(random);
                long seed = random.nextLong();
                int step = random.nextInt();
                comparison.same("stochasticRound of " + size + " from element " + element, (k, a) -> {
                    k.stochasticRound(a[0], a[1], size, seed, step, element);
                    return null;
                }, at(random, element, FloatType.FLOAT, anyValues(random, FloatType.FLOAT, size)),
                        at(random, element, FloatType.BFLOAT16, new byte[2 * size]));
                for (var type : FloatType.values()) {
                    comparison.same("stochasticSubtract of " + size + " " + type + " from element " + element,
                            (k, a) -> {
                                k.stochasticSubtract(a[0], type, a[1], size, seed, step, element);
                                return null;
                            }, at(random, element, FloatType.BFLOAT16, anyValues(random, FloatType.BFLOAT16, size)),
                            at(random, element, type, anyValues(random, type, size)));
                }
            });
        }
    },

    SUM_OF_SQUARES {
        @Override
        void run(KernelComparison comparison, Random random, int largest) {
            sizes(random, largest).forEach(size -> {
                for (var type : FloatType.values()) {
                    comparison.same("sumOfSquares of " + size + " " + type,
                            (k, a) -> k.sumOfSquares(type, a[0], size),
                            anywhere(random, type, numbers(random, type, size)));
                    comparison.same("sumOfSquares of " + size + " " + type + ", some not finite",
                            (k, a) -> Double.isFinite(k.sumOfSquares(type, a[0], size)),
                            anywhere(random, type, anyValues(random, type, size)));
                }
            });
        }
    },

    ADAMW {
        @Override
        void run(KernelComparison comparison, Random random, int largest) {
            sizes(random, largest).forEach(size -> {
                for (var write : WeightWrite.values()) {
                    boolean master = write == WeightWrite.MASTER;
                    step(comparison, random, FloatType.BFLOAT16, master ? FloatType.FLOAT : FloatType.BFLOAT16, write,
                            size);
                }
                step(comparison, random, FloatType.FLOAT, FloatType.FLOAT, WeightWrite.STOCHASTIC, size);
            });
        }

        private void step(KernelComparison comparison, Random random, FloatType type, FloatType state,
                WeightWrite write, int size) {
            long element = element(random);
            boolean traced = random.nextInt(3) == 0;
            boolean ordinary = random.nextBoolean(); // one special value in eight would switch the careful path on
            var step = AdamWStep.of(1e-2, 0.9, random.nextBoolean() ? 0.95 : 0.999, 1e-8, 0.1, 0.7, write,
                    StateRounding.values()[random.nextInt(2)], random.nextLong(), random.nextInt(1000));
            byte[] v = array(state, size, () -> Math.pow(random.nextGaussian(), 2));
            comparison.same("adamW of " + size + " " + type + ", " + step + " from element " + element, (k, a) -> {
                var statistics = traced ? new AdamWStatistics() : null;
                k.adamW(step, new AdamWArrays(type, a[0], a[1], a[2], a[3], a[4], size, element), statistics);
                return traced ? text(statistics) : null;
            }, at(random, element, type, ordinary ? numbers(random, type, size) : anyValues(random, type, size)),
                    at(random, element, type, ordinary ? numbers(random, type, size) : anyValues(random, type, size)),
                    at(random, element, state, numbers(random, state, size)),
                    at(random, element, state, v),
                    at(random, element, state, numbers(random, state, size)));
        }

        private String text(AdamWStatistics s) {
            return s.weights + " weights, " + s.stagnant + " stagnant, " + s.moved + " moved, squares "
                    + s.squaredUpdate + " " + s.squaredWeight + " " + s.squaredGradient;
        }
    },

    LAYER_NORM {
        @Override
        void run(KernelComparison comparison, Random random, int largest) {
            for (int[] shape : shapes(random)) {
                for (var type : FloatType.values()) {
                    int rows = shape[0];
                    int width = shape[1];
                    var x = anywhere(random, type, normal(random, type, rows * width));
                    var gain = anywhere(random, type, normal(random, type, width));
                    var mean = array(FloatType.FLOAT, rows, () -> random.nextGaussian());
                    var rstd = array(FloatType.FLOAT, rows, () -> 0.5 + random.nextDouble());
                    comparison.close("layerNormForward of " + type + " " + rows + " x " + width, TOLERANCE, (k, a) -> {
                        k.layerNormForward(type, a[0], a[1], a[2], a[3], a[4], a[5], rows, width, 1e-5f);
                        return null;
                    }, x, gain, anywhere(random, type, normal(random, type, width)),
                            anywhere(random, type, new byte[rows * width * type.bytes()]),
                            anywhere(random, FloatType.FLOAT, mean), anywhere(random, FloatType.FLOAT, rstd));
                    boolean inPlace = random.nextBoolean();
                    comparison.close("layerNormBackward of " + type + " " + rows + " x " + width, TOLERANCE,
                            (k, a) -> {
                                k.layerNormBackward(type, a[0], a[1], a[2], a[3], a[4], inPlace ? a[5] : 0, a[5], a[6],
                                        a[7], rows, width);
                                return null;
                            }, x, gain, anywhere(random, FloatType.FLOAT, mean),
                            anywhere(random, FloatType.FLOAT, rstd),
                            anywhere(random, type, normal(random, type, rows * width)),
                            anywhere(random, type, normal(random, type, rows * width)),
                            anywhere(random, type, new byte[width * type.bytes()]),
                            anywhere(random, type, new byte[width * type.bytes()]));
                }
            }
        }
    },

    GELU {
        @Override
        void run(KernelComparison comparison, Random random, int largest) {
            for (int[] shape : shapes(random)) {
                for (var type : FloatType.values()) {
                    int rows = shape[0];
                    int width = shape[1];
                    int size = rows * width;
                    double[] values = random.doubles(size, -12, 12).toArray();
                    values[0] = 12; // the largest, in arrays of one element, too
                    byte[] x = array(type, size, Arrays.stream(values).iterator()::nextDouble);
                    comparison.close("geluForward of " + size + " " + type, 1e-7, (k, a) -> {
                        k.geluForward(type, a[0], a[1], size);
                        return null;
                    }, anywhere(random, type, x), anywhere(random, type, new byte[size * type.bytes()]));
                    comparison.close("geluBackward of " + type + " " + rows + " x " + width, TOLERANCE, (k, a) -> {
                        k.geluBackward(type, a[0], a[1], a[1], a[2], rows, width);
                        return null;
                    }, anywhere(random, type, x), anywhere(random, type, normal(random, type, size)),
                            anywhere(random, type, new byte[width * type.bytes()]));
                }
            }
        }
    },

    BIAS_GRADIENT {
        @Override
        void run(KernelComparison comparison, Random random, int largest) {
            for (int[] shape : shapes(random)) {
                for (var type : FloatType.values()) {
                    comparison.close("biasGradient of " + type + " " + shape[0] + " x " + shape[1], TOLERANCE,
                            (k, a) -> {
                                k.biasGradient(type, a[0], a[1], shape[0], shape[1]);
                                return null;
                            }, anywhere(random, type, normal(random, type, shape[0] * shape[1])),
                            anywhere(random, type, new byte[shape[1] * type.bytes()]));
                }
            }
        }
    },

    ATTENTION {
        @Override
        void run(KernelComparison comparison, Random random, int largest) {
            for (int time : new int[] {1, 16, 33, 100}) {
                for (int headWidth : new int[] {1, 24, 33, 64, 128}) {
                    for (var type : FloatType.values()) {
                        attend(comparison, random, type, time, headWidth);
                    }
                }
            }
        }

        private void attend(KernelComparison comparison, Random random, FloatType type, int time, int headWidth) {
            int batch = 1 + random.nextInt(2);
            int heads = 1 + random.nextInt(3);
            int size = batch * time * heads * headWidth;
            boolean aligned = random.nextInt(4) > 0; // as the kernels for tensor cores want all arrays
            String what = " of " + type + " [" + batch + ", " + time + ", " + heads + ", " + headWidth + "]";
            byte[] qkv = normal(random, type, 3 * size);
            // BF16 probabilities and gradients of scores, whose errors partly cancel in the sums
            double tolerance = type == FloatType.FLOAT ? TOLERANCE : 0x1p-7;
            comparison.close("attention" + what, tolerance, (k, a) -> {
                k.attentionForward(type, a[0], a[1], a[2], batch, time, heads, headWidth);
                return null;
            }, place(random, aligned, type, qkv), place(random, aligned, type, new byte[size * type.bytes()]),
                    place(random, aligned, FloatType.FLOAT, new byte[batch * heads * time * Float.BYTES]));
            // the backward pass takes whatever it is given for the results of the forward pass
            comparison.close("gradient of attention" + what, tolerance, (k, a) -> {
                k.attentionBackward(type, a[0], a[1], a[2], a[3], a[4], batch, time, heads, headWidth);
                return null;
            }, place(random, aligned, type, qkv), place(random, aligned, type, normal(random, type, size)),
                    place(random, aligned, FloatType.FLOAT, array(FloatType.FLOAT, batch * heads * time,
                            () -> 3 + random.nextGaussian())),
                    place(random, aligned, type, normal(random, type, size)),
                    place(random, aligned, type, new byte[3 * size * type.bytes()]));
        }
    },

    EMBEDDING {
        @Override
        void run(KernelComparison comparison, Random random, int largest) {
            for (int width : new int[] {1, 7, 16, 33, 2056}) {
                for (var type : FloatType.values()) {
                    int batch = 3;
                    int time = 50;
                    int vocabulary = 40;
                    var tokens = new Content(FloatType.FLOAT, ints(random, batch * time, vocabulary - 3), 0);
                    byte[] table = normal(random, type, vocabulary * width);
                    comparison.close("embeddingForward of " + type + ", width " + width, 0, (k, a) -> {
                        k.embeddingForward(type, a[0], a[1], a[2], a[3], batch, time, width);
                        return null;
                    }, tokens, anywhere(random, type, table),
                            anywhere(random, type, normal(random, type, time * width)),
                            anywhere(random, type, new byte[batch * time * width * type.bytes()]));
                    boolean accumulate = random.nextBoolean();
                    comparison.close("embeddingBackward of " + type + ", width " + width, TOLERANCE, (k, a) -> {
                        k.embeddingBackward(type, a[0], a[1], a[2], a[3], batch, time, width, vocabulary, accumulate);
                        return null;
                    }, tokens, anywhere(random, type, normal(random, type, batch * time * width)),
                            anywhere(random, type, table),
                            anywhere(random, type, new byte[time * width * type.bytes()]));
                }
            }
        }
    },

    CROSS_ENTROPY {
        @Override
        void run(KernelComparison comparison, Random random, int largest) {
            for (int vocabulary : new int[] {1, 7, 16, 33, 256, 1000, 50_304}) {
                for (var type : FloatType.values()) {
                    int rows = 5;
                    byte[] targets = ints(random, rows, vocabulary);
                    ByteBuffer.wrap(targets).order(ByteOrder.nativeOrder()).putInt(2 * Integer.BYTES, -1);
                    byte[] logits = array(type, rows * vocabulary, () -> 8 * random.nextGaussian());
                    boolean lossAlone = random.nextInt(3) == 0;
                    comparison.close("crossEntropy of " + type + ", vocabulary " + vocabulary, TOLERANCE, (k, a) -> {
                        k.crossEntropy(type, a[0], a[1], a[2], lossAlone ? 0 : a[0], rows, vocabulary, 0.125f);
                        return null;
                    }, anywhere(random, type, logits), new Content(FloatType.FLOAT, targets, 0),
                            anywhere(random, FloatType.FLOAT, new byte[rows * Float.BYTES]));
                }
            }
        }
    },

    TRANSPOSE {
        @Override
        void run(KernelComparison comparison, Random random, int largest) {
            for (int[] shape : shapes(random)) {
                for (var type : FloatType.values()) {
                    int size = shape[0] * shape[1];
                    comparison.same("transpose of " + type + " " + shape[0] + " x " + shape[1], (k, a) -> {
                        k.transpose(type, a[0], a[1], shape[0], shape[1]);
                        return null;
                    }, anywhere(random, type, anyValues(random, type, size)),
                            anywhere(random, type, new byte[size * type.bytes()]));
                }
            }
        }
    };

    /** Of the largest value, on top of one rounding of the storage. */
    private static final double TOLERANCE = 2e-6;

    private static final float[] SPECIALS = {
        0f, -0f, Float.MIN_VALUE, -Float.MIN_VALUE, 1e-40f, -3e-39f, Float.MIN_NORMAL, 1f, -1f, 1.00390625f,
        1.01171875f, 3.4e38f, -3.4e38f, Float.MAX_VALUE, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN,
        Float.intBitsToFloat(0xFFC12345), Float.intBitsToFloat(0x7F800001)};

    /**
     * Runs the check; throws IllegalStateException naming the operation and the first element that is wrong.
     *
     * @param largest number of elements of the largest arrays of the optimizer's kernels
     */
    abstract void run(KernelComparison comparison, Random random, int largest);

    private static IntStream sizes(Random random, int largest) {
        return IntStream.concat(IntStream.rangeClosed(0, 40), IntStream.concat(
                random.ints(12, 41, 10_000), IntStream.of(4095, 4097, largest)));
    }

    private static int[][] shapes(Random random) {
        return new int[][] {{1, 1}, {5, 7}, {3, 16}, {5, 33}, {130, 264}, {257, 129}, {7, 1024}, {1, 100},
            {1 + random.nextInt(300), 1 + random.nextInt(300)}};
    }

    /** An element of the network's parameters; some near the place where its upper counter word changes. */
    private static long element(Random random) {
        return random.nextInt(4) == 0 ? (1L << 34) - random.nextInt(2000) : random.nextInt(1_000_000);
    }

    private static Content anywhere(Random random, FloatType type, byte[] bytes) {
        return new Content(type, bytes, random.nextBoolean() ? 0 : random.nextInt(16));
    }

    private static Content place(Random random, boolean aligned, FloatType type, byte[] bytes) {
        return aligned ? new Content(type, bytes, 0) : anywhere(random, type, bytes);
    }

    /** Mostly where the element's random bits and 16-byte boundaries go together, as in a network. */
    private static Content at(Random random, long element, FloatType type, byte[] bytes) {
        return new Content(type, bytes, random.nextInt(8) > 0 ? (int) (element % 8) : random.nextInt(16));
    }

    /** Mostly ordinary numbers, with specials, subnormals and any bits among them. */
    private static byte[] anyValues(Random random, FloatType type, int size) {
        return array(type, size, () -> switch (random.nextInt(12)) {
            case 0 -> SPECIALS[random.nextInt(SPECIALS.length)];
            case 1 -> Float.intBitsToFloat(random.nextInt());
            default -> random.nextGaussian();
        });
    }

    /** Finite numbers of many sizes. */
    private static byte[] numbers(Random random, FloatType type, int size) {
        return array(type, size, () -> random.nextGaussian() * Math.scalb(1, random.nextInt(40) - 20));
    }

    private static byte[] normal(Random random, FloatType type, int size) {
        return array(type, size, random::nextGaussian);
    }

    private static byte[] array(FloatType type, int size, DoubleSupplier values) {
        var buffer = ByteBuffer.allocate(type.bytes() * size).order(ByteOrder.nativeOrder());
        for (int i = 0; i < size; i++) {
            float value = (float) values.getAsDouble();
            if (type == FloatType.FLOAT) {
                buffer.putFloat(value);
            } else {
                buffer.putShort(BFloat16.fromFloat(value));
            }
        }
        return buffer.array();
    }

    private static byte[] ints(Random random, int size, int bound) {
        var buffer = ByteBuffer.allocate(Integer.BYTES * size).order(ByteOrder.nativeOrder());
        random.ints(size, 0, bound).forEach(buffer::putInt);
        return buffer.array();
    }
}

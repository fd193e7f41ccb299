package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.impl.scatter.ScatterUpdate;
import org.nd4j.linalg.api.ops.impl.updaters.AdamUpdater;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.BooleanIndexing;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.indexing.conditions.Conditions;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Ops of every kind give in BF16 what they give in FLOAT, rounded once. */
class TreatmentTest {

    private final Random random = new Random(1);

    @ParameterizedTest
    @EnumSource(Activation.class)
    void activationsAndTheirDerivatives(Activation activation) {
        INDArray x = Bf16Testing.random(random, 6, 8);
        INDArray gradient = Bf16Testing.random(random, 6, 8);
        if (activation == Activation.RRELU) { // draws its slopes
            assertEquals(
                    DataType.BFLOAT16,
                    Activation.RRELU
                            .getActivationFunction()
                            .getActivation(x, true)
                            .dataType());
        } else {
            Bf16Testing.assertComputesInFloat(
                    "forward", a -> activation.getActivationFunction().getActivation(a[0].dup(), true), x);
            INDArray got = derivative(activation, x, gradient);
            INDArray expected = derivative(activation, x.castTo(DataType.FLOAT), gradient.castTo(DataType.FLOAT));
            for (long i = 0; i < got.length(); i++) { // some take several ops, each with its rounding
                assertEquals(expected.getDouble(i), got.getDouble(i), 1e-3 + 0x1p-6 * Math.abs(expected.getDouble(i)));
            }
            assertEquals(DataType.BFLOAT16, got.dataType());
        }
    }

    private static INDArray derivative(Activation activation, INDArray x, INDArray gradient) {
        return activation
                .getActivationFunction()
                .backprop(x.dup(), gradient.dup())
                .getFirst();
    }

    @Test
    void transforms() {
        INDArray x = Bf16Testing.random(random, 30, 40);
        check("exp", a -> Transforms.exp(a[0], true), x);
        check("log", a -> Transforms.log(Transforms.abs(a[0]), true), x);
        check("sqrt", a -> Transforms.sqrt(Transforms.abs(a[0]), true), x);
        check("sin", a -> Transforms.sin(a[0], true), x);
        check("sign", a -> Transforms.sign(a[0], true), x);
        check("softplus", a -> Transforms.softPlus(a[0], true), x);
        check("leaky", a -> Transforms.leakyRelu(a[0], 0.3, true), x);
        check("atan2", a -> Transforms.atan2(a[0], a[1]), x, Bf16Testing.random(random, 30, 40));
        check("floor", a -> Transforms.floor(a[0], true), x);
        check("not zero", a -> a[0].neq(0), x);
        check("is NaN", a -> a[0].isNaN(), x);
        check("greater", a -> a[0].gt(a[1]), x, Bf16Testing.random(random, 30, 40));
        check("is max", a -> Transforms.isMax(a[0]), x);
        check(
                "in a view",
                a -> {
                    Transforms.exp(a[0].get(NDArrayIndex.interval(3, 20), NDArrayIndex.interval(2, 30)), false);
                    return a[0];
                },
                x);
        check(
                "replace",
                a -> {
                    BooleanIndexing.replaceWhere(a[0], 0.3, Conditions.lessThan(0.1));
                    return a[0];
                },
                x);
        check("unit", a -> Transforms.unitVec(a[0]), Bf16Testing.random(random, 50));
    }

    @Test
    void movers() {
        INDArray x = Bf16Testing.random(random, 6, 8);
        check("concat", a -> Nd4j.concat(1, a), x, Bf16Testing.random(random, 6, 3));
        check("stack", a -> Nd4j.stack(0, a), x, Bf16Testing.random(random, 6, 8));
        check("pile", a -> Nd4j.pile(a), x, Bf16Testing.random(random, 6, 8));
        check("vstack", a -> Nd4j.vstack(a), x, Bf16Testing.random(random, 2, 8));
        check("pull rows", a -> Nd4j.pullRows(a[0], 1, new int[] {1, 3}), x);
        check("sort", a -> Nd4j.sort(a[0], 1, true), x.dup());
        check("repeat", a -> a[0].repeat(0, 2), x);
        check("tile", a -> Nd4j.tile(a[0], 2, 3), x);
        check("reverse", a -> Nd4j.reverse(a[0]), Bf16Testing.random(random, 9));
        check("column", a -> a[0].putColumn(0, a[1]), x, Bf16Testing.random(random, 6, 1));
        check("flattened", a -> Nd4j.toFlattened('f', a), x, Bf16Testing.random(random, 3, 2));
        check("pad", a -> Nd4j.pad(a[0], 1, 2), x);
        check("where", a -> Nd4j.where(a[0].gt(0), a[0], a[1])[0], x, Bf16Testing.random(random, 6, 8));
        check("diag", a -> Nd4j.diag(a[0]), Bf16Testing.random(random, 4));
        check("gather", a -> exec(op("gather").addInputs(a[0], Nd4j.createFromArray(2, 0, 5))), x);
        check(
                "slice",
                a -> exec(op("strided_slice").addInputs(a[0]).addIntegerArguments(0, 0, 0, 0, 0, 1, 2, 5, 7, 2, 2)),
                x);
        check(
                "mirror",
                a -> exec(op("mirror_pad")
                        .addInputs(a[0], Nd4j.createFromArray(new int[][] {{1, 1}, {2, 2}}))
                        .addIntegerArguments(0)),
                x);
        check("select", a -> exec(op("select").addInputs(a[0].gt(0), a[0], a[1])), x, Bf16Testing.random(random, 6, 8));
        check("permute", a -> exec(op("permute").addInputs(a).addIntegerArguments(1, 0)), x);
        check("transpose", a -> exec(op("transpose").addInputs(a)), x);
        check("reshape", a -> exec(op("reshape").addInputs(a).addIntegerArguments(-99, 3, 16)), x);
        check("expand", a -> exec(op("expand_dims").addInputs(a).addIntegerArguments(1)), x);
        check("squeeze", a -> exec(op("squeeze").addInputs(a).addIntegerArguments(1)), x.reshape(6, 1, 8));
        check("parallel_stack", a -> exec(op("parallel_stack").addInputs(a)), x, Bf16Testing.random(random, 6, 8));
        check("unstack", a -> exec(op("unstack").addInputs(a).addIntegerArguments(1)), x);
        check("split", a -> exec(op("split").addInputs(a).addIntegerArguments(2, 0)), x);
        check("slice", a -> exec(op("slice").addInputs(a).addIntegerArguments(1, 2, 3, 4)), x);
        check("gather_nd", a -> exec(op("gather_nd").addInputs(a[0], Nd4j.createFromArray(new int[][] {{1}, {4}}))), x);
        check("tile", a -> exec(op("tile").addInputs(a).addIntegerArguments(2, 2)), x);
        check("broadcast_to", a -> exec(op("broadcast_to").addInputs(a[0], Nd4j.createFromArray(3, 6, 8))), x);
        check("reverse op", a -> exec(op("reverse").addInputs(a).addIntegerArguments(1)), x);
        check("zeros_as", a -> exec(op("zeros_as").addInputs(a)), x);
        check("ones_as", a -> exec(op("ones_as").addInputs(a)), x);
        check("fill_as", a -> exec(op("fill_as").addInputs(a).addFloatingPointArguments(0.3)), x);
        INDArray image = Bf16Testing.random(random, 1, 4, 4, 4);
        check("space_to_depth", a -> exec(op("space_to_depth").addInputs(a).addIntegerArguments(2, 1)), image);
        check("depth_to_space", a -> exec(op("depth_to_space").addInputs(a).addIntegerArguments(2, 1)), image);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "relu",
                "relu6",
                "lrelu",
                "elu",
                "selu",
                "sigmoid",
                "hardsigmoid",
                "tanh",
                "hardtanh",
                "rationaltanh",
                "rectifiedtanh",
                "softplus",
                "softsign",
                "cube",
                "thresholdedrelu",
                "softmax",
                "log_softmax"
            })
    void forwardAndBackwardOps(String name) {
        INDArray x = Bf16Testing.random(random, 5, 7);
        INDArray gradient = Bf16Testing.random(random, 5, 7);
        check(name, a -> exec(op(name).addInputs(a[0]).addFloatingPointArguments(0.0)), x);
        check(name + "_bp", a -> exec(op(name + "_bp").addInputs(a[0], a[1])), x, gradient);
    }

    @Test
    void layers() {
        INDArray x = Bf16Testing.random(random, 4, 16);
        INDArray width = Bf16Testing.random(random, 16);
        check(
                "layer_norm",
                a -> exec(op("layer_norm").addInputs(a).addIntegerArguments(1).addBooleanArguments(true)),
                x,
                width);
        check(
                "layer_norm_bp",
                a -> exec(
                        op("layer_norm_bp").addInputs(a).addIntegerArguments(1).addBooleanArguments(true)),
                x,
                width,
                Bf16Testing.random(random, 4, 16));
        INDArray images = Bf16Testing.random(random, 2, 3, 8, 8);
        INDArray kernel = Bf16Testing.random(random, 3, 3, 3, 5);
        int[] convolution = {3, 3, 1, 1, 0, 0, 1, 1, 1, 0};
        check("conv2d", a -> exec(op("conv2d").addInputs(a).addIntegerArguments(convolution)), images, kernel);
        check(
                "conv2d_bp",
                a -> exec(op("conv2d_bp").addInputs(a).addIntegerArguments(convolution)),
                images,
                kernel,
                Bf16Testing.random(random, 2, 5, 8, 8));
        int[] pooling = {2, 2, 2, 2, 0, 0, 1, 1, 0, 1, 0};
        for (String pool : new String[] {"avgpool2d", "maxpool2d"}) {
            check(pool, a -> exec(op(pool).addInputs(a).addIntegerArguments(pooling)), images);
            check(
                    pool + "_bp",
                    a -> exec(op(pool + "_bp").addInputs(a).addIntegerArguments(pooling)),
                    images,
                    Bf16Testing.random(random, 2, 3, 4, 4));
        }
        check("upsampling2d", a -> exec(op("upsampling2d").addInputs(a).addIntegerArguments(2, 2, 1)), images);
        check(
                "upsampling2d_bp",
                a -> exec(op("upsampling2d_bp").addInputs(a).addIntegerArguments(1)),
                images,
                Bf16Testing.random(random, 2, 3, 16, 16));
        INDArray channels = Bf16Testing.random(random, 3);
        check(
                "batchnorm",
                a -> exec(op("batchnorm")
                        .addInputs(a)
                        .addIntegerArguments(1, 1, 1)
                        .addFloatingPointArguments(1e-3)),
                images,
                channels,
                Transforms.abs(Bf16Testing.random(random, 3)),
                channels.dup(),
                channels.dup());
        check("im2col", a -> exec(op("im2col").addInputs(a).addIntegerArguments(3, 3, 1, 1, 0, 0, 1, 1, 1)), images);
        check("biasadd", a -> exec(op("biasadd").addInputs(a)), x, width);
        check(
                "embedding",
                a -> exec(op("embedding_lookup")
                        .addInputs(a[0], Nd4j.createFromArray(3, 1, 1))
                        .addIntegerArguments(0)),
                x);
    }

    /** Natively beta2 = 0.999 would be 1: v would stay 0 and the learning rate would not matter. */
    @Test
    void updaters() {
        INDArray gradient = Bf16Testing.random(random, 100);
        INDArray v = Nd4j.zeros(DataType.BFLOAT16, 100);
        INDArray m = Nd4j.zeros(DataType.BFLOAT16, 100);
        check(
                "adam",
                a -> {
                    Nd4j.exec(new AdamUpdater(a[0], a[1], a[2], 1e-3, 0.9, 0.999, 1e-8, 0));
                    return a[0];
                },
                gradient,
                v,
                m);
        assertTrue(v.sumNumber().doubleValue() > 0);
        assertEquals(1e-3, Transforms.abs(gradient).maxNumber().doubleValue(), 1e-5);
    }

    @Test
    void randomOps() {
        for (int seed = 1; seed < 4; seed++) { // 0 would be none
            int fixed = seed;
            check(
                    "uniform",
                    a -> {
                        Nd4j.getRandom().setSeed(fixed);
                        return Nd4j.rand(a[0].dataType(), 10, 10);
                    },
                    Bf16Testing.random(random, 1));
            check(
                    "normal",
                    a -> {
                        Nd4j.getRandom().setSeed(fixed);
                        return Nd4j.randn(a[0].dataType(), 10, 10);
                    },
                    Bf16Testing.random(random, 1));
        }
    }

    @Test
    @SuppressWarnings("deprecation")
    void scatter() {
        INDArray table = Bf16Testing.random(random, 5, 3);
        INDArray updates = Bf16Testing.random(random, 4, 3);
        INDArray rows = Nd4j.createFromArray(1, 1, 1, 4);
        check(
                "scatterUpdate",
                a -> {
                    Nd4j.scatterUpdate(ScatterUpdate.UpdateOp.ADD, a[0], rows, a[1], 1);
                    return a[0];
                },
                table,
                updates);
        check("scatter_add", a -> exec(op("scatter_add").addInputs(a[0], rows, a[1])), table, updates);
    }

    /** ND4J's own code adds rows by several threads without a lock, and so loses some, in 10% of such calls. */
    @Test
    @SuppressWarnings("deprecation")
    void scatterLosesNoRowThatComesOften() {
        INDArray rows = Nd4j.zeros(DataType.INT, 64);
        INDArray updates = Nd4j.ones(DataType.BFLOAT16, 64, 6);
        for (int i = 0; i < 500; i++) {
            INDArray table = Nd4j.zeros(DataType.BFLOAT16, 4, 6);
            INDArray sum = exec(op("scatter_add").addInputs(table, rows, updates));
            assertEquals(64 * 6, sum.sumNumber().doubleValue());
            Nd4j.scatterUpdate(ScatterUpdate.UpdateOp.ADD, table, rows, updates, 1);
            assertEquals(64 * 6, table.sumNumber().doubleValue());
        }
    }

    private static void check(String name, Function<INDArray[], INDArray> op, INDArray... arguments) {
        Bf16Testing.assertComputesInFloat(name, op, arguments);
    }

    private static DynamicCustomOp.DynamicCustomOpsBuilder op(String name) {
        return DynamicCustomOp.builder(name);
    }

    private static INDArray exec(DynamicCustomOp.DynamicCustomOpsBuilder op) {
        return Nd4j.exec(op.build())[0];
    }
}

package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner;
import org.nd4j.linalg.api.ops.impl.broadcast.BroadcastMulOp;
import org.nd4j.linalg.api.ops.impl.scalar.ScalarAdd;
import org.nd4j.linalg.convolution.Convolution;
import org.nd4j.linalg.exception.ND4JOpProfilerException;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.nd4j.linalg.profiler.ProfilerConfig;

/** What goes by our array kernels gives the bits of ND4J's FLOAT code, rounded once. */
class ShortcutsTest {

    private final Random random = new Random(2);

    @AfterEach
    @SuppressWarnings("deprecation") // the other way to switch the profiler
    void disarm() {
        Nd4j.getExecutioner().setProfilingConfig(ProfilerConfig.builder().build());
        Nd4j.getExecutioner().setProfilingMode(OpExecutioner.ProfilingMode.DISABLED);
    }

    @Test
    void arithmetic() {
        for (int trial = 0; trial < 40; trial++) {
            int rows = 2 + random.nextInt(50);
            int columns = 2 + random.nextInt(50);
            INDArray x = Bf16Testing.randomLayout(random, rows, columns);
            INDArray y = Bf16Testing.randomLayout(random, rows, columns);
            INDArray row = Bf16Testing.random(random, 1, columns);
            INDArray column = Bf16Testing.random(random, rows, 1);
            double number = random.nextGaussian();
            check("add", a -> a[0].addi(a[1]), x, y);
            check("sub", a -> a[0].sub(a[1]), x, y);
            check("mul", a -> a[0].muli(a[1]), x, y);
            check("div", a -> a[0].div(a[1]), x, y);
            check("rsub", a -> a[0].rsubi(a[1]), x, y);
            check("rdiv", a -> a[0].rdiv(a[1]), x, y);
            check("add row", a -> a[0].addiRowVector(a[1]), x, row);
            check("mul column", a -> a[0].muliColumnVector(a[1]), x, column);
            check("sub column", a -> a[0].subColumnVector(a[1]), x, column);
            check("div row", a -> a[0].divRowVector(a[1]), x, row);
            check("add number", a -> a[0].addi(number), x);
            check("mul number", a -> a[0].mul(number), x);
            check("rsub number", a -> a[0].rsub(number), x);
            check("rdiv number", a -> a[0].rdivi(number), x);
            check("div number", a -> a[0].divi(number), x);
            check("broadcast", a -> a[0].mul(a[1]), x, row);
        }
    }

    @Test
    void broadcastAlongDimensions() {
        INDArray x = Bf16Testing.random(random, 3, 4, 5, 6);
        INDArray channels = Bf16Testing.random(random, 4);
        INDArray planes = Bf16Testing.random(random, 3, 6);
        check("channels", a -> Nd4j.getExecutioner().exec(new BroadcastMulOp(a[0], a[1], a[0], 1)), x, channels);
        check(
                "two dimensions",
                a -> Nd4j.getExecutioner().exec(new BroadcastMulOp(a[0], a[1], a[0].ulike(), 0, 3)),
                x,
                planes);
        INDArray permuted = x.permute(1, 0, 2, 3);
        check("permuted", a -> Nd4j.getExecutioner().exec(new BroadcastMulOp(a[0], a[1], a[0], 0)), permuted, channels);
        for (int dimension = 0; dimension < 2; dimension++) {
            int along = dimension;
            check(
                    "scalar along " + along,
                    a -> {
                        var op = new ScalarAdd(a[0], a[1], a[0], 0.0);
                        op.setDimension(along);
                        return Nd4j.getExecutioner().exec(op);
                    },
                    Bf16Testing.random(random, 4, 7),
                    Bf16Testing.random(random, along == 0 ? 7 : 4));
        }
    }

    /** Over all values, twice, since the first time makes the table. */
    @Test
    void functions() {
        INDArray all = Bf16Testing.random(random, 300, 200).mul(8);
        for (int i = 0; i < 2; i++) {
            check("tanh", a -> Transforms.tanh(a[0], false), all);
            check("sigmoid", a -> Transforms.sigmoid(a[0], true), all);
            check("relu", a -> Transforms.relu(a[0], true), all);
            check("leaky 0.1", a -> Transforms.leakyRelu(a[0], 0.1, true), all);
            check("leaky 0.3", a -> Transforms.leakyRelu(a[0], 0.3, true), all);
            check("sign", a -> Transforms.sign(a[0], true), all);
            check("exp", a -> Transforms.exp(a[0], true), all);
            check("power 2.5", a -> Transforms.pow(Transforms.abs(a[0]), 2.5, false), all);
            check("power 0.5", a -> Transforms.pow(Transforms.abs(a[0]), 0.5, false), all);
            check("oneminus", a -> Transforms.timesOneMinus(a[0], true), all);
            check("view", a -> Transforms.tanh(a[0].getColumn(3), false), all.dup());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "relu_bp",
                "tanh_bp",
                "lrelu_bp",
                "hardtanh_bp",
                "hardsigmoid_bp",
                "sigmoid_bp",
                "softplus_bp",
                "cube_bp"
            })
    void slopes(String name) {
        INDArray x = Bf16Testing.random(random, 300, 200).mul(6);
        INDArray dy = Bf16Testing.random(random, 300, 200);
        for (int i = 0; i < 100; i++) { // saturated, and gradients that are not finite
            x.putScalar(i, random.nextGaussian() * 100);
            dy.putScalar(5 * i, Float.POSITIVE_INFINITY);
        }
        for (int i = 0; i < 2; i++) {
            check(
                    name,
                    a -> Nd4j.exec(DynamicCustomOp.builder(name)
                            .addInputs(a[0], a[1])
                            .addFloatingPointArguments(name.equals("lrelu_bp") ? new Double[] {0.2} : new Double[0])
                            .addOutputs(a[0].ulike())
                            .build())[0],
                    x,
                    dy);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "2,2,2,2,0,0,1,1,0,0",
        "3,2,1,2,1,0,1,1,0,0",
        "3,3,2,2,0,0,1,1,1,0",
        "2,3,3,1,1,1,2,2,0,0",
        "3,3,2,1,0,0,1,1,1,1",
        "2,2,1,1,0,0,1,1,0,1",
        "2,2,2,2,0,0,2,1,1,0",
        "1,1,2,2,0,0,1,1,1,0"
    })
    void pooling(int kH, int kW, int sH, int sW, int pH, int pW, int dH, int dW, int same, int channelsLast) {
        for (String op : new String[] {"maxpool2d", "avgpool2d"}) {
            for (int padding = 0; padding < 2; padding++) {
                INDArray x = Bf16Testing.random(random, 3, 7, 9, 8);
                int[] arguments = {kH, kW, sH, sW, pH, pW, dH, dW, same, padding, channelsLast};
                check(op, a -> pool(op, arguments, a), x);
                INDArray dy = pool(op, arguments, x).mul(0.7);
                check(op + "_bp", a -> pool(op + "_bp", arguments, a), x, dy);
                check(
                        op + "_bp, permuted",
                        a -> pool(op + "_bp", arguments, a),
                        x.permute(1, 0, 2, 3).dup().permute(1, 0, 2, 3),
                        dy);
            }
        }
    }

    private static INDArray pool(String name, int[] arguments, INDArray... inputs) {
        return Nd4j.exec(DynamicCustomOp.builder(name)
                .addInputs(inputs)
                .addIntegerArguments(arguments)
                .build())[0];
    }

    @ParameterizedTest
    @CsvSource({"5,5,1,1,0,0,1,1,false", "3,2,2,1,1,1,1,2,false", "3,3,1,1,1,1,1,1,true", "2,3,3,2,0,2,2,1,false"})
    void windowsAsColumns(int kH, int kW, int sH, int sW, int pH, int pW, int dH, int dW, boolean same) {
        INDArray x = Bf16Testing.random(random, 3, 4, 12, 11);
        long rows = same ? 12 : (12 + 2 * pH - (kH - 1) * dH - 1) / sH + 1;
        long columns = same ? 11 : (11 + 2 * pW - (kW - 1) * dW - 1) / sW + 1;
        for (INDArray image : new INDArray[] {x, x.permute(1, 0, 2, 3).dup().permute(1, 0, 2, 3)}) {
            check(
                    "im2col",
                    a -> Convolution.im2col(
                            a[0],
                            kH,
                            kW,
                            sH,
                            sW,
                            pH,
                            pW,
                            dH,
                            dW,
                            same,
                            Nd4j.create(a[0].dataType(), 3, rows, columns, 4, kH, kW)
                                    .permute(0, 3, 4, 5, 1, 2)),
                    image);
        }
        INDArray laidOut =
                Bf16Testing.random(random, 3, rows, columns, 4, kH, kW).permute(0, 3, 4, 5, 1, 2);
        check(
                "col2im",
                a -> Convolution.col2im(
                        a[0],
                        Nd4j.create(a[0].dataType(), 4, 3, 12, 11).permute(1, 0, 2, 3),
                        sH,
                        sW,
                        pH,
                        pW,
                        12,
                        11,
                        dH,
                        dW),
                laidOut);
    }

    @Test
    void concatenationAndTiling() {
        for (int trial = 0; trial < 20; trial++) {
            int rows = 1 + random.nextInt(40);
            int columns = 1 + random.nextInt(40);
            INDArray x = Bf16Testing.randomLayout(random, rows, columns);
            INDArray below = Bf16Testing.randomLayout(random, 1 + random.nextInt(5), columns);
            INDArray beside = Bf16Testing.randomLayout(random, rows, 1 + random.nextInt(5));
            check("rows", a -> Nd4j.concat(0, a), x, below, x);
            check("columns", a -> Nd4j.concat(-1, a), beside, x);
            check("tiles", a -> Nd4j.tile(a[0], 3, 2), x);
            check(
                    "view",
                    a -> tile(
                            a[0],
                            Nd4j.create(a[0].dataType(), 2 * columns, rows).transpose(),
                            1,
                            2),
                    x);
        }
        INDArray sequences = Bf16Testing.random(random, 7, 3, 5).permute(1, 2, 0); // time first in memory
        check("time first", a -> Nd4j.concat(1, a), sequences, sequences.mul(2));
        check("steps", a -> Nd4j.concat(2, a), sequences, sequences.dup());
        check("vectors", a -> Nd4j.concat(0, a), Bf16Testing.random(random, 3), Bf16Testing.random(random, 40));
        check("scalars", a -> Nd4j.concat(0, a[0].getScalar(0), a[0].getScalar(1)), Bf16Testing.random(random, 3));
        check("copies", a -> a[0].broadcast(4, 50, 3), Bf16Testing.random(random, 4, 1, 3));
    }

    private static INDArray tile(INDArray one, INDArray many, int... times) {
        return Nd4j.exec(DynamicCustomOp.builder("tile")
                .addInputs(one)
                .addIntegerArguments(times)
                .addOutputs(many)
                .build())[0];
    }

    @Test
    void nanPanicSeesTheResultAndNotTheTable() {
        Nd4j.getExecutioner()
                .setProfilingConfig(ProfilerConfig.builder().checkForNAN(true).build());
        INDArray x = Bf16Testing.random(random, 5, 5);
        assertEquals(DataType.BFLOAT16, Transforms.exp(x, true).dataType());
        x.putScalar(3, Float.NaN);
        assertThrows(ND4JOpProfilerException.class, () -> x.addi(1));
        assertThrows(ND4JOpProfilerException.class, () -> Transforms.tanh(x, false));
    }

    private static void check(String name, Function<INDArray[], INDArray> op, INDArray... arguments) {
        Bf16Testing.assertComputesInFloat(name, op, arguments);
    }
}

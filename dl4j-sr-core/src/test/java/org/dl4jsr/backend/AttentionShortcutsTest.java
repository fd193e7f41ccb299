package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;

/** ND4J's attention, and its gradient, on kernels are near those in FLOAT; what the kernels do not do has their bits. */
class AttentionShortcutsTest {

    private static final int BATCH = 3;
    private static final int QUERIES = 5;
    private static final int KEYS = 7;
    private static final int WIDTH = 6;

    private final Random random = new Random(3);

    /** What attention may meet, and whether the kernels run then. */
    enum Setting {
        PLAIN(true),
        ITSELF(true),
        TIME_BEFORE_WIDTH(true),
        ONE_QUERY(true),
        MASKED(true),
        ALL_VISIBLE(true),
        ONE_SEQUENCE_HIDDEN(false),
        OTHER_MASK(false),
        NOT_SCALED(false),
        WITH_WEIGHTS(false);

        private final boolean onKernels;

        Setting(boolean onKernels) {
            this.onKernels = onKernels;
        }

        INDArray mask() {
            INDArray mask = Nd4j.ones(DataType.BFLOAT16, BATCH, this == ITSELF ? QUERIES : KEYS);
            switch (this) {
                case MASKED -> mask.putScalar(0, 2, 0).putScalar(0, 3, 0).putScalar(2, 0, 0);
                case ONE_SEQUENCE_HIDDEN -> mask.getRow(1).assign(0);
                case OTHER_MASK -> mask.putScalar(0, 2, 0.5);
                case ALL_VISIBLE -> mask.putScalar(0, 0, 1);
                default -> {
                    return null;
                }
            }
            return mask;
        }
    }

    @ParameterizedTest
    @EnumSource
    void projected(Setting setting) {
        List<INDArray> operands = sequences(setting);
        for (int i = 0; i < 3; i++) {
            operands.add(Bf16Testing.random(random, 2, 4, WIDTH));
        }
        operands.add(Bf16Testing.random(random, 8, 10));
        check(setting, "multi_head_dot_product_attention", operands, 10);
    }

    @ParameterizedTest
    @EnumSource
    void notProjected(Setting setting) {
        check(setting, "dot_product_attention", sequences(setting), WIDTH);
    }

    private List<INDArray> sequences(Setting setting) {
        INDArray queries = sequence(setting, setting == Setting.ONE_QUERY ? 1 : QUERIES);
        boolean itself = setting == Setting.ITSELF;
        return new ArrayList<>(List.of(
                queries, itself ? queries : sequence(setting, KEYS), itself ? queries : sequence(setting, KEYS)));
    }

    private INDArray sequence(Setting setting, int time) {
        return setting == Setting.TIME_BEFORE_WIDTH
                ? Bf16Testing.random(random, BATCH, time, WIDTH).permute(0, 2, 1)
                : Bf16Testing.random(random, BATCH, WIDTH, time);
    }

    private void check(Setting setting, String op, List<INDArray> operands, int outputs) {
        long time = operands.get(0).size(2);
        INDArray mask = setting.mask();
        var forward = new ArrayList<>(operands);
        var backward = new ArrayList<>(operands);
        backward.add(Bf16Testing.random(random, BATCH, outputs, time));
        if (mask != null) {
            forward.add(mask);
            backward.add(mask);
        }
        int scaled = setting == Setting.NOT_SCALED ? 0 : 1;
        int withWeights = setting == Setting.WITH_WEIGHTS ? 1 : 0;
        compare(setting.onKernels, op, forward, scaled, withWeights);
        compare(setting.onKernels || withWeights == 1, op + "_bp", backward, scaled);
    }

    private static void compare(boolean onKernels, String op, List<INDArray> inputs, int... integers) {
        INDArray[] expected = run(
                op, inputs.stream().map(input -> input.castTo(DataType.FLOAT)).toArray(INDArray[]::new), integers);
        INDArray[] got = run(op, inputs.toArray(INDArray[]::new), integers);
        assertEquals(expected.length, got.length);
        for (int i = 0; i < got.length; i++) {
            assertEquals(DataType.BFLOAT16, got[i].dataType());
            if (onKernels) {
                double error = got[i].castTo(DataType.FLOAT).distance2(expected[i])
                        / expected[i].norm2Number().doubleValue();
                assertTrue(error < 0.015, op + ", result " + i + " is off by " + error);
            } else {
                assertArrayEquals(bits(expected[i]), bits(got[i]), op + ", result " + i);
            }
        }
        assertArrayEquals(
                Arrays.stream(got).map(AttentionShortcutsTest::bits).toArray(),
                Arrays.stream(run(op, inputs.toArray(INDArray[]::new), integers))
                        .map(AttentionShortcutsTest::bits)
                        .toArray(),
                "again");
    }

    private static INDArray[] run(String op, INDArray[] inputs, int... integers) {
        return Nd4j.exec(DynamicCustomOp.builder(op)
                .addInputs(inputs)
                .addIntegerArguments(integers)
                .build());
    }

    private static float[] bits(INDArray array) {
        return array.castTo(DataType.BFLOAT16)
                .castTo(DataType.FLOAT)
                .dup('c')
                .data()
                .asFloat();
    }
}

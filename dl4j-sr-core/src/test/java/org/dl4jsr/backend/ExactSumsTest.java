package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.Set;
import java.util.TreeMap;
import org.dl4jsr.op.Device;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.impl.transforms.pairwise.arithmetic.Axpy;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class ExactSumsTest {

    private static final Device DEVICE = Bf16Executioner.requiredBy("The test");
    private static final int TIMES = 1000;
    /** Less than half an ulp of 1. */
    private static final double SMALL = 1.0 / 1024;

    private static INDArray gradient(char order) {
        INDArray all = Nd4j.ones(DataType.BFLOAT16, 32);
        return all.get(NDArrayIndex.interval(4, 16)).reshape(order, 3, 4);
    }

    private static INDArray filled(double value, long... shape) {
        return Nd4j.valueArrayOf(shape, value, DataType.BFLOAT16);
    }

    @ParameterizedTest
    @ValueSource(chars = {'c', 'f'})
    void productsAddUp(char order) {
        INDArray gradient = gradient(order);
        INDArray x = Nd4j.create(new double[] {0, 1, 2}, new long[] {3, 1}, DataType.BFLOAT16);
        INDArray y = filled(SMALL, 1, 4);
        for (int i = 0; i < TIMES; i++) {
            Nd4j.gemm(x, y, gradient, false, false, 1, 1);
        }
        for (int row = 0; row < 3; row++) {
            double exact = 1 + TIMES * SMALL * row;
            assertEquals(exact, gradient.getDouble(row, 3), exact / 256);
        }
    }

    @Test
    void whatIsBehindAPartOfAVector() {
        INDArray gradient = Nd4j.ones(DataType.BFLOAT16, 32);
        INDArray regularized = gradient.get(NDArrayIndex.interval(6, 10));
        for (int i = 0; i < TIMES; i++) {
            Nd4j.exec(new Axpy(filled(SMALL, 4), regularized, regularized, 0.5));
        }
        var sums = new TreeMap<Long, INDArray>();
        ExactSums.behind(gradient.get(NDArrayIndex.interval(8, 20)), (sum, from) -> sums.put(from, sum));
        assertEquals(Set.of(0L), sums.keySet());
        assertEquals(2, sums.get(0L).length());
        assertEquals(1 + TIMES * SMALL / 2, sums.get(0L).getDouble(1), 1e-5);
        assertEquals(1 + TIMES * SMALL / 2, regularized.getDouble(3), 1.0 / 256);
        ExactSums.behind(gradient.get(NDArrayIndex.interval(10, 20)), (sum, from) -> fail());
    }

    @Test
    void additionsToParts() {
        INDArray gradient = gradient('c').reshape(1, 12);
        INDArray start = gradient.get(NDArrayIndex.all(), NDArrayIndex.interval(0, 6));
        for (int i = 0; i < TIMES; i++) {
            gradient.addi(filled(SMALL, 12));
            start.addi(filled(SMALL, 1, 6));
        }
        assertEquals(1 + 2 * TIMES * SMALL, gradient.getDouble(0, 5), 1.0 / 64);
        assertEquals(1 + TIMES * SMALL, gradient.getDouble(0, 6), 1.0 / 128);
        INDArray exact = ExactSums.of(DEVICE, gradient);
        assertEquals(1 + TIMES * SMALL, exact.getDouble(6), 1e-5);
    }

    /** As DL4J's LSTM has its cell state, which it adds to, in Fortran's order. */
    @ParameterizedTest
    @ValueSource(chars = {'c', 'f'})
    void carriedOnByCopies(char order) {
        INDArray sum = gradient(order);
        sum.addi(filled(SMALL, 3, 4));
        INDArray copy = sum.dup(order);
        sum.assign(0);
        assertEquals(1, copy.getDouble(2, 3));
        ExactSums.with(DEVICE, copy, exact -> assertEquals(1 + SMALL, exact.getDouble(2, 3)));
    }

    /** Which is none: so DL4J gives a network its own parameters after a step. */
    @Test
    void keptByACopyOntoItself() {
        INDArray sum = gradient('c');
        sum.addi(filled(SMALL, 3, 4));
        sum.assign(sum.reshape(12).reshape(3, 4));
        ExactSums.with(DEVICE, sum, exact -> assertEquals(1 + SMALL, exact.getDouble(2, 3)));
    }

    @Test
    void inPlaceIsTheSameMemoryNotAnEqualArray() {
        INDArray y = gradient('c');
        INDArray x = filled(SMALL, 3, 4);
        assertTrue(ExactSums.applies(DEVICE, x, y, y));
        assertFalse(ExactSums.applies(DEVICE, x, gradient('c'), y));
    }

    @Test
    void forgottenByTheNextOp() {
        INDArray gradient = gradient('c');
        gradient.addi(filled(SMALL, 3, 4));
        gradient.assign(2);
        assertNull(ExactSums.of(DEVICE, gradient));
        gradient.addi(filled(1, 3, 4));
        assertEquals(3, gradient.getDouble(2, 3));
    }

    /** Its memory is cleared by no op. */
    @Test
    void notInWorkspaces() {
        var configuration =
                WorkspaceConfiguration.builder().initialSize(1 << 16).build();
        try (MemoryWorkspace workspace =
                Nd4j.getWorkspaceManager().getAndActivateWorkspace(configuration, "ExactSumsTest")) {
            INDArray activations = gradient('c');
            assertTrue(workspace.isScopeActive());
            activations.addi(filled(1, 3, 4));
            assertNull(ExactSums.of(DEVICE, activations));
        }
    }
}

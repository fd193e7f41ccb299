package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.dl4jsr.op.Device;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

class PendingStepsTest {

    private static final Device DEVICE = Bf16Executioner.requiredBy("The test");

    private final INDArray gradient = Nd4j.zeros(DataType.FLOAT, 1, 12);
    private final INDArray parameters = Nd4j.zeros(DataType.FLOAT, 1, 12);
    private final Recorder step = new Recorder();

    /** Refuses any foreign use and notes the writes. */
    private static final class Recorder implements PendingStep {

        private final List<INDArray> written = new ArrayList<>();

        @Override
        public void take(Device device, INDArray parameters, INDArray gradient) {
            assertNull(PendingSteps.get(gradient), "no longer pending while it is written");
            assertSame(DEVICE, device);
            written.add(parameters);
        }

        @Override
        public void foreignUse(String op, INDArray array) {
            throw new IllegalStateException("used by " + op);
        }
    }

    @AfterEach
    void nothingStaysPending() {
        PendingSteps.remove(gradient);
        assertTrue(PendingSteps.isEmpty());
    }

    private static INDArray view(INDArray array, int start, int end) {
        return array.reshape(array.length()).get(NDArrayIndex.interval(start, end));
    }

    @Test
    void allViewsOfABufferAreOneKey() {
        INDArray copy = gradient.dup();
        PendingSteps.put(view(gradient, 3, 7), step);
        assertSame(step, PendingSteps.get(gradient));
        assertSame(step, PendingSteps.get(view(view(gradient, 2, 12), 5, 8).reshape(3, 1)));
        assertNull(PendingSteps.get(parameters));
        assertNull(PendingSteps.get(copy));
    }

    @Test
    void anInPlaceSubtractIsCarriedOutOnce() {
        PendingSteps.put(gradient, step);
        assertTrue(subtract(parameters, gradient, parameters));
        assertEquals(List.of(parameters), step.written);
        assertTrue(PendingSteps.isEmpty());
        assertFalse(subtract(parameters, gradient, parameters));
    }

    @Test
    void otherUsesAreReportedAndGiveTheWriteUp() {
        INDArray other = Nd4j.zeros(DataType.FLOAT, 1, 12);
        List<Runnable> uses = List.of(
                () -> subtract(parameters, gradient, other),
                () -> subtract(gradient, parameters, gradient),
                () -> subtract(gradient, gradient, gradient),
                () -> PendingSteps.intercept(DEVICE, "add", List.of(parameters, gradient), List.of(parameters)),
                () -> PendingSteps.intercept(DEVICE, "assign", List.of(parameters), List.of(view(gradient, 4, 5))),
                () -> PendingSteps.intercept(
                        DEVICE, "norm2", Arrays.asList(gradient, null), Arrays.asList((INDArray) null)));
        for (Runnable use : uses) {
            PendingSteps.put(gradient, step);
            assertThrows(IllegalStateException.class, use::run);
            assertTrue(PendingSteps.isEmpty());
        }
        assertTrue(step.written.isEmpty());
    }

    @Test
    void opsOnOtherArraysPass() {
        PendingSteps.put(gradient, step);
        INDArray other = Nd4j.zeros(DataType.FLOAT, 1, 12);
        assertFalse(subtract(parameters, other, parameters));
        assertFalse(
                PendingSteps.intercept(DEVICE, "add", List.of(parameters, Nd4j.empty(DataType.FLOAT)), List.of(other)));
        assertSame(step, PendingSteps.get(gradient));
    }

    private static boolean subtract(INDArray x, INDArray y, INDArray z) {
        return PendingSteps.intercept(DEVICE, "subtract", List.of(x, y), List.of(z));
    }

    @Test
    void networksOnSeveralThreadsDoNotMeet() throws Exception {
        var failures = new ArrayList<Throwable>();
        var threads = new ArrayList<Thread>();
        for (int t = 0; t < 4; t++) {
            var thread = new Thread(() -> {
                INDArray own = Nd4j.zeros(DataType.FLOAT, 1, 12);
                INDArray weights = Nd4j.zeros(DataType.FLOAT, 1, 12);
                for (int i = 0; i < 200; i++) {
                    var recorder = new Recorder();
                    PendingSteps.put(own, recorder);
                    assertSame(recorder, PendingSteps.get(own));
                    assertTrue(subtract(weights, own, weights));
                    assertEquals(1, recorder.written.size());
                }
            });
            thread.setUncaughtExceptionHandler((failed, e) -> {
                synchronized (failures) {
                    failures.add(e);
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(List.of(), failures);
    }
}

package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.memory.enums.AllocationPolicy;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;
import org.nd4j.linalg.profiler.ProfilerConfig;

class Bf16CpuBackendTest {

    @Test
    void beingOnTheClassPathIsTheWholeInstallation() {
        assertTrue(Nd4j.getExecutioner() instanceof Bf16Executioner);
        assertEquals(Bf16CpuBackend.class, Nd4j.getBackend().getClass());
    }

    @Test
    void whatCannotWorkIsRefusedByName() {
        INDArray gradient = Nd4j.create(DataType.BFLOAT16, 100);
        var op = DynamicCustomOp.builder("encode_threshold")
                .addInputs(gradient)
                .addFloatingPointArguments(0.1)
                .build();
        var e = assertThrows(UnsupportedOperationException.class, () -> Nd4j.exec(op));
        assertTrue(
                e.getMessage().contains("encode_threshold")
                        && e.getMessage().contains("BFLOAT16")
                        && e.getMessage().contains("cast"),
                e.getMessage());
    }

    @ParameterizedTest
    @EnumSource(names = {"BFLOAT16", "FLOAT", "INT"})
    void viewsOfViewsAreViewsOfTheWhole(DataType type) {
        INDArray whole = Nd4j.arange(24).castTo(type);
        INDArray view = whole;
        for (int i = 1; i <= 5; i++) { // each begins two elements further on
            view = view.get(NDArrayIndex.interval(2, view.length())).reshape(view.length() - 2);
            assertSame(whole.data(), view.data().underlyingDataBuffer());
            assertEquals(2 * i, view.getInt(0));
        }
        INDArray square =
                view.get(NDArrayIndex.interval(2, 14)).reshape(3, 4).get(NDArrayIndex.all(), NDArrayIndex.point(1));
        square.addi(100);
        assertSame(whole.data(), square.data().underlyingDataBuffer());
        assertEquals(113 + 117 + 121, square.sumNumber().intValue());
        assertEquals(117, whole.getInt(17));
    }

    /** Copies for promotion are freed at once, not when the garbage collector comes by. */
    @Test
    void memoryDoesNotGrow() {
        var random = new Random(1);
        INDArray x = Bf16Testing.random(random, 512, 512);
        INDArray w = Bf16Testing.random(random, 512, 64);
        INDArray target = Nd4j.create(DataType.BFLOAT16, 512, 512);
        INDArray product = Nd4j.create(DataType.BFLOAT16, 512, 64);
        long before = 0;
        for (int i = 0; i < 500; i++) {
            Transforms.tanh(target.assign(x), false);
            target.muli(0.999).addi(x);
            x.mmuli(w, product);
            product.sumNumber();
            product.sum(0).close();
            Nd4j.exec(DynamicCustomOp.builder("softmax")
                    .addInputs(target)
                    .addOutputs(target)
                    .build());
            if (i == 50) {
                before = Pointer.physicalBytes();
            }
        }
        long grown = Pointer.physicalBytes() - before;
        assertTrue(grown < 400 << 20, "grown by " + grown + " bytes in 450 rounds that take 4 MB or more each");
    }

    @Test
    void resultsLieInTheWorkspaceInForce() {
        var configuration = WorkspaceConfiguration.builder()
                .initialSize(1 << 20)
                .policyAllocation(AllocationPolicy.STRICT)
                .build();
        INDArray x = Bf16Testing.random(new Random(2), 30, 40);
        for (int i = 0; i < 3; i++) {
            try (MemoryWorkspace workspace =
                    Nd4j.getWorkspaceManager().getAndActivateWorkspace(configuration, "BF16_TEST")) {
                assertTrue(x.sum(0).isAttached());
                assertTrue(x.mul(0.5).isAttached());
                assertTrue(Transforms.exp(x, true).isAttached());
                assertTrue(Nd4j.nn().softmax(x, 1).isAttached());
                assertTrue(x.mmul(x.transpose()).isAttached());
                assertTrue(x.argMax(1).isAttached());
            }
        }
    }

    @Test
    void nanPanicSeesBFloat16() {
        INDArray x = Bf16Testing.random(new Random(3), 20, 20);
        INDArray negative = Nd4j.ones(DataType.BFLOAT16, 4).negi();
        INDArray bad = x.dup().putScalar(3, 3, Float.NaN);
        Nd4j.getExecutioner()
                .setProfilingConfig(ProfilerConfig.builder()
                        .checkForNAN(true)
                        .checkForINF(true)
                        .checkWorkspaces(true)
                        .build());
        try {
            Activation.TANH.getActivationFunction().getActivation(x.dup(), true);
            x.mmul(x).sum(0);
            x.castTo(DataType.FLOAT).castTo(DataType.BFLOAT16);
            assertThrows(RuntimeException.class, () -> Transforms.log(negative, true));
            assertThrows(RuntimeException.class, () -> x.mmul(bad));
            assertThrows(RuntimeException.class, () -> bad.castTo(DataType.FLOAT));
            bad.dup(); // a copy makes no NaN, and what it copies may be halves of FP32 values
        } finally {
            Nd4j.getExecutioner().setProfilingConfig(ProfilerConfig.builder().build());
        }
    }

    @Test
    void otherTypesAreLeftAlone() {
        INDArray x = Nd4j.rand(DataType.DOUBLE, 10, 10);
        assertEquals(DataType.DOUBLE, x.mmul(x).dataType());
        assertEquals(0.999 * x.getDouble(5, 5), x.mul(0.999).getDouble(5, 5));
        assertEquals(
                DataType.FLOAT,
                Nd4j.rand(DataType.FLOAT, 3, 3)
                        .mmul(Nd4j.rand(DataType.FLOAT, 3, 3))
                        .dataType());
        assertEquals(DataType.INT32, Nd4j.createFromArray(1, 2, 3).add(1).dataType());
    }
}

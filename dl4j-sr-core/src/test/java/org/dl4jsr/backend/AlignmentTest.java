package org.dl4jsr.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.dl4jsr.kernel.Memory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.memory.conf.WorkspaceConfiguration;
import org.nd4j.linalg.api.memory.enums.AllocationPolicy;
import org.nd4j.linalg.api.memory.enums.LearningPolicy;
import org.nd4j.linalg.api.memory.enums.SpillPolicy;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.exception.ND4JIllegalStateException;
import org.nd4j.linalg.factory.Nd4j;

/** Where ND4J's memory lies under our backend, and that it is freed when ND4J frees it. */
class AlignmentTest {

    private static void assertAligned(INDArray array) {
        assertEquals(
                0,
                array.data().addressPointer().address() % Memory.ALIGNMENT,
                () -> array.dataType() + " " + array.shapeInfoToString());
    }

    @ParameterizedTest
    @EnumSource(
            value = DataType.class,
            mode = EnumSource.Mode.EXCLUDE,
            names = {"UTF8", "COMPRESSED", "UNKNOWN"})
    void detachedArrays(DataType type) {
        for (int length = 1; length < 40; length += 3) {
            assertAligned(Nd4j.create(type, length));
            assertAligned(Nd4j.createUninitialized(type, length, 3));
            assertAligned(Nd4j.zeros(type, length).dup());
        }
    }

    /** As libnd4j has it: segment_sum_bp and others write only a part of their results. */
    @Test
    void newArraysAreZero() {
        for (int length : new int[] {10, 1000, 100_000}) {
            Nd4j.valueArrayOf(new long[] {length}, 7, DataType.FLOAT).close();
            INDArray array = Nd4j.createUninitialized(DataType.FLOAT, length);
            assertEquals(0, array.norm1Number().doubleValue());
            array.close();
        }
    }

    @Test
    void resultsOfOps() {
        INDArray a = Nd4j.rand(DataType.BFLOAT16, 5, 7);
        assertAligned(a.mmul(a.transpose()));
        assertAligned(a.castTo(DataType.FLOAT));
        assertAligned(a.sum(1));
        assertAligned(Nd4j.concat(0, a, a));
        assertAligned(a.castTo(DataType.FLOAT).add(1));
        assertAligned(Nd4j.create(new float[] {1, 2, 3}).castTo(DataType.BFLOAT16));
    }

    @Test
    void arraysOfWorkspaces() {
        var configuration = WorkspaceConfiguration.builder()
                .initialSize(10_000)
                .policySpill(SpillPolicy.EXTERNAL)
                .policyLearning(LearningPolicy.NONE)
                .policyAllocation(AllocationPolicy.STRICT)
                .build();
        for (int cycle = 0; cycle < 4; cycle++) {
            try (MemoryWorkspace workspace =
                    Nd4j.getWorkspaceManager().getAndActivateWorkspace(configuration, "ALIGNMENT")) {
                for (int i = 1; i < 60; i++) { // the last of them are spilled
                    INDArray array = Nd4j.createUninitialized(DataType.BFLOAT16, 3 * i);
                    assertTrue(array.isAttached());
                    assertAligned(array);
                }
            }
        }
        Nd4j.getWorkspaceManager()
                .destroyWorkspace(Nd4j.getWorkspaceManager().getWorkspaceForCurrentThread("ALIGNMENT"));
    }

    /** Rounding sizes up must not overflow what was sized exactly. */
    @Test
    void aWorkspaceThatIsJustLargeEnough() {
        var configuration = WorkspaceConfiguration.builder()
                .initialSize(96)
                .policySpill(SpillPolicy.FAIL)
                .policyLearning(LearningPolicy.NONE)
                .policyAllocation(AllocationPolicy.STRICT)
                .build();
        try (MemoryWorkspace workspace = Nd4j.getWorkspaceManager().getAndActivateWorkspace(configuration, "EXACT")) {
            assertAligned(Nd4j.createUninitialized(DataType.FLOAT, 16));
            assertAligned(Nd4j.createUninitialized(DataType.FLOAT, 8));
            assertThrows(ND4JIllegalStateException.class, () -> Nd4j.createUninitialized(DataType.FLOAT, 8));
        }
        Nd4j.getWorkspaceManager().destroyWorkspace(Nd4j.getWorkspaceManager().getWorkspaceForCurrentThread("EXACT"));
    }

    @Test
    void growingKeepsTheContent() {
        INDArray array = Nd4j.create(new double[] {1, 2, 3}).castTo(DataType.BFLOAT16);
        array.data().reallocate(1000);
        assertEquals(3, array.data().getFloat(2));
        assertEquals(0, array.data().addressPointer().address() % Memory.ALIGNMENT);
    }

    @Test
    void aViewOutlivesItsParent() {
        List<INDArray> views = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            views.add(Nd4j.valueArrayOf(new long[] {1000}, i, DataType.BFLOAT16)
                    .get(org.nd4j.linalg.indexing.NDArrayIndex.interval(10, 20)));
        }
        for (int i = 0; i < 3; i++) {
            System.gc();
            Nd4j.rand(DataType.BFLOAT16, 1000);
        }
        for (int i = 0; i < 200; i++) {
            assertEquals(i, views.get(i).getFloat(5), 0.6);
        }
    }

    @Test
    void closedArraysAreFreed() {
        long before = residentBytes();
        for (int i = 0; i < 3000; i++) {
            INDArray array = Nd4j.zeros(DataType.FLOAT, 1 << 18);
            array.close();
        }
        assertTrue(residentBytes() - before < 200 << 20, () -> residentBytes() + " bytes, before " + before);
    }

    private static long residentBytes() {
        return org.bytedeco.javacpp.Pointer.physicalBytes();
    }
}

package org.dl4jsr.parallel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Field;
import java.lang.reflect.Proxy;
import org.deeplearning4j.nn.api.Model;
import org.dl4jsr.backend.Bf16Executioner;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner;
import org.nd4j.linalg.api.ops.executioner.OpExecutioner.ExecutionerType;
import org.nd4j.linalg.factory.Nd4j;

class CollectiveTest {

    /** A training loop of one pass a step has a collective on a GPU, too, to agree on numbers. */
    @Test
    void onAGpuNumbersAreGatheredAndTrainingTogetherIsRefused() throws Exception {
        Model network = Tasks.mlp().network().get();
        Field executioner = Nd4j.class.getDeclaredField("OP_EXECUTIONER_INSTANCE");
        executioner.setAccessible(true);
        Object cpu = executioner.get(null);
        executioner.set(null, onGpu(cpu));
        try (var collective = new Collective(LocalTransport.alone(), 0)) {
            assertArrayEquals(new long[][] {{3, 4}}, collective.gather(3, 4));
            String message = assertThrows(
                            IllegalStateException.class, () -> new DataParallel(network, collective, Mode.REPLICATED))
                    .getMessage();
            assertTrue(message.startsWith("Data-parallel training on a GPU is not supported"), message);
        } finally {
            executioner.set(null, cpu);
        }
    }

    /** {@code cpu}, which says that it is a GPU's. */
    private static Object onGpu(Object cpu) {
        return Proxy.newProxyInstance(
                CollectiveTest.class.getClassLoader(),
                new Class<?>[] {OpExecutioner.class, Bf16Executioner.class},
                (self, method, arguments) ->
                        method.getName().equals("type") ? ExecutionerType.CUDA : method.invoke(cpu, arguments));
    }
}

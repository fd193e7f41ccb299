package org.dl4jsr.nn;

import static org.dl4jsr.nn.TestNetworks.network;
import static org.dl4jsr.nn.TestNetworks.tiny;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.updater.SrAdam;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/** One thread asks a GPT for outputs while another trains it. */
class GptThreadsTest {

    private static final int STEPS = 60;

    /** The learning rate is 0, so that every output has to be the first one; the losses are those without company. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void outputsAndLossesStayRight(boolean tied) throws Exception {
        var configuration = tiny().tiedHead(tied)
                .dataType(DataType.BFLOAT16)
                .updater(new SrAdam(0))
                .build();
        ComputationGraph alone = network(configuration);
        ComputationGraph shared = network(configuration);
        INDArray prompt = tokens(configuration, 2, 1);
        INDArray expected = shared.outputSingle(prompt);
        var done = new AtomicBoolean();
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try {
            Future<Integer> outputs = executor.submit(() -> {
                int count = 0;
                for (; !done.get(); count++) {
                    assertEquals(expected, shared.outputSingle(prompt));
                }
                return count;
            });
            var losses = new double[STEPS];
            try {
                for (int i = 0; i < STEPS; i++) {
                    shared.fit(batch(configuration, i));
                    losses[i] = shared.score();
                }
            } finally {
                done.set(true);
            }
            assertTrue(outputs.get() > 0);
            var expectedLosses = new double[STEPS];
            for (int i = 0; i < STEPS; i++) {
                alone.fit(batch(configuration, i));
                expectedLosses[i] = alone.score();
            }
            assertArrayEquals(expectedLosses, losses);
        } finally {
            executor.shutdownNow();
        }
    }

    private static MultiDataSet batch(GptConfiguration configuration, int i) {
        INDArray mask = Nd4j.ones(DataType.FLOAT, 3, 5);
        mask.putScalar(1, 4, 0);
        return new MultiDataSet(
                new INDArray[] {tokens(configuration, 3, 2 * i)},
                new INDArray[] {tokens(configuration, 3, 2 * i + 1)},
                null,
                new INDArray[] {mask});
    }

    /** Random token ids [batch, 5]. */
    private static INDArray tokens(GptConfiguration configuration, int batch, int seed) {
        var random = new Random(seed);
        INDArray ids = Nd4j.zeros(DataType.INT32, batch, 5);
        for (int i = 0; i < ids.length(); i++) {
            ids.putScalar(i, random.nextInt(configuration.vocabulary()));
        }
        return ids;
    }
}

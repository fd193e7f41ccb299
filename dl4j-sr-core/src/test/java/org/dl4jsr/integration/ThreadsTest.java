package org.dl4jsr.integration;

import static org.dl4jsr.updater.TestNetworks.bits;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.updater.SrAdam;
import org.dl4jsr.updater.StochasticallyRounded;
import org.dl4jsr.updater.TestNetworks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.learning.config.Nesterovs;

/** Several networks that train at once, each in a thread of its own, do what each does alone. */
@Timeout(120)
class ThreadsTest {

    private static final int ITERATIONS = 20;

    private final List<Callable<float[]>> trainings = List.of(
            () -> trained(SmallNetworks.convolutional(new SrAdam(5e-3)), SmallNetworks.IMAGES),
            () -> trained(SmallNetworks.recurrent(new SrAdam(5e-3)), SmallNetworks.SEQUENCES),
            () -> trained(TestNetworks.mlp(new SrAdam(5e-3), DataType.BFLOAT16), TestNetworks.DATA),
            () -> trained(
                    TestNetworks.mlp(new StochasticallyRounded(new Nesterovs(0.05, 0.9)), DataType.BFLOAT16),
                    TestNetworks.DATA));

    private static float[] trained(MultiLayerNetwork network, DataSet data) {
        for (int i = 0; i < ITERATIONS; i++) {
            network.fit(data);
        }
        return bits(network.params());
    }

    @Test
    void theSameBitsAsAlone() throws Exception {
        var alone = new ArrayList<float[]>();
        for (Callable<float[]> training : trainings) {
            alone.add(training.call());
        }
        var pool = Executors.newFixedThreadPool(trainings.size());
        try {
            List<Future<float[]>> together = pool.invokeAll(trainings);
            for (int i = 0; i < alone.size(); i++) {
                assertArrayEquals(alone.get(i), together.get(i).get(), "network " + i);
            }
        } finally {
            pool.shutdown();
        }
    }
}

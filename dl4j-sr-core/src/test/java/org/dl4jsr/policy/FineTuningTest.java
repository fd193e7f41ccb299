package org.dl4jsr.policy;

import static org.dl4jsr.updater.TestNetworks.DATA;
import static org.dl4jsr.updater.TestNetworks.bits;
import static org.dl4jsr.updater.TestNetworks.fit;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.stream.Stream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.FineTuneConfiguration;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.dl4jsr.updater.TestNetworks;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Sgd;
import org.slf4j.LoggerFactory;

/** Every way in which a BF16 network comes by an updater of DL4J's: its small updates arrive, and a warning says so. */
@Tag("slow")
class FineTuningTest {

    private static final int STEPS = 300;
    private static final String SOURCE = "org.dl4jsr.backend.ForeignUpdates";

    static Stream<IUpdater> updaters() {
        return Stream.of(new Adam(1e-4), new Sgd(1e-2));
    }

    private static FineTuneConfiguration fineTuning(IUpdater updater) {
        return new FineTuneConfiguration.Builder().updater(updater).build();
    }

    private static MultiLayerNetwork trained() {
        var network = TestNetworks.mlp(new Adam(5e-3), DataType.FLOAT);
        fit(network, 20);
        return network;
    }

    private static MultiLayerNetwork tuned(MultiLayerNetwork network, IUpdater updater) {
        return new TransferLearning.Builder(network)
                .fineTuneConfiguration(fineTuning(updater.clone()))
                .build();
    }

    @ParameterizedTest
    @MethodSource("updaters")
    void networksMoveAsInFloat(IUpdater updater) {
        MultiLayerNetwork wide = tuned(trained(), updater);
        MultiLayerNetwork narrow = tuned(Bf16Policy.SR.convert(trained()), updater);
        assertEquals(DataType.BFLOAT16, narrow.params().dataType());
        assertMovesAs(wide, narrow, updater);
    }

    @ParameterizedTest
    @MethodSource("updaters")
    void graphsMoveAsInFloat(IUpdater updater) {
        ComputationGraph wide = Bf16Policy.toComputationGraph(tuned(trained(), updater));
        ComputationGraph narrow = new TransferLearning.GraphBuilder(
                        Bf16Policy.toComputationGraph(Bf16Policy.SR.convert(trained())))
                .fineTuneConfiguration(fineTuning(updater.clone()))
                .build()
                .convertDataType(DataType.BFLOAT16);
        assertEquals(DataType.BFLOAT16, narrow.params().dataType());
        assertMovesAs(wide, narrow, updater);
    }

    private static void assertMovesAs(Model wide, Model narrow, IUpdater updater) {
        double before = score(wide);
        float[] start = bits(narrow.params());
        fit(wide, STEPS);
        assertEquals(1, warnings(() -> fit(narrow, STEPS)), "one warning a network");
        double fall = before - score(wide);
        assertTrue(fall > 0.01, () -> updater + " in FLOAT: " + fall);
        assertEquals(score(wide), score(narrow), 0.25 * fall);
        float[] end = bits(narrow.params());
        int moved = 0;
        for (int i = 0; i < end.length; i++) {
            moved += end[i] == start[i] ? 0 : 1;
        }
        assertTrue(moved > 0.6 * end.length, moved + " of " + end.length + " moved");
    }

    private static double score(Model model) {
        return model instanceof MultiLayerNetwork network
                ? network.score(DATA)
                : ((ComputationGraph) model).score(DATA);
    }

    private static int warnings(Runnable work) {
        var logger = (Logger) LoggerFactory.getLogger(SOURCE);
        var appender = new ListAppender<ILoggingEvent>();
        appender.start();
        logger.addAppender(appender);
        try {
            work.run();
        } finally {
            logger.detachAppender(appender);
        }
        return appender.list.size();
    }

    /** The same bits in every run, whatever trained before. */
    @Test
    void runsAreRepeatable() {
        MultiLayerNetwork first = tuned(Bf16Policy.SR.convert(trained()), new Adam(1e-4));
        MultiLayerNetwork second = tuned(Bf16Policy.SR.convert(trained()), new Adam(1e-4));
        fit(first, 10);
        fit(second, 10);
        assertArrayEquals(bits(first.params()), bits(second.params()));
    }

    /** Nobody warns of a network of a policy, nor rounds the chosen baseline stochastically. */
    @Test
    void policiesHaveUpdatersOfTheirOwn() {
        for (Bf16Policy policy : Bf16Policy.values()) {
            var network =
                    TestNetworks.network(policy.apply(TestNetworks.mlpConfiguration(new Sgd(1e-5), DataType.FLOAT)));
            float[] start = bits(network.getParam("1_W"));
            assertEquals(0, warnings(() -> fit(network, 20)), policy.toString());
            if (policy == Bf16Policy.NEAREST) {
                assertArrayEquals(start, bits(network.getParam("1_W")), "so little never arrives");
            }
        }
    }
}

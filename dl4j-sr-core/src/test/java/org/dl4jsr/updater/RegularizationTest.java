package org.dl4jsr.updater;

import static org.dl4jsr.updater.TestNetworks.INPUTS;
import static org.dl4jsr.updater.TestNetworks.dense;
import static org.dl4jsr.updater.TestNetworks.output;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.rounding.WeightWrite;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.learning.config.IUpdater;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.config.Sgd;
import org.nd4j.linalg.learning.regularization.L1Regularization;
import org.nd4j.linalg.learning.regularization.L2Regularization;
import org.nd4j.linalg.learning.regularization.WeightDecay;

/** What DL4J adds to a gradient or an update, far below half an ulp of it, arrives as in FLOAT. */
@Tag("slow")
class RegularizationTest {

    private static final int STEPS = 400;
    private static final double COEFFICIENT = 1.5e-3;

    static Stream<IUpdater> updaters() {
        return Stream.of(
                new Sgd(0.1),
                new Nesterovs(0.01, 0.9),
                new SrAdam(1e-2),
                SrAdam.builder()
                        .learningRate(1e-2)
                        .weightWrite(WeightWrite.MASTER)
                        .build(),
                SrAdam.builder()
                        .learningRate(1e-2)
                        .weightWrite(WeightWrite.KAHAN)
                        .build());
    }

    /** A gradient of plus and minus one half in turn, which averages to nothing, and to which the terms are small. */
    @ParameterizedTest
    @MethodSource("updaters")
    void asInFloat(IUpdater updater) {
        boolean fused = updater instanceof SrAdam;
        double[] wide = meanWeights(fused ? new SrAdam(1e-2) : updater, DataType.FLOAT);
        double[] bf16 = meanWeights(fused ? updater : new StochasticallyRounded(updater), DataType.BFLOAT16);
        for (int i = 0; i < wide.length; i++) {
            double moved = Math.abs(1 - wide[i]);
            assertEquals(wide[i], bf16[i], 0.05 * moved + 3e-3, "layer " + i);
            assertTrue(i == 2 && fused || moved > 0.01, () -> "FLOAT moves by " + moved);
        }
    }

    /** Of a layer with l2, one with l1 and, since SrAdam has its own, with other updaters one with weight decay. */
    private static double[] meanWeights(IUpdater updater, DataType type) {
        var l2 = dense(INPUTS, 32);
        l2.setRegularization(List.of(new L2Regularization(COEFFICIENT)));
        var l1 = dense(32, 32);
        l1.setRegularization(List.of(new L1Regularization(COEFFICIENT)));
        var decay = dense(32, 32);
        if (!(updater instanceof SrAdam)) {
            decay.setRegularization(List.of(new WeightDecay(COEFFICIENT, true)));
        }
        MultiLayerNetwork network = TestNetworks.network(
                TestNetworks.builder(updater.clone())
                        .list()
                        .layer(l2)
                        .layer(l1)
                        .layer(decay)
                        .layer(output(32))
                        .build(),
                type);
        ExternalGradients.prepare(network);
        network.params().assign(1);
        INDArray gradient = network.params().dup();
        for (int i = 0; i < STEPS; i++) {
            ExternalGradients.step(network, gradient.assign(i % 2 == 0 ? 0.5 : -0.5), i);
        }
        return Stream.of("0_W", "1_W", "2_W")
                .mapToDouble(name -> network.getParam(name)
                        .castTo(DataType.FLOAT)
                        .meanNumber()
                        .doubleValue())
                .toArray();
    }
}

package org.dl4jsr.examples.run;

import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.updater.SrAdam;

/** Builds the network of a run. */
public final class GptNetwork {

    private GptNetwork() {}

    /** A network with fresh weights. */
    public static ComputationGraph create(RunConfig config) {
        ComputationGraph network = new ComputationGraph(configuration(config));
        network.init();
        return network;
    }

    /** The network of a checkpoint, which must be of this run's shape. */
    public static ComputationGraph restore(RunConfig config, Checkpoints checkpoints, long step) {
        config.bf16Policy().activate();
        ComputationGraph network = checkpoints.network(step);
        if (network.numParams() != config.model().parameters()) {
            throw new BadInput(checkpoints.zip(step) + " has " + network.numParams() + " parameters, and config.json"
                    + " beside it describes a model of " + config.model().parameters() + ": they are not of one run");
        }
        return network;
    }

    /** The network's configuration under the run's policy; allocates nothing. */
    static ComputationGraphConfiguration configuration(RunConfig config) {
        SrAdam matrices = SrAdam.builder()
                .learningRateSchedule(config.schedule())
                .beta1(RunConfig.BETA1)
                .beta2(RunConfig.BETA2)
                .epsilon(RunConfig.EPSILON)
                .weightDecay(RunConfig.WEIGHT_DECAY)
                .maxGradientNorm(RunConfig.CLIP)
                .seed(config.seed())
                .build();
        ComputationGraphConfiguration configuration = config.model()
                .toGpt()
                .updater(matrices)
                .biasUpdater(matrices.toBuilder().weightDecay(0).build())
                .seed(config.seed())
                .build()
                .toGraph();
        config.bf16Policy().apply(configuration);
        return configuration;
    }
}

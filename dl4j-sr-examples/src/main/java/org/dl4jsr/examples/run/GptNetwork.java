package org.dl4jsr.examples.run;

import java.io.IOException;
import java.nio.file.Path;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.policy.SafeRestore;
import org.dl4jsr.updater.SrAdam;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Builds the network of a run. */
public final class GptNetwork {

    private static final int CHUNK = 1 << 20;

    private GptNetwork() {}

    /** A network with random weights. */
    public static ComputationGraph create(RunConfig config) {
        Environment.requireRuntime();
        ComputationGraph network = new ComputationGraph(configuration(config));
        network.init();
        return network;
    }

    /**
     * The network that a run goes on with.
     *
     * @param newest its newest checkpoint; null for none
     * @param withState whether it has its updater's state; else ranks read theirs
     */
    static ComputationGraph of(RunConfig config, Checkpoint newest, Checkpoints checkpoints, boolean withState) {
        if (newest == null) {
            ComputationGraph network = create(config);
            config.weights().copyTo(network);
            return network;
        }
        ComputationGraph network = restore(newest, checkpoints.zip(newest.step()), withState);
        return newest.config().equals(config) ? network : rescheduled(network, config);
    }

    /** The network of a checkpoint, in {@code zip}, with its updater's state. */
    public static ComputationGraph restore(Checkpoint checkpoint, Path zip) {
        return restore(checkpoint, zip, true);
    }

    private static ComputationGraph restore(Checkpoint checkpoint, Path zip, boolean withState) {
        Environment.requireRuntime();
        checkpoint.config().bf16Policy().activate();
        ComputationGraph network;
        try {
            network = SafeRestore.computationGraph(zip, withState);
        } catch (IOException e) {
            throw new BadInput(e.getMessage(), e);
        }
        String found = asBuilt(network.getConfiguration());
        String expected = asBuilt(configuration(checkpoint.config()));
        if (!found.equals(expected) || network.getIterationCount() != checkpoint.step()) {
            throw new BadInput(zip + " holds another network than the JSON file beside it describes: they are not of"
                    + " one run");
        }
        if (!isFinite(network.params())) {
            throw new BadInput(zip + " has weights that are not finite: it is of no use");
        }
        return network;
    }

    /**
     * The same network under another schedule of learning rates: that of {@code config}.
     *
     * @param network not to be used any more
     */
    static ComputationGraph rescheduled(ComputationGraph network, RunConfig config) {
        ComputationGraphConfiguration configuration = configuration(config);
        configuration.setIterationCount(network.getIterationCount());
        configuration.setEpochCount(network.getEpochCount());
        ComputationGraph rescheduled = new ComputationGraph(configuration);
        rescheduled.init(network.params(), false);
        if (network.getUpdater(false) != null) {
            rescheduled
                    .getUpdater()
                    .getStateViewArray()
                    .assign(network.getUpdater().getStateViewArray());
        }
        return rescheduled;
    }

    /** The network's configuration under the run's policy; allocates nothing. */
    static ComputationGraphConfiguration configuration(RunConfig config) {
        SrAdam matrices = SrAdam.builder()
                .learningRateSchedule(config.schedule())
                .beta1(RunConfig.BETA1)
                .beta2(config.beta2())
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
        return config.bf16Policy().apply(configuration);
    }

    /** The graph's JSON but for what DL4J fills in when a graph is initialized and trained. */
    static String asBuilt(ComputationGraphConfiguration configuration) {
        return configuration
                .toJson()
                .replaceAll("\"(iterationCount|epochCount)\" : \\d+", "")
                .replaceAll("\"(variables|topologicalOrder|topologicalOrderStr)\" : (null|\\[[^\\]]*\\])", "");
    }

    private static boolean isFinite(INDArray parameters) {
        INDArray flat = parameters.reshape(parameters.length());
        for (long start = 0; start < flat.length(); start += CHUNK) {
            INDArray part = flat.get(NDArrayIndex.interval(start, Math.min(start + CHUNK, flat.length())));
            // x - x is NaN for NaN and infinities, and zero for all others
            try (INDArray difference = part.sub(part)) {
                if (difference.sumNumber().doubleValue() != 0) {
                    return false;
                }
            }
        }
        return true;
    }
}

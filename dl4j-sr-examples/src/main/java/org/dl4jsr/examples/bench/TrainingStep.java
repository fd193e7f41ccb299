package org.dl4jsr.examples.bench;

import java.util.Random;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.dl4jsr.examples.data.TokenBatches;
import org.dl4jsr.examples.data.TokenBuffer;
import org.dl4jsr.examples.run.GptNetwork;
import org.dl4jsr.examples.run.RunConfig;
import org.dl4jsr.parallel.DataParallel;
import org.dl4jsr.policy.Bf16Runtime;

/** A training step of a fresh network on random tokens, to be repeated. A GPU is waited for at its end alone. */
final class TrainingStep implements Runnable {

    private final ComputationGraph network;
    private final DataParallel accumulation;
    private final TokenBatches batches;
    private final int passes;

    /** The least of all steps: from the gradient, for which a GPU is waited, to the new parameters. */
    private static final class OptimizerTime extends BaseTrainingListener {

        private long start;
        private long fastest = Long.MAX_VALUE;

        @Override
        public void onGradientCalculation(Model model) {
            Bf16Runtime.await();
            start = System.nanoTime();
        }

        @Override
        public void iterationDone(Model model, int iteration, int epoch) {
            Bf16Runtime.await();
            fastest = Math.min(fastest, System.nanoTime() - start);
        }
    }

    TrainingStep(RunConfig config) {
        network = GptNetwork.create(config);
        passes = config.budget().accumulate();
        accumulation = passes > 1 ? new DataParallel(network) : null;
        TokenBuffer tokens = new TokenBuffer();
        Random random = new Random(1);
        for (int i = 0; i < 64 * config.model().context(); i++) {
            tokens.add(random.nextInt(config.model().vocabulary()));
        }
        batches =
                new TokenBatches(tokens, config.budget().batch(), config.model().context());
    }

    @Override
    public void run() {
        if (accumulation == null) {
            network.fit(batches.random(1, 0, 0));
        } else {
            accumulation.step(
                    0, passes, (step, pass) -> batches.random(1, step, pass).toMultiDataSet());
        }
        Bf16Runtime.await();
    }

    /** Repeats the step for {@code seconds} and at least twice; returns the mean of its milliseconds. */
    double msEach(double seconds) {
        long start = System.nanoTime();
        int count = 0;
        while (count < 2 || System.nanoTime() - start < seconds * 1e9) {
            run();
            count++;
        }
        return (System.nanoTime() - start) / 1e6 / count;
    }

    /** The same, but returns the least milliseconds in the optimizer: on a GPU such steps take longer than others. */
    double msOptimizer(double seconds) {
        OptimizerTime time = new OptimizerTime();
        network.setListeners(time);
        msEach(seconds);
        network.setListeners();
        return time.fastest / 1e6;
    }
}

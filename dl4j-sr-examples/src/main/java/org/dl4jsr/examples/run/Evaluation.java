package org.dl4jsr.examples.run;

import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.data.Corpus;
import org.dl4jsr.examples.data.TokenBatches;
import org.dl4jsr.parallel.Collective;
import org.nd4j.linalg.dataset.DataSet;

/** The loss on a fixed part of the validation text: up to 65,536 tokens in windows spread evenly over it. */
final class Evaluation {

    private static final int TOKENS = 1 << 16;

    private final TokenBatches batches;
    private final int rows;
    private final int windows;
    private final Collective collective;

    /** @param collective ranks that share the work */
    Evaluation(Corpus corpus, RunConfig config, Collective collective) {
        this.collective = collective;
        rows = config.budget().batch();
        batches = new TokenBatches(corpus.validation(), rows, config.model().context());
        windows =
                Math.min(batches.windows(), Math.max(1, TOKENS / config.model().context()));
    }

    /** Mean loss in nats a token, the same bits on any number of ranks. */
    double loss(ComputationGraph network) {
        int count = (windows + rows - 1) / rows;
        int ranks = collective.ranks();
        long[] own = new long[(count + ranks - 1) / ranks];
        for (int i = 0; i < own.length && i * ranks + collective.rank() < count; i++) {
            DataSet batch = batches.spread((i * ranks + collective.rank()) * rows, windows);
            own[i] = Double.doubleToRawLongBits(network.score(batch) * batch.numExamples());
        }
        long[][] all = collective.gather(own);
        double sum = 0;
        for (int number = 0; number < count; number++) {
            sum += Double.longBitsToDouble(all[number % ranks][number / ranks]);
        }
        return sum / windows;
    }
}

package org.dl4jsr.examples.run;

import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.data.Corpus;
import org.dl4jsr.examples.data.TokenBatches;
import org.nd4j.linalg.dataset.DataSet;

/** The loss on a fixed part of the validation text: up to 65,536 tokens in windows spread evenly over it. */
final class Evaluation {

    private static final int TOKENS = 1 << 16;

    private final TokenBatches batches;
    private final int rows;
    private final int windows;

    Evaluation(Corpus corpus, RunConfig config) {
        rows = config.budget().batch();
        batches = new TokenBatches(corpus.validation(), rows, config.model().context());
        windows =
                Math.min(batches.windows(), Math.max(1, TOKENS / config.model().context()));
    }

    /** Mean loss in nats a token. */
    double loss(ComputationGraph network) {
        double sum = 0;
        for (int first = 0; first < windows; first += rows) {
            DataSet batch = batches.spread(first, windows);
            sum += network.score(batch) * batch.numExamples();
        }
        return sum / windows;
    }
}

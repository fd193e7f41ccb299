package org.dl4jsr.parallel;

import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.optimize.api.BaseTrainingListener;
import org.dl4jsr.rounding.BlockSum;

/**
 * Data-parallel training by DL4J's own {@code fit}: each rank fits its replica to its own share of the data, and at every
 * iteration the mean of all ranks' gradients takes the place of each. So a step has as many micro-batches as there are
 * ranks; {@link DataParallel} does not bind the two. The score that a rank sees is that of its own batch.
 *
 * <pre>{@code
 * network.addListeners(new DataParallelListener(network, collective));
 * network.fit(new EvenBatches(shareOfThisRank, collective));
 * }</pre>
 */
public final class DataParallelListener extends BaseTrainingListener {

    private final Collective collective;
    private final TrainedNetwork network;
    private final GradientSum sum;
    private long iterations;

    /**
     * For a rank's replica; all ranks make theirs at the same time.
     *
     * @param network an initialised MultiLayerNetwork or ComputationGraph, the same on all ranks
     * @throws IllegalStateException where the replicas differ
     */
    public DataParallelListener(Model network, Collective collective) {
        this.collective = collective;
        this.network = TrainedNetwork.of(network);
        sum = new GradientSum(
                collective,
                this.network.gradients(),
                Slices.of(this.network.gradients().length(), collective.ranks(), BlockSum.BLOCK));
        new Replicas(this.network, collective).requireEqual();
    }

    /**
     * Puts the mean in the gradient's place.
     *
     * @throws IllegalStateException for another network
     * @throws IllegalArgumentException where ranks have batches of several sizes
     */
    @Override
    public void onGradientCalculation(Model model) {
        if (model != network.model()) {
            throw new IllegalStateException("The listener is for another network: make one for each");
        }
        collective.setStep(iterations);
        iterations++;
        int own = network.batchSize();
        for (long[] rank : collective.gather(own)) {
            if (rank[0] != own) {
                throw new IllegalArgumentException("A batch of " + own + " examples beside one of " + rank[0]
                        + " on another rank: expected batches of one size");
            }
        }
        sum.clear();
        sum.addLastForAll(network.gradients(), collective.ranks(), collective.ranks());
    }
}

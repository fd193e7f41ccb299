package org.dl4jsr.parallel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.deeplearning4j.datasets.iterator.ExistingDataSetIterator;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/** DL4J's own fit on several ranks. */
@Timeout(120)
class DataParallelListenerTest {

    private static final int RANKS = 3;

    private static DataSet batch(Tasks task, int step, int part) {
        var batch = task.batches().batch(step, part);
        return new DataSet(
                batch.getFeatures(0),
                batch.getLabels(0),
                mask(batch.getFeaturesMaskArrays()),
                mask(batch.getLabelsMaskArrays()));
    }

    private static INDArray mask(INDArray[] masks) {
        return masks == null ? null : masks[0];
    }

    /** Rank r has 4 + r batches, and a smaller one at its end; two epochs. */
    private static List<String> fit(Tasks task) throws Exception {
        return Ranks.run(RANKS, collective -> {
            int rank = collective.rank();
            List<DataSet> share = new ArrayList<>(IntStream.range(0, 4 + rank)
                    .mapToObj(step -> batch(task, step, rank))
                    .toList());
            share.add((DataSet) batch(task, 9, rank).getRange(0, 1));
            var network = (MultiLayerNetwork) task.network().get();
            network.addListeners(new DataParallelListener(network, collective));
            network.fit(new EvenBatches(new ExistingDataSetIterator(share), collective), 2);
            return Digests.of(network) + network.getIterationCount();
        });
    }

    @Test
    void fitEndsOnAllRanksAtOnceWithWhatStepsGive() throws Exception {
        Tasks task = Tasks.mlp();
        var alone = (MultiLayerNetwork) task.network().get();
        var training = new DataParallel(alone);
        for (int step = 0; step < 8; step++) {
            int number = step % 4;
            training.step(step, RANKS, (s, part) -> task.batches().batch(number, part));
        }
        for (String end : fit(task)) {
            assertEquals(Digests.of(alone) + 8, end);
        }
    }

    @Test
    void everySegmentOfTruncatedBackPropagationIsShared() throws Exception {
        List<String> ends = fit(Tasks.lstm());
        assertEquals(1, ends.stream().distinct().count(), ends::toString);
    }

    @Test
    void replicasThatDifferAreRefused() {
        var error = assertThrows(
                IllegalStateException.class,
                () -> Ranks.run(2, collective -> {
                    var network = (MultiLayerNetwork) Tasks.mlp().network().get();
                    network.params().addi(collective.rank());
                    return new DataParallelListener(network, collective);
                }));
        assertTrue(error.getMessage().startsWith("Rank 1 has other weights than rank 0"), error::getMessage);
    }
}

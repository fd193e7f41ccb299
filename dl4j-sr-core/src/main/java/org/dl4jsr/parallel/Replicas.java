package org.dl4jsr.parallel;

import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Whether all ranks' networks are the same, by checksums. */
final class Replicas {

    private static final List<String> WHAT = List.of("iterations", "configuration", "weights", "updater state");

    private final TrainedNetwork network;
    private final Collective collective;

    Replicas(TrainedNetwork network, Collective collective) {
        this.network = network;
        this.collective = collective;
    }

    /** @throws IllegalStateException on all ranks, naming one that differs from the first */
    void requireEqual() {
        if (collective.ranks() == 1) {
            return;
        }
        INDArray state = network.storedState();
        long[][] all = collective.gather(
                network.iteration(),
                ArrayBytes.crc(network.configurationJson()),
                ArrayBytes.crc(collective.device(), network.parameters()),
                state == null ? 0 : ArrayBytes.crc(collective.device(), state));
        for (int rank = 1; rank < all.length; rank++) {
            for (int i = 0; i < WHAT.size(); i++) {
                if (all[rank][i] != all[0][i]) {
                    throw new IllegalStateException("Rank " + rank + " has other " + WHAT.get(i) + " than rank 0:"
                            + " all ranks have to begin with the same network, and nothing but"
                            + " DataParallel.step may change it");
                }
            }
        }
    }
}

package org.dl4jsr.parallel;

import java.io.IOException;
import java.util.ServiceLoader;

/** Processes that ranks run in, on this machine or others; the module dl4j-sr-spark brings one. */
public interface Cluster {

    /**
     * What is asked for.
     *
     * @param name of the training, for those who look at the cluster
     * @param workers ranks at most; fewer where there are no more, with the same bits
     * @param threads of each rank; counts where the cluster is started for this training
     * @param megabytes of Java's heap of each rank; counts where the cluster is started for this training
     */
    record Request(String name, int workers, int threads, int megabytes) {}

    /** Processes that wait for what they are to train; the end of this is theirs. */
    interface Processes extends AutoCloseable {

        /**
         * Runs {@code program} on all ranks until it has returned on each; where a rank is lost, again.
         *
         * @param folder of this run alone, that all ranks see, as a URI; what appears in it shows that the run goes on
         * @throws IllegalStateException where it throws on one, or the run does not go on
         * @throws IOException where the folder cannot be read or written
         */
        void run(String folder, Observer observer, RankProgram program) throws IOException;

        @Override
        void close();
    }

    /**
     * The one on the class path.
     *
     * @throws IllegalStateException where there is none
     */
    static Cluster find() {
        return ServiceLoader.load(Cluster.class)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(
                        "No cluster is on the class path: add dl4j-sr-spark, and Spark itself"));
    }

    /**
     * To be called before anything is made for a training.
     *
     * @throws IllegalArgumentException where the cluster is set up so that it cannot work, with what to set
     */
    void require();

    /**
     * Has as many processes as there are to be ranks, or, after a while, those that there are.
     *
     * @throws IllegalArgumentException where the cluster is set up so that it cannot work, with what to set
     * @throws IllegalStateException where it gives none, or cannot be reached
     */
    Processes start(Request request);
}

package org.dl4jsr.spark;

import java.io.Serializable;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkEnv;
import org.dl4jsr.parallel.Collective;
import org.dl4jsr.parallel.Rank;
import org.dl4jsr.parallel.RankProgram;
import org.dl4jsr.parallel.TransportException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One attempt, as its tasks run it: open a port, tell all ports to all, connect, run the program.
 *
 * @param key the attempt's
 * @param encrypted whether ranks encrypt what they send
 * @param deadline how long a rank waits for another
 * @param checkpoints folder of the checkpoints
 * @param every steps from one checkpoint to the next
 */
record RankJob(
        RankProgram program, AttemptKey key, boolean encrypted, Duration deadline, String checkpoints, long every)
        implements Serializable {

    private static final Logger LOG = LoggerFactory.getLogger(RankJob.class);

    /** Runs on an executor, in a task of a barrier stage. */
    Outcome run() {
        BarrierTaskContext context = BarrierTaskContext.get();
        int rank = context.partitionId();
        try {
            ExecutorSetup.run();
            String host = SparkEnv.get().blockManager().blockManagerId().host();
            int ranks = context.getTaskInfos().length;
            try (var transport = new SparkTransport(rank, ranks, host, key, encrypted, deadline)) {
                List<String> addresses = Arrays.asList(context.allGather(host + ":" + transport.port()));
                transport.connect(addresses);
                try (var collective = new Collective(transport, key.attempt())) {
                    var storage = HadoopStorage.onExecutor(checkpoints);
                    program.run(new Rank(collective, storage, every, key.attempt()));
                    collective.barrier(); // nobody leaves while others still need it
                }
            }
            return new Outcome(rank, Outcome.Kind.DONE, "");
        } catch (TransportException e) {
            LOG.warn("Rank {} of attempt {} cannot go on: {}", rank, key.attempt(), e.getMessage());
            return new Outcome(rank, Outcome.Kind.LOST_OTHERS, e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return new Outcome(rank, Outcome.Kind.LOST_OTHERS, "interrupted");
        } catch (Exception e) {
            LOG.error("Rank {} of attempt {} has failed", rank, key.attempt(), e);
            return new Outcome(rank, Outcome.Kind.FAILED, "" + e);
        }
    }
}

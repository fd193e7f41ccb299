package org.dl4jsr.spark;

import java.io.Serializable;
import java.time.Duration;
import org.apache.spark.BarrierTaskContext;
import org.apache.spark.SparkEnv;
import org.dl4jsr.parallel.Collective;
import org.dl4jsr.parallel.Rank;
import org.dl4jsr.parallel.RankProgram;
import org.dl4jsr.parallel.Storage;
import org.dl4jsr.parallel.TransportException;

/**
 * One attempt, as its tasks run it: open a port, tell all ports to all, connect, run the program. Whatever a task throws
 * ends the stage for all.
 *
 * @param key the attempt's
 * @param driver host:port of the {@link NotePort}
 * @param encrypted whether ranks encrypt what they send
 * @param deadline how long a rank waits for another
 * @param checkpoints folder of the checkpoints
 * @param every steps from one checkpoint to the next
 */
record RankJob(
        RankProgram program,
        AttemptKey key,
        String driver,
        boolean encrypted,
        Duration deadline,
        String checkpoints,
        long every)
        implements Serializable {

    /** Runs on an executor, in a task of a barrier stage; returns the rank. */
    int run() throws Exception {
        ExecutorSetup.run();
        BarrierTaskContext context = BarrierTaskContext.get();
        int rank = context.partitionId();
        String host = SparkEnv.get().blockManager().blockManagerId().host();
        int ranks = context.getTaskInfos().length;
        try (var transport = new SparkTransport(rank, ranks, host, key, encrypted, deadline);
                var notes = new NoteClient(driver, key, encrypted, deadline)) {
            transport.connect(notes.meet(rank, host + ":" + transport.port()));
            try (var collective = new Collective(transport, key.attempt())) {
                run(collective, notes, HadoopStorage.onExecutor(checkpoints));
            }
        }
        return rank;
    }

    /** What the program throws would be thrown again: the driver hears of it, while the other ranks do not know yet. */
    private void run(Collective collective, NoteClient notes, Storage storage) throws Exception {
        try {
            program.run(new Rank(collective, storage, every, key.attempt(), notes));
            collective.barrier(); // nobody leaves while others still need it
        } catch (TransportException | InterruptedException e) {
            throw e;
        } catch (Exception e) {
            try {
                notes.fail("Rank " + collective.rank() + " has failed: " + e);
            } catch (TransportException notHeard) {
                e.addSuppressed(notHeard);
            }
            throw e;
        }
    }
}

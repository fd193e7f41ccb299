package org.dl4jsr.parallel;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Runs ranks as threads. */
final class Ranks {

    static final Duration DEADLINE = Duration.ofMinutes(3);

    /** What one rank does. */
    interface Work<T> {

        T run(Collective collective) throws Exception;
    }

    private Ranks() {}

    /** The results in the order of ranks; throws what the first rank that failed threw. */
    static <T> List<T> run(int ranks, Work<T> work) throws Exception {
        return run(LocalTransport.of(ranks, DEADLINE), work);
    }

    static <T> List<T> run(List<Transport> transports, Work<T> work) throws Exception {
        var pool = Executors.newFixedThreadPool(transports.size());
        try {
            List<Future<T>> futures = transports.stream()
                    .map(transport -> pool.submit(() -> {
                        try (var collective = new Collective(transport, 7)) {
                            return work.run(collective);
                        }
                    }))
                    .toList();
            var results = new ArrayList<T>();
            for (Future<T> future : futures) {
                results.add(future.get());
            }
            return results;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        } finally {
            pool.shutdown();
        }
    }
}

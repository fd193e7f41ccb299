package org.dl4jsr.parallel;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Runs ranks as threads that take turns: each computes with all threads of the processor, and several at once on few cores
 * would wait for each other's threads most of the time.
 */
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
        var turn = new ReentrantLock();
        try {
            List<Future<T>> futures = transports.stream()
                    .map(transport -> pool.submit(() -> {
                        turn.lock();
                        try (var collective = new Collective(new Turns(transport, turn), 7)) {
                            return work.run(collective);
                        } finally {
                            turn.unlock();
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

    /** Lets others compute while this rank waits. */
    private record Turns(Transport transport, ReentrantLock turn) implements Transport {

        @Override
        public int rank() {
            return transport.rank();
        }

        @Override
        public int ranks() {
            return transport.ranks();
        }

        @Override
        public void send(int to, ByteBuffer message) {
            transport.send(to, message);
        }

        @Override
        public void receive(int from, ByteBuffer target) {
            turn.unlock();
            try {
                transport.receive(from, target);
            } finally {
                turn.lock();
            }
        }

        @Override
        public void close() {
            transport.close();
        }
    }
}

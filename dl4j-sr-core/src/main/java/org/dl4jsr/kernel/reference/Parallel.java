package org.dl4jsr.kernel.reference;

import java.util.ArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongConsumer;

/** A loop over independent indices, cut into one contiguous piece a thread. */
public final class Parallel {

    private static final ExecutorService WORKERS = Executors.newCachedThreadPool(task -> {
        var thread = new Thread(task, "dl4j-sr kernels");
        thread.setDaemon(true);
        return thread;
    });

    private Parallel() {}

    /** Calls {@code body} with every index below {@code count}; returns when all are done. */
    public static void loop(int threads, long count, LongConsumer body) {
        long pieces = Math.min(threads, count);
        var others = new ArrayList<Future<?>>();
        for (long piece = 1; piece < pieces; piece++) {
            long start = count * piece / pieces;
            long end = count * (piece + 1) / pieces;
            others.add(WORKERS.submit(() -> run(start, end, body)));
        }
        run(0, pieces > 1 ? count / pieces : count, body);
        for (var other : others) {
            await(other);
        }
    }

    private static void run(long start, long end, LongConsumer body) {
        for (long i = start; i < end; i++) {
            body.accept(i);
        }
    }

    private static void await(Future<?> piece) {
        boolean interrupted = false;
        while (true) {
            try {
                piece.get();
                break;
            } catch (InterruptedException e) {
                interrupted = true; // the piece writes memory that the caller owns: never leave before it is done
            } catch (ExecutionException e) {
                throw new IllegalStateException("A kernel failed on a worker thread", e.getCause());
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

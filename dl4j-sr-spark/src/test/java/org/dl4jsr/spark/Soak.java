package org.dl4jsr.spark;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkContext;
import org.dl4jsr.parallel.Mode;
import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * Two executors that take many steps; what they hold is written down twenty times on the way, and its peak must not be
 * higher in the second half than in the first, once that has settled: heap after a collection, resident memory, open
 * files, threads. For Linux.
 */
final class Soak {

    private static final int TIMES = 20;
    private static final int SETTLED = 4;
    private static final int RANKS = 2;

    /** What a process holds. */
    private record Held(long step, int rank, long heap, long resident, long files, long threads) {

        private static final long MIB = 1 << 20;

        static Held now(long step, int rank) throws IOException {
            System.gc(); // what is left is in use
            long heap =
                    Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
            return new Held(step, rank, heap, status("VmRSS:") << 10, openFiles(), status("Threads:"));
        }

        private static long status(String name) throws IOException {
            try (var lines = Files.lines(Path.of("/proc/self/status"))) {
                return lines.filter(line -> line.startsWith(name))
                        .map(line -> Long.valueOf(line.replaceAll("\\D", "")))
                        .findFirst()
                        .orElseThrow();
            }
        }

        private static long openFiles() throws IOException {
            long count = 0;
            try (DirectoryStream<Path> files = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
                for (Path ignored : files) {
                    count++;
                }
            }
            return count;
        }

        static Held of(String line) {
            String[] words = line.split(" ", -1);
            return new Held(
                    Long.parseLong(words[0]),
                    Integer.parseInt(words[1]),
                    Long.parseLong(words[2]),
                    Long.parseLong(words[3]),
                    Long.parseLong(words[4]),
                    Long.parseLong(words[5]));
        }

        String line() {
            return step + " " + rank + " " + heap + " " + resident + " " + files + " " + threads;
        }

        /** The most of each in some of them. */
        static Held most(List<Held> held) {
            return held.stream()
                    .reduce((a, b) -> new Held(
                            b.step,
                            b.rank,
                            Math.max(a.heap, b.heap),
                            Math.max(a.resident, b.resident),
                            Math.max(a.files, b.files),
                            Math.max(a.threads, b.threads)))
                    .orElseThrow();
        }

        /** Whether it is more than {@code before} by what does not come and go. */
        boolean hasGrownSince(Held before) {
            return heap > before.heap + 4 * MIB
                    || resident > before.resident + before.resident / 20
                    || files > before.files + 4
                    || threads > before.threads + 4;
        }

        @Override
        public String toString() {
            return String.format(
                    "step %6d  rank %d  heap %5.1f MiB  resident %4d MiB  %3d files  %3d threads",
                    step, rank, (double) heap / MIB, resident / MIB, files, threads);
        }
    }

    private Soak() {}

    /** Argument: the steps to take, 20 or more; as a rule 10000. */
    public static void main(String[] arguments) throws Exception {
        long steps = Long.parseLong(arguments[0]);
        Path directory = Files.createTempDirectory("soak");
        String file = directory.resolve("held").toString();
        long every = steps / TIMES;
        SparkContext spark = LocalCluster.start("soak", RANKS, 1, 512);
        SparkTraining.on(spark)
                .workers(RANKS, RANKS)
                .checkpoints(directory.resolve("run").toUri().toString(), every)
                .run(rank -> rank.train(
                        SparkTrainingTest::network,
                        Mode.SHARDED,
                        steps,
                        RANKS,
                        (step, part) -> measured(file, every, step, part)));
        spark.stop();
        boolean grown = false;
        List<String> lines = Files.readAllLines(Path.of(file));
        for (int rank = 0; rank < RANKS; rank++) {
            var held = new ArrayList<Held>();
            for (String line : lines) {
                Held now = Held.of(line);
                if (now.rank == rank) {
                    held.add(now);
                    System.out.println(now);
                }
            }
            Held first = Held.most(held.subList(SETTLED, held.size() / 2));
            grown |= Held.most(held.subList(held.size() / 2, held.size())).hasGrownSince(first);
        }
        System.out.println(grown ? "IT GROWS" : "Flat");
        System.exit(grown ? 1 : 0);
    }

    /** A batch, part r of rank r. */
    private static MultiDataSet measured(String file, long every, long step, int part) {
        if (step % every == 0) {
            try {
                String line = Held.now(step, part).line() + "\n";
                Files.writeString(Path.of(file), line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
        return SparkTrainingTest.batch(step, part);
    }
}

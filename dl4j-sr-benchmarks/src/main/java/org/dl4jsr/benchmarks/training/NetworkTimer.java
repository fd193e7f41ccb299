package org.dl4jsr.benchmarks.training;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.function.LongSupplier;
import org.dl4jsr.policy.Bf16Policy;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Times networks in a process of its own, for {@link NetworkTable}: a line "NETWORK BATCH SECONDS" of standard input,
 * BATCH 0 for training, is answered by the best milliseconds of a step, or of inference for so many examples; NaN where it
 * fails.
 */
final class NetworkTimer {

    private final Bf16Policy policy;
    private final LongSupplier clock;
    private BenchmarkedModel model;
    private BenchmarkedNetwork network;
    private DataSet batch;

    private NetworkTimer(Bf16Policy policy, LongSupplier clock) {
        this.policy = policy;
        this.clock = clock;
    }

    /** @param args a policy or "stock", and "wall" or "processor", the time that counts */
    public static void main(String[] args) throws IOException {
        LongSupplier clock = args[1].equals("processor")
                ? ManagementFactory.getThreadMXBean()::getCurrentThreadCpuTime
                : System::nanoTime;
        var timer = new NetworkTimer(StockBackend.policyOrStock(args[0]), clock);
        var requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            String[] request = line.split(" ", -1);
            double best = Double.NaN;
            try {
                best = timer.best(
                        BenchmarkedModel.valueOf(request[0]),
                        Integer.parseInt(request[1]),
                        Double.parseDouble(request[2]));
            } catch (RuntimeException e) {
                System.err.println(args[0] + " cannot do " + line + ": " + e);
            }
            System.out.println(NetworkTable.ANSWER + best);
        }
    }

    private double best(BenchmarkedModel wanted, int examples, double seconds) {
        if (wanted != model) {
            network = null;
            model = wanted;
            network = wanted.network(policy);
            batch = wanted.batch(new Random(1));
        }
        Runnable work =
                examples == 0 ? () -> network.fit().accept(batch) : inference(first(batch.getFeatures(), examples));
        repeat(work, Math.min(2, seconds));
        return repeat(work, seconds);
    }

    private Runnable inference(INDArray features) {
        return () -> network.output().accept(features);
    }

    /** So many examples, the batch's again and again. */
    private static INDArray first(INDArray features, int examples) {
        INDArray enough = features;
        while (enough.size(0) < examples) {
            enough = Nd4j.concat(0, enough, features);
        }
        return enough.get(NDArrayIndex.interval(0, examples)).dup('c');
    }

    /** The best milliseconds of {@code work} in this time, and once at least. */
    private double repeat(Runnable work, double seconds) {
        long end = System.nanoTime() + (long) (seconds * 1e9);
        long best = Long.MAX_VALUE;
        do {
            long start = clock.getAsLong();
            work.run();
            best = Math.min(best, clock.getAsLong() - start);
        } while (System.nanoTime() < end);
        return best / 1e6;
    }
}

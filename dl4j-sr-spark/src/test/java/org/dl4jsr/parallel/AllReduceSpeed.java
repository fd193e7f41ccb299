package org.dl4jsr.parallel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.dl4jsr.rounding.BlockSum;
import org.dl4jsr.spark.LocalCluster;
import org.dl4jsr.spark.SparkTransports;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Milliseconds for the mean of two ranks' BF16 gradients of 20 MB on both: ours over loopback, within one process, and
 * what Spark offers for it, treeAggregate of as many bytes and a broadcast, on two executors.
 */
final class AllReduceSpeed {

    private static final int RANKS = 2;
    private static final int BYTES = 20_000_000;
    private static final int REPEATS = 15;
    private static final int ROUNDS = 3;

    private AllReduceSpeed() {}

    /** Turn about, so that what else the machine does meets all of them. */
    public static void main(String[] arguments) throws Exception {
        List<Transport> plain = SparkTransports.connected(RANKS, false);
        List<Transport> encrypted = SparkTransports.connected(RANKS, true);
        SparkContext context = LocalCluster.start("all-reduce", RANKS, 1, 1024);
        try (var spark = new JavaSparkContext(context)) {
            var times = new double[3][];
            Arrays.fill(times, new double[0]);
            for (int round = 0; round < ROUNDS; round++) {
                times[0] = warm(times[0], ours(plain));
                times[1] = warm(times[1], ours(encrypted));
                times[2] = warm(times[2], sparks(spark));
            }
            print("over loopback", times[0]);
            print("over loopback, AES-GCM", times[1]);
            print("treeAggregate and broadcast", times[2]);
        }
        System.exit(0);
    }

    /** {@code before}, and those of the times that are not of a cold start. */
    private static double[] warm(double[] before, double[] times) {
        return DoubleStream.concat(Arrays.stream(before), Arrays.stream(times, REPEATS / 3, REPEATS))
                .toArray();
    }

    private static void print(String what, double[] milliseconds) {
        Arrays.sort(milliseconds);
        System.out.printf(
                "%-30s median %.0f ms, fastest %.0f ms%n",
                what, milliseconds[milliseconds.length / 2], milliseconds[0]);
    }

    private static double[] ours(List<Transport> transports) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(RANKS);
        List<Callable<double[]>> ranks = new ArrayList<>();
        transports.forEach(transport -> ranks.add(() -> allReduces(transport)));
        List<Future<double[]>> times = pool.invokeAll(ranks);
        pool.shutdown();
        return times.get(0).get();
    }

    static double[] allReduces(Transport transport) {
        var collective = new Collective(transport, 0); // the transport stays open
        INDArray gradient = Nd4j.ones(DataType.BFLOAT16, BYTES / 2);
        var sum = new GradientSum(collective, gradient, Slices.of(BYTES / 2, RANKS, BlockSum.BLOCK));
        var times = new double[REPEATS];
        for (int i = 0; i < REPEATS; i++) {
            collective.barrier();
            long start = System.nanoTime();
            sum.clear();
            sum.addLastForAll(gradient, RANKS, RANKS);
            times[i] = (System.nanoTime() - start) / 1e6;
        }
        return times;
    }

    private static double[] sparks(JavaSparkContext spark) {
        var numbers = spark.parallelize(IntStream.range(0, RANKS).boxed().toList(), RANKS);
        var times = new double[REPEATS];
        for (int i = 0; i < REPEATS; i++) {
            long start = System.nanoTime();
            float[] sum = numbers.treeAggregate(new float[0], (own, number) -> ones(), AllReduceSpeed::add, 2);
            var all = spark.broadcast(sum);
            numbers.map(number -> all.value().length).collect();
            all.destroy();
            times[i] = (System.nanoTime() - start) / 1e6;
        }
        return times;
    }

    private static float[] ones() {
        var ones = new float[BYTES / Float.BYTES];
        Arrays.fill(ones, 1);
        return ones;
    }

    private static float[] add(float[] a, float[] b) {
        if (a.length == 0 || b.length == 0) {
            return a.length == 0 ? b : a;
        }
        for (int i = 0; i < a.length; i++) {
            a[i] += b[i];
        }
        return a;
    }
}

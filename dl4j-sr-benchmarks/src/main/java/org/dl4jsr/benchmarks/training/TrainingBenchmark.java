package org.dl4jsr.benchmarks.training;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.dl4jsr.policy.Bf16Policy;
import org.nd4j.linalg.dataset.DataSet;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Training steps a second of networks of stock layers: stock DL4J in FLOAT, on ND4J's own backend, and policies of
 * dl4j-sr.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 6, time = 2)
public class TrainingBenchmark {

    @Param
    public BenchmarkedModel model;

    /** {@value StockBackend#NAME}, or a {@link Bf16Policy}. */
    @Param({StockBackend.NAME, "bf16-o1", "bf16-sr"})
    public String policy;

    private BenchmarkedNetwork network;
    private DataSet batch;

    @Setup
    public void createNetwork() {
        network = model.network(StockBackend.policyOrStock(policy));
        batch = model.batch(new Random(1));
    }

    @Benchmark
    public void step() {
        network.fit().accept(batch);
    }
}

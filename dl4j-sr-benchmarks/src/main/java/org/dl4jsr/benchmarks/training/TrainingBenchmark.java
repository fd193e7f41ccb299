package org.dl4jsr.benchmarks.training;

import java.io.IOException;
import java.net.URL;
import java.util.Collections;
import java.util.Enumeration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.backend.Bf16Executioner;
import org.dl4jsr.policy.Bf16Policy;
import org.nd4j.common.config.ND4JClassLoading;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.factory.Nd4jBackend;
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

    private static final String STOCK = "stock";

    @Param
    public BenchmarkedModel model;

    /** {@value #STOCK}, or a {@link Bf16Policy}. */
    @Param({STOCK, "bf16-o1", "bf16-sr"})
    public String policy;

    private MultiLayerNetwork network;
    private DataSet batch;

    @Setup
    public void createNetwork() {
        boolean stock = policy.equals(STOCK);
        if (stock) {
            ND4JClassLoading.setNd4jClassloader(new StockBackendOnly(ND4JClassLoading.getNd4jClassloader()));
        }
        MultiLayerConfiguration configuration = model.configuration();
        network = new MultiLayerNetwork(
                stock ? configuration : Bf16Policy.named(policy).apply(configuration));
        network.init();
        batch = model.batch(new Random(1));
        if (Nd4j.getExecutioner() instanceof Bf16Executioner == stock) {
            throw new IllegalStateException(Nd4j.getBackend() + " is in force for " + policy);
        }
    }

    @Benchmark
    public void step() {
        network.fit(batch);
    }

    /** Does not find dl4j-sr's announcement of its backend. */
    private static final class StockBackendOnly extends ClassLoader {

        StockBackendOnly(ClassLoader parent) {
            super(parent);
        }

        @Override
        public Enumeration<URL> getResources(String name) throws IOException {
            var found = Collections.list(super.getResources(name));
            if (name.equals("META-INF/services/" + Nd4jBackend.class.getName())) {
                found.removeIf(url -> !url.getPath().contains("nd4j-native"));
            }
            return Collections.enumeration(found);
        }
    }
}

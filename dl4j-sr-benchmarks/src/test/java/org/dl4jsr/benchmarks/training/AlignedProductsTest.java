package org.dl4jsr.benchmarks.training;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.LongPointer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.JavaProcess;
import org.dl4jsr.nn.GptConfiguration;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.SrAdam;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/**
 * The factors of large products start at lines of the cache, without which AMX halves their speed. That is counted
 * where oneDNN takes them, by a library that stands between, and so in processes of their own.
 */
@Tag("slow")
@EnabledIf(value = "org.dl4jsr.kernel.cuda.FakeCuda#canBeBuilt", disabledReason = "needs g++ on Linux x86-64")
class AlignedProductsTest {

    private static final String GPT = "gpt";

    @Test
    void noLargeFactorIsUnaligned(@TempDir Path directory) throws Exception {
        String library = directory.resolve("observed_onednn.so").toString();
        String source = Path.of("src/test/cpp/observed_onednn.cpp").toString();
        assertEndsWell(
                start(new ProcessBuilder("g++", "-std=c++17", "-fPIC", "-shared", source, "-o", library, "-ldl")));
        Process gpt = start(steps(library, GPT));
        ProcessBuilder stock = steps(library, "stock");
        stock.environment().put("CLAIM_TILES", "1");
        assertEndsWell(start(stock));
        assertEndsWell(gpt);
    }

    private static ProcessBuilder steps(String library, String what) {
        var builder = new ProcessBuilder(JavaProcess.command(
                "-Dorg.dl4jsr.device=cpu",
                "-Dorg.dl4jsr.kernel.level=scalar", // with which all products are oneDNN's
                "-cp",
                System.getProperty("java.class.path"),
                AlignedProductsTest.class.getName(),
                what));
        builder.environment().put("LD_PRELOAD", library);
        builder.environment().put("OMP_NUM_THREADS", "1");
        return builder;
    }

    private static Process start(ProcessBuilder builder) throws IOException {
        return builder.redirectErrorStream(true).start();
    }

    private static void assertEndsWell(Process process) throws IOException, InterruptedException {
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
    }

    /** What the processes do. */
    public static void main(String[] arguments) {
        boolean gpt = arguments[0].equals(GPT);
        if (gpt) {
            stepOfGpt();
        } else {
            stepsOfStockLayers();
        }
        var observed = new LongPointer(Loader.addressof("observedOperands"));
        long factors = observed.get(0);
        long unaligned = observed.get(1);
        long unalignedResults = observed.get(3);
        System.out.println(factors + " factors, " + unaligned + " of them unaligned; " + observed.get(2) + " results, "
                + unalignedResults + " of them unaligned");
        // a result costs next to nothing, so that those of stock layers, which have views, are not copied
        System.exit(factors >= 20 && unaligned == 0 && (unalignedResults == 0 || !gpt) ? 0 : 1);
    }

    /** All of it lies right by itself: no operand is copied here, since this process does not claim to have AMX. */
    private static void stepOfGpt() {
        int batch = 4;
        int time = 128;
        var graph = new ComputationGraph(GptConfiguration.builder()
                .layers(1)
                .width(512)
                .heads(8)
                .context(time)
                .vocabulary(512)
                .dataType(DataType.BFLOAT16)
                .updater(new SrAdam(1e-3))
                .build()
                .toGraph());
        graph.init();
        INDArray tokens = Nd4j.create(DataType.INT32, batch, time);
        graph.fit(new DataSet(tokens, tokens.dup()));
    }

    private static void stepsOfStockLayers() {
        for (var model : List.of(
                BenchmarkedModel.MLP,
                BenchmarkedModel.LENET,
                BenchmarkedModel.CNN_BATCH_NORM,
                BenchmarkedModel.LSTM,
                BenchmarkedModel.ATTENTION,
                BenchmarkedModel.CONV_1D)) {
            model.network(Bf16Policy.SR).fit().accept(model.batch(new Random(1)));
        }
        var network = new MultiLayerNetwork(Bf16Policy.SR.apply(new NeuralNetConfiguration.Builder()
                .updater(new Adam(1e-3))
                .list(
                        dense(1000), // the 1,000 elements of its bias are no whole lines
                        dense(1000),
                        new OutputLayer.Builder(LossFunction.MCXENT)
                                .nOut(10)
                                .activation(Activation.SOFTMAX)
                                .build())
                .setInputType(InputType.feedForward(784))
                .build()));
        network.init();
        network.fit(BenchmarkedModel.MLP.batch(new Random(1)));
    }

    private static DenseLayer dense(int out) {
        return new DenseLayer.Builder().nOut(out).activation(Activation.RELU).build();
    }
}

package org.dl4jsr.policy;

import static org.dl4jsr.updater.TestNetworks.DATA;
import static org.dl4jsr.updater.TestNetworks.bits;
import static org.dl4jsr.updater.TestNetworks.fit;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.BaseLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.transferlearning.TransferLearning;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jsr.JavaProcess;
import org.dl4jsr.nn.GptConfiguration;
import org.dl4jsr.updater.SrAdam;
import org.dl4jsr.updater.TestNetworks;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.learning.config.Nesterovs;
import org.nd4j.linalg.learning.regularization.WeightDecay;

/** The way back to DL4J alone. */
@Tag("slow")
class StockNetworksTest {

    @TempDir
    private Path directory;

    /** Trains on from the same place: the twin's step is that of a FLOAT network with the same Adam and moments. */
    @ParameterizedTest
    @EnumSource(Bf16Policy.class)
    void bothNetworkClassesGoOnWithTheirMoments(Bf16Policy policy) {
        var network = TestNetworks.network(policy.apply(TestNetworks.mlpConfiguration(new Adam(1e-2), DataType.FLOAT)));
        var graph = new ComputationGraph(policy.apply(TestNetworks.graphConfiguration(new Adam(1e-2), DataType.FLOAT)));
        graph.init();
        fit(network, 20);
        fit(graph, 20);
        MultiLayerNetwork stock = Bf16Policy.toStock(network);
        ComputationGraph stockGraph = Bf16Policy.toStock(graph);
        assertEquals(new Adam(1e-2), ((BaseLayer) stock.getLayer(0).conf().getLayer()).getIUpdater());
        assertEquals(DataType.FLOAT, stock.params().dataType());
        assertEquals(20, stock.getIterationCount());
        assertArrayEquals(bits(stock.params()), bits(stockGraph.params()));
        float ulp = policy == Bf16Policy.KAHAN ? 4e-3f : 0; // half an ulp of compensation may round either way
        assertArrayEquals(bits(network.params()), bits(stock.params().castTo(policy.dataType())), ulp);
        double before = stock.score(DATA);
        assertEquals(network.score(DATA), before, 5e-3);
        fit(network, 1);
        fit(stock, 1);
        fit(stockGraph, 1);
        assertArrayEquals(bits(stock.params()), bits(stockGraph.params()));
        assertEquals(network.score(DATA), stock.score(DATA), 0.1 * Math.abs(before - stock.score(DATA)) + 3e-3);
    }

    @Test
    void otherUpdatersAndWeightDecayComeBack() {
        var configuration = TestNetworks.builder(new Nesterovs(0.1, 0.9))
                .list()
                .layer(TestNetworks.dense(TestNetworks.INPUTS, 8))
                .layer(TestNetworks.output(8))
                .build();
        var network = TestNetworks.network(Bf16Policy.SR.apply(configuration));
        fit(network, 5);
        var stock = Bf16Policy.toStock(network);
        assertEquals(
                new Nesterovs(0.1, 0.9), ((BaseLayer) stock.getLayer(0).conf().getLayer()).getIUpdater());
        assertArrayEquals(
                bits(network.getUpdater().getStateViewArray()),
                bits(stock.getUpdater().getStateViewArray()));

        var decayed =
                TestNetworks.mlpConfiguration(SrAdam.builder().weightDecay(0.1).build(), DataType.BFLOAT16);
        var layer = (BaseLayer) Bf16Policy.toStock(TestNetworks.network(decayed))
                .getLayer(0)
                .conf()
                .getLayer();
        assertEquals(List.of(new WeightDecay(0.1, true)), layer.getRegularization());
    }

    /** TransferLearning freezes the layers of a BF16 network as they are, on kernels. */
    @Test
    void layersOnKernelsThatWereFrozenSinceComeBack() {
        var configuration = TestNetworks.builder(new Adam(1e-2))
                .list()
                .layer(new ConvolutionLayer.Builder(3, 3)
                        .name("convolution")
                        .nOut(4)
                        .build())
                .layer(TestNetworks.output(4 * 6 * 6))
                .setInputType(InputType.convolutional(8, 8, 1))
                .build();
        var network = TestNetworks.network(Bf16Policy.SR.apply(configuration));
        MultiLayerNetwork frozen =
                new TransferLearning.Builder(network).setFeatureExtractor(0).build();
        INDArray images = Nd4j.rand(DataType.FLOAT, 5, 1, 8, 8);
        var stock = Bf16Policy.toStock(frozen);
        var layer = (FrozenLayer) stock.getLayerWiseConfigurations().getConf(0).getLayer();
        assertEquals(ConvolutionLayer.class, layer.getLayer().getClass());
        assertEquals("convolution", layer.getLayer().getLayerName());
        assertEquals(frozen.getLayerWiseConfigurations().getConf(0).getLayer().getLayerName(), layer.getLayerName());
        assertTrue(stock.output(images).equalsWithEps(frozen.output(images), 5e-3));
        var fp32 = Bf16Policy.FP32.apply(frozen.getLayerWiseConfigurations());
        assertEquals(
                ConvolutionLayer.class,
                ((FrozenLayer) fp32.getConf(0).getLayer()).getLayer().getClass());
    }

    @Test
    void soDoThoseThatFrozenOnesWrap() {
        var configuration = TestNetworks.builder(new Adam(1e-2))
                .list()
                .layer(new LastTimeStep(new Bidirectional(
                        Bidirectional.Mode.ADD, new LSTM.Builder().nOut(4).build())))
                .layer(TestNetworks.output(4))
                .setInputType(InputType.recurrent(3, 5))
                .build();
        var network = TestNetworks.network(Bf16Policy.SR.apply(configuration));
        MultiLayerNetwork frozen =
                new TransferLearning.Builder(network).setFeatureExtractor(0).build();
        MultiLayerNetwork stock = Bf16Policy.toStock(frozen);
        INDArray sequences = Nd4j.rand(DataType.FLOAT, 5, 3, 5);
        assertTrue(stock.output(sequences).equalsWithEps(frozen.output(sequences), 5e-3));
        var fp32 = Bf16Policy.FP32.apply(frozen.getLayerWiseConfigurations());
        assertEquals(
                List.of(FrozenLayer.class, LastTimeStep.class, Bidirectional.class, LSTM.class, LSTM.class),
                ConfiguredLayers.withWrapped(fp32.getConf(0).getLayer()).stream()
                        .map(Object::getClass)
                        .toList());
    }

    @Test
    void layersOfOursAreRefused() {
        var gpt = new ComputationGraph(GptConfiguration.builder()
                .layers(1)
                .width(8)
                .heads(2)
                .context(4)
                .vocabulary(7)
                .build()
                .toGraph());
        gpt.init();
        String message = assertThrows(IllegalArgumentException.class, () -> Bf16Policy.toStock(gpt))
                .getMessage();
        assertTrue(message.startsWith("The network has a org.dl4jsr.nn."), message);
    }

    /** In a process of its own whose class path has DL4J and no dl4j-sr. */
    @Test
    void loadsWithoutDl4jSr() throws Exception {
        var network = TestNetworks.network(
                Bf16Policy.SR.apply(TestNetworks.mlpConfiguration(new Adam(1e-2), DataType.FLOAT)));
        var graph = new ComputationGraph(
                Bf16Policy.SR.apply(TestNetworks.graphConfiguration(new Adam(1e-2), DataType.FLOAT)));
        graph.init();
        fit(network, 20);
        fit(graph, 20);
        MultiLayerNetwork stock = Bf16Policy.toStock(network);
        ComputationGraph stockGraph = Bf16Policy.toStock(graph);
        ModelSerializer.writeModel(stock, directory.resolve("network.zip").toFile(), true);
        ModelSerializer.writeModel(stockGraph, directory.resolve("graph.zip").toFile(), true);
        Nd4j.saveBinary(DATA.getFeatures(), directory.resolve("features.bin").toFile());
        Nd4j.saveBinary(DATA.getLabels(), directory.resolve("labels.bin").toFile());
        run();
        check(stock, "network.out");
        check(stockGraph, "graph.out");
    }

    private void run() throws Exception {
        Path classes = Path.of(StockProgram.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        String name = StockProgram.class.getName().replace('.', '/') + ".class";
        Path copy = directory.resolve("classes").resolve(name);
        Files.createDirectories(copy.getParent());
        Files.copy(classes.resolve(name), copy);
        String classPath = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> entry.endsWith(".jar") && !entry.contains("dl4j-sr"))
                .collect(Collectors.joining(File.pathSeparator, directory.resolve("classes") + File.pathSeparator, ""));
        Path log = directory.resolve("log.txt");
        Process process = new ProcessBuilder(
                        JavaProcess.command("-cp", classPath, StockProgram.class.getName(), directory.toString()))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        assertEquals(0, process.waitFor(), () -> read(log));
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What the other process wrote: the outputs, those after one more step. */
    private void check(Model model, String file) throws Exception {
        INDArray theirs = Nd4j.readBinary(directory.resolve(file).toFile());
        fit(model, 1);
        INDArray ours = model instanceof MultiLayerNetwork network
                ? network.output(DATA.getFeatures())
                : ((ComputationGraph) model).outputSingle(DATA.getFeatures());
        assertEquals(0, ours.sub(theirs).amaxNumber().doubleValue(), 1e-5);
    }
}

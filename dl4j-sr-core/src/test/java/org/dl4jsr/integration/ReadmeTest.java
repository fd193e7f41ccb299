package org.dl4jsr.integration;

import static org.dl4jsr.updater.TestNetworks.DATA;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.policy.Bf16Policy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** The code in the README is the code that is tested here. */
class ReadmeTest {

    private static MultiLayerNetwork fromStockModel(DataSetIterator data, File file) throws IOException {
        // begin
        var conf = new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Adam(5e-3))
                .list()
                .layer(new DenseLayer.Builder()
                        .nIn(16)
                        .nOut(32)
                        .activation(Activation.RELU)
                        .build())
                .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                        .nIn(32)
                        .nOut(4)
                        .activation(Activation.SOFTMAX)
                        .build())
                .build();
        var net = new MultiLayerNetwork(Bf16Policy.SR.apply(conf)); // was: new MultiLayerNetwork(conf)
        net.init();
        net.fit(data, 20);
        System.out.println(net.evaluate(data).accuracy());
        net.save(file, true);
        MultiLayerNetwork.load(file, true).fit(data, 1); // goes on as if there had been no file
        // end
        return net;
    }

    @Test
    void theModelOfTheReadmeLearns(@TempDir Path directory) throws IOException {
        var data = new ListDataSetIterator<>(DATA.asList(), 32);
        MultiLayerNetwork network =
                fromStockModel(data, directory.resolve("model.zip").toFile());
        assertEquals(DataType.BFLOAT16, network.params().dataType());
        assertTrue(network.evaluate(data).accuracy() > 0.8);
    }

    @Test
    void theReadmeHasThisCode() throws IOException {
        List<String> source = stripped("src/test/java/org/dl4jsr/integration/ReadmeTest.java");
        List<String> readme = stripped("README.md");
        int start = readme.indexOf("```java");
        assertEquals(
                source.subList(source.indexOf("// begin") + 1, source.indexOf("// end")),
                readme.subList(
                        start + 1,
                        start + 1 + readme.subList(start + 1, readme.size()).indexOf("```")));
    }

    private static List<String> stripped(String file) throws IOException {
        return Files.readAllLines(Path.of(file)).stream().map(String::strip).toList();
    }
}

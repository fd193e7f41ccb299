package org.dl4jsr.integration;

import static org.dl4jsr.updater.TestNetworks.DATA;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.deeplearning4j.datasets.iterator.utilty.ListDataSetIterator;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.util.ModelSerializer;
import org.dl4jsr.parallel.DataParallel;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.policy.Bf16Runtime;
import org.dl4jsr.policy.SafeRestore;
import org.dl4jsr.updater.RoundingStatsListener;
import org.dl4jsr.updater.SrAdam;
import org.dl4jsr.weights.Gpt2Export;
import org.dl4jsr.weights.Gpt2Weights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** What the Markdown files say of code and files is so. */
class ReadmeTest {

    private static final Path ROOT = Path.of("..");
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#]+)(#[^)]*)?\\)");
    /** Classes of ours by their whole names, and tests, benchmarks and tables by their own. */
    private static final Pattern CLASS = Pattern.compile(
            "\\borg\\.dl4jsr(?:\\.[a-z]\\w*)*\\.[A-Z]\\w*|(?<![\\w.])[A-Z]\\w*(?:Test|Benchmark|Table|Drill|Speed)\\b");

    private static final Pattern SCRIPT = Pattern.compile("(?<![\\w./-])[\\w./-]*\\w\\.(?:sh|py)\\b");
    private static final Pattern PROFILE = Pattern.compile("(?<=[ `]-P)[a-z][\\w-]*");
    private static final Pattern MODULE = Pattern.compile("\\bdl4j-sr-[a-z]+\\b");

    private static MultiLayerNetwork fromStockModel(DataSetIterator data, INDArray features, File file)
            throws IOException {
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
        net.fit(data, 20); // 20 passes of a DataSetIterator
        INDArray out = net.output(features); // FLOAT: use it as ever
        System.out.println(net.evaluate(data).accuracy());
        net.save(file, true);
        MultiLayerNetwork.load(file, true).fit(data, 1); // goes on as if there had been no file
        assertEquals(DataType.FLOAT, out.dataType());
        return net;
    }

    private static void whatTheLibraryHas(MultiLayerNetwork net, List<DataSet> batches, File file) throws IOException {
        System.out.println(Bf16Runtime.current()); // backend, kernels, matmul, threads

        net.setListeners(new RoundingStatsListener(10)); // does rounding lose my updates?

        var training = new DataParallel(net); // one step from several batches
        double loss = training.step(
                0, batches.size(), (step, part) -> batches.get(part).toMultiDataSet());

        ModelSerializer.writeModel(Bf16Policy.toStock(net), file, true); // loads where dl4j-sr is not
        var restored = SafeRestore.multiLayerNetwork(file.toPath(), true); // of files that you do not trust
        assertTrue(loss > 0);
        assertEquals(DataType.FLOAT, restored.params().dataType());
    }

    private static void thereAndBack(Path folder, Path target) throws IOException {
        try (var gpt2 = Gpt2Weights.open(folder)) { // config.json, model.safetensors: of 124M to 774M parameters
            var conf = gpt2.configuration().updater(new SrAdam(5e-5)).build().toGraph();
            var graph = new ComputationGraph(Bf16Policy.SR.apply(conf));
            graph.init();
            gpt2.copyTo(graph); // then train it
            Gpt2Export.of(graph).toSafetensors(target); // AutoModelForCausalLM.from_pretrained(target) in Python
        }
    }

    @Test
    void theCodeRuns(@TempDir Path directory) throws IOException {
        var data = new ListDataSetIterator<>(DATA.asList(), 32);
        File file = directory.resolve("model.zip").toFile();
        MultiLayerNetwork network = fromStockModel(data, DATA.getFeatures(), file);
        assertEquals(DataType.BFLOAT16, network.params().dataType());
        assertTrue(network.evaluate(data).accuracy() > 0.8);
        whatTheLibraryHas(network, DATA.batchBy(32), file);
        Path gpt2 = directory.resolve("gpt2");
        thereAndBack(Path.of("src/test/resources/org/dl4jsr/weights/bf16"), gpt2);
        thereAndBack(gpt2, directory.resolve("again"));
        assertEquals(
                -1,
                Files.mismatch(
                        gpt2.resolve("model.safetensors"),
                        directory.resolve("again").resolve("model.safetensors")));
    }

    @Test
    void theCodeOfAllFilesIsHere() throws IOException {
        List<String> source = stripped(Path.of("src/test/java/org/dl4jsr/integration/ReadmeTest.java"));
        for (Path file : markdown()) {
            List<String> lines = stripped(file);
            for (int i = 0; i < lines.size(); i++) {
                if (lines.get(i).equals("```java")) {
                    List<String> rest = lines.subList(i + 1, lines.size());
                    List<String> code = rest.subList(0, rest.indexOf("```"));
                    assertTrue(Collections.indexOfSubList(source, code) >= 0, file + ": " + code);
                    assertEquals(count("{", code), count("}", code), file + " is not whole: " + code);
                }
            }
        }
    }

    @Test
    void linksLeadToFiles() throws IOException {
        var broken = new ArrayList<String>();
        for (Path file : markdown()) {
            LINK.matcher(Files.readString(file))
                    .results()
                    .map(link -> link.group(1))
                    .forEach(link -> {
                        if (!link.contains("://") && !Files.exists(file.resolveSibling(link))) {
                            broken.add(file + ": " + link);
                        }
                    });
        }
        assertEquals(List.of(), broken);
    }

    @Test
    void whatCommandsNameIsThere() throws IOException {
        List<String> files = ownFiles();
        String poms = "";
        for (String file : files) {
            poms += file.endsWith("/pom.xml") ? Files.readString(Path.of(file)) : "";
        }
        String profiles = poms;
        var missing = new ArrayList<String>();
        for (Path file : markdown()) {
            String text = Files.readString(file);
            missing.addAll(missing(CLASS, file, text, name -> ends(files, name.replace('.', '/') + ".java")));
            missing.addAll(missing(SCRIPT, file, text, name -> ends(files, name.replaceFirst("^(\\.\\./)+", ""))));
            missing.addAll(missing(PROFILE, file, text, name -> profiles.contains("<id>" + name + "</id>")));
            missing.addAll(missing(MODULE, file, text, name -> Files.isDirectory(ROOT.resolve(name))));
        }
        assertEquals(List.of(), missing);
    }

    private static List<String> missing(Pattern pattern, Path file, String text, Predicate<String> isThere) {
        return pattern.matcher(text)
                .results()
                .map(match -> match.group())
                .filter(isThere.negate())
                .map(name -> file + ": " + name)
                .toList();
    }

    private static boolean ends(List<String> files, String end) {
        return files.stream().anyMatch(file -> file.endsWith("/" + end));
    }

    /** The root's and the modules' files, but for what was built. */
    private static List<String> ownFiles() throws IOException {
        var files = new ArrayList<String>();
        Files.walkFileTree(ROOT, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                String name = folder.getFileName().toString();
                boolean isBuilt = name.equals("target") || name.startsWith(".") && !folder.equals(ROOT);
                return isBuilt ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                files.add(file.toString());
                return FileVisitResult.CONTINUE;
            }
        });
        return files;
    }

    private static List<Path> markdown() throws IOException {
        try (Stream<Path> files = Files.find(
                ROOT,
                2,
                (path, attributes) ->
                        path.toString().endsWith(".md") && !path.toString().contains("/."))) {
            return files.toList();
        }
    }

    private static long count(String brace, List<String> code) {
        return code.stream().filter(line -> line.contains(brace)).count();
    }

    private static List<String> stripped(Path file) throws IOException {
        return Files.readAllLines(file).stream().map(String::strip).toList();
    }
}

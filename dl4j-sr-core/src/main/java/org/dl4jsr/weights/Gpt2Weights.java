package org.dl4jsr.weights;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.nn.GptConfiguration;
import org.dl4jsr.updater.ExactState;
import org.dl4jsr.weights.SafetensorsFile.Tensor;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * A GPT-2 as Hugging Face publishes it, open to be read: {@code config.json}, and the weights in
 * {@code model.safetensors}, or in several files that {@code model.safetensors.index.json} names.
 *
 * <pre>{@code
 * try (Gpt2Weights gpt2 = Gpt2Weights.open(Path.of("gpt2"))) {
 *     var graph = new ComputationGraph(Bf16Policy.SR.apply(gpt2.configuration().build().toGraph()));
 *     graph.init();
 *     gpt2.copyTo(graph);
 * }
 * }</pre>
 *
 * <p>Opening checks everything but the weights' values; nothing is read by Java or Python serialization. Weights are read
 * once, from mapped files, which may be larger than memory.
 */
public final class Gpt2Weights implements Closeable {

    static final String WEIGHTS = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    /** Before the names of all tensors but the head, in files of a model with a head. */
    static final String PREFIX = "transformer.";

    private static final int LARGEST_INDEX = 16 << 20;

    /** The causal mask, which old versions saved with each block. */
    private static final Pattern MASK = Pattern.compile("h\\.[0-9]+\\.attn\\.(masked_)?bias");

    private static final Pattern SHARD = Pattern.compile("[\\w.-]+\\.safetensors");
    private static final Pattern PICKLE = Pattern.compile(".*\\.(bin|pt|pth|ckpt)");

    /** A tensor and the file that has it. */
    private record Place(SafetensorsFile file, Tensor tensor) {}

    private final Path folder;
    private final Gpt2Config shape;
    /** By file name. */
    private final Map<String, SafetensorsFile> files = new TreeMap<>();

    private final Map<String, Place> tensors = new HashMap<>();

    private Gpt2Weights(Path folder) throws IOException {
        this.folder = folder;
        shape = Gpt2Config.read(folder.resolve(Gpt2Config.FILE));
    }

    /**
     * Opens the model in {@code folder}.
     *
     * @throws IOException if it is no GPT-2 that {@code org.dl4jsr.nn} computes, or not whole; it names the file and what
     *     is wrong in one line
     */
    public static Gpt2Weights open(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw new IOException(folder + " is no folder: expected one with " + Gpt2Config.FILE + " and " + WEIGHTS);
        }
        if (!Files.exists(folder.resolve(Gpt2Config.FILE))) {
            throw new IOException(
                    folder + " has no " + Gpt2Config.FILE + ": expected a GPT-2 as Hugging Face publishes it");
        }
        var weights = new Gpt2Weights(folder);
        try {
            weights.openFiles();
            weights.check();
            return weights;
        } catch (IOException e) {
            weights.close();
            throw e;
        }
    }

    private void openFiles() throws IOException {
        if (Files.exists(folder.resolve(WEIGHTS))) {
            SafetensorsFile file = file(WEIGHTS);
            for (var entry : file.all().entrySet()) {
                add(entry.getKey(), new Place(file, entry.getValue()));
            }
        } else if (Files.exists(folder.resolve(INDEX))) {
            openShards();
        } else {
            throw new IOException(folder + " has no " + WEIGHTS + pickleHint());
        }
    }

    private void openShards() throws IOException {
        Path index = folder.resolve(INDEX);
        var map = StrictJson.read(index, LARGEST_INDEX).path("weight_map");
        for (var entries = map.fields(); entries.hasNext(); ) {
            var entry = entries.next();
            String name = entry.getValue().asText();
            if (!SHARD.matcher(name).matches()) {
                throw new IOException(
                        index + " names the file " + StrictJson.shown(name) + ", expected a .safetensors beside it");
            }
            SafetensorsFile file = file(name);
            Tensor tensor = file.all().get(entry.getKey());
            if (tensor == null) {
                throw new IOException(file.path() + " has no tensor " + StrictJson.shown(entry.getKey()) + ", which "
                        + index + " says that it has");
            }
            add(entry.getKey(), new Place(file, tensor));
        }
    }

    private SafetensorsFile file(String name) throws IOException {
        SafetensorsFile file = files.get(name);
        if (file == null) {
            if (!Files.exists(folder.resolve(name))) {
                throw new IOException(folder + " has no " + name + ", which " + INDEX + " names");
            }
            file = SafetensorsFile.open(folder.resolve(name));
            files.put(name, file);
        }
        return file;
    }

    private String pickleHint() throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.map(path -> path.getFileName().toString())
                    .filter(name -> PICKLE.matcher(name).matches())
                    .sorted()
                    .findFirst()
                    .map(name -> ", only " + name + ", a pickle, which can hold any code and is never read: save the"
                            + " model with safe_serialization=True")
                    .orElse("");
        }
    }

    private void add(String name, Place place) throws IOException {
        String plain = name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name;
        if (tensors.put(plain, place) != null) {
            throw new IOException(place.file.path() + " has tensor " + StrictJson.shown(plain)
                    + " twice, with and without \"" + PREFIX + "\" before it");
        }
    }

    /** Every tensor of the shape is there with its shape, and no other. */
    private void check() throws IOException {
        Map<String, long[]> expected = shape.tensors();
        for (var entry : expected.entrySet()) {
            Place place = tensors.get(entry.getKey());
            if (place == null) {
                throw new IOException(folder + " has no tensor \"" + entry.getKey() + "\", which its " + Gpt2Config.FILE
                        + " calls for");
            }
            if (!Arrays.equals(place.tensor.shape(), entry.getValue())) {
                throw new IOException("Tensor " + StrictJson.shown(entry.getKey()) + " of " + place.file.path()
                        + " has shape "
                        + Arrays.toString(place.tensor.shape()) + ", expected " + Arrays.toString(entry.getValue())
                        + " by " + Gpt2Config.FILE);
            }
            if (!place.tensor.isFloat()) {
                throw new IOException("Tensor " + StrictJson.shown(entry.getKey()) + " of " + place.file.path()
                        + " has type " + place.tensor.type() + ", expected F32 or BF16");
            }
        }
        for (var entry : tensors.entrySet()) {
            String name = entry.getKey();
            boolean copyOfTokens = shape.tiedHead() && name.equals(Gpt2Tensor.HEAD);
            if (!expected.containsKey(name)
                    && !copyOfTokens
                    && !MASK.matcher(name).matches()) {
                throw new IOException("Tensor " + StrictJson.shown(name) + " of "
                        + entry.getValue().file.path() + " is none of a GPT-2 by " + Gpt2Config.FILE);
            }
        }
    }

    /** The model's shape, to be completed with updater, data type and seed. */
    public GptConfiguration.Builder configuration() {
        return GptConfiguration.builder()
                .layers(shape.layers())
                .width(shape.width())
                .heads(shape.heads())
                .context(shape.context())
                .vocabulary(shape.vocabulary())
                .tiedHead(shape.tiedHead());
    }

    /** As {@link #copyTo(ComputationGraph, Consumer)}; nobody takes the bytes. */
    public void copyTo(ComputationGraph graph) throws IOException {
        copyTo(graph, bytes -> {});
    }

    /**
     * Copies the weights to a GPT of the same shape. FLOAT networks have them exactly. BF16 networks have BF16 weights
     * bit for bit and FP32 ones rounded to nearest, and what that leaves off goes where their updaters have room for it:
     * into the master weights of {@code bf16-o2} and the compensations of {@code bf16-kahan}.
     *
     * @param graph initialized and not trained yet. Its context may be shorter: the first positions are taken then. A
     *     head of its own takes the token table where the model has none
     * @param bytes takes all bytes of the files with weights, in the order of their names, as they are read; such as
     *     {@code digest::update} of a {@link java.security.MessageDigest}
     * @throws IllegalArgumentException if {@code graph} has another shape; then nothing is changed
     * @throws IOException if a file cannot be read, or has a weight that is NaN or infinite; the graph is of no use then
     */
    public void copyTo(ComputationGraph graph, Consumer<ByteBuffer> bytes) throws IOException {
        GptGraph target = GptGraph.of(graph);
        requireSameShape(target.shape());
        var takers = new IdentityHashMap<Tensor, List<Gpt2Tensor>>();
        for (Gpt2Tensor taker : target.tensors().values()) {
            String name = taker.name().equals(Gpt2Tensor.HEAD) && shape.tiedHead() ? Gpt2Tensor.TOKENS : taker.name();
            takers.computeIfAbsent(tensors.get(name).tensor, tensor -> new ArrayList<>())
                    .add(taker);
        }
        for (SafetensorsFile file : files.values()) {
            file.read(bytes, takers::containsKey, (tensor, first, values) -> {
                requireFinite(file, takers.get(tensor).get(0).name(), values);
                for (Gpt2Tensor taker : takers.get(tensor)) {
                    copy(graph, taker, first, values);
                }
            });
        }
    }

    private static void requireFinite(SafetensorsFile file, String name, float[] values) throws IOException {
        for (float value : values) {
            if (!Float.isFinite(value)) {
                throw new IOException("Tensor " + StrictJson.shown(name) + " of " + file.path() + " has the value "
                        + value + ": the model is of no use");
            }
        }
    }

    /** Gives {@code taker} as many of the values, from its element {@code first} on, as it has. */
    private static void copy(ComputationGraph graph, Gpt2Tensor taker, long first, float[] values) {
        int length = (int) Math.min(values.length, taker.length() - first);
        if (length > 0) {
            long start = taker.offset() + first;
            // closed, not left to the collector: together they are as large as the model in FP32
            try (INDArray exact = Nd4j.createFromArray(Arrays.copyOf(values, length))) {
                graph.params()
                        .reshape(graph.params().length())
                        .get(NDArrayIndex.interval(start, start + length))
                        .assign(exact);
                ExactState.keep(graph, start, exact);
            }
        }
    }

    private void requireSameShape(Gpt2Config graph) {
        boolean same = graph.layers() == shape.layers()
                && graph.width() == shape.width()
                && graph.heads() == shape.heads()
                && graph.context() <= shape.context()
                && graph.vocabulary() == shape.vocabulary();
        if (!same) {
            throw new IllegalArgumentException("The graph is " + graph + ", and the model in " + folder + " is " + shape
                    + ": only the context may differ, and be shorter");
        }
        if (graph.tiedHead() && !shape.tiedHead()) {
            throw new IllegalArgumentException(
                    "The graph's head is tied to its token table, and the model in " + folder + " has two matrices");
        }
    }

    @Override
    public void close() throws IOException {
        for (SafetensorsFile file : files.values()) {
            file.close();
        }
    }
}

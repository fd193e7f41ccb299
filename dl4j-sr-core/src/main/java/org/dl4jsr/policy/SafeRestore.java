package org.dl4jsr.policy;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import org.deeplearning4j.nn.conf.ComputationGraphConfiguration;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.dl4jsr.backend.Bf16Executioner;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataBuffer.AllocationMode;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.shape.options.ArrayOptionsHelper;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.shade.jackson.core.JsonFactory;
import org.nd4j.shade.jackson.core.JsonParser;
import org.nd4j.shade.jackson.core.JsonProcessingException;
import org.nd4j.shade.jackson.core.JsonToken;

/**
 * Restores networks that DL4J's {@code ModelSerializer} wrote, from files that need not be trusted: the file is data,
 * none of it is code. In place of {@code ModelSerializer.restoreComputationGraph} and
 * {@code restoreMultiLayerNetwork}, which run Java serialization and load any class that the file names.
 *
 * <ul>
 *   <li>Classes named in the configuration are DL4J's, ND4J's or dl4j-sr's configuration classes, or of packages that
 *       the caller names.
 *   <li>Nothing is read by Java serialization: normalizers and preprocessors in the file are left alone.
 *   <li>Each array has the size that the file holds, the network's type and length, and is dense: checked before
 *       anything is allocated.
 *   <li>What is missing, cut off or too long is an {@link IOException} whose message names file and reason.
 * </ul>
 *
 * Call {@link Bf16Policy#activate} as after any restore.
 */
public final class SafeRestore {

    private static final List<String> PACKAGES = List.of(
            "org.deeplearning4j.nn.conf.",
            "org.deeplearning4j.nn.modelimport.keras.",
            "org.deeplearning4j.nn.weights.",
            "org.dl4jsr.layer.",
            "org.dl4jsr.nn.",
            "org.dl4jsr.policy.",
            "org.dl4jsr.updater.",
            "org.nd4j.linalg.activations.impl.",
            "org.nd4j.linalg.learning.config.",
            "org.nd4j.linalg.learning.regularization.",
            "org.nd4j.linalg.lossfunctions.impl.",
            "org.nd4j.linalg.schedule.");

    private static final String CONFIGURATION = "configuration.json";
    private static final String PARAMETERS = "coefficients.bin";
    private static final String UPDATER_STATE = "updaterState.bin";

    private static final long LARGEST_CONFIGURATION = 64 << 20;
    private static final int DEEPEST_NESTING = 200;
    /** Elements. */
    private static final long PIECE = 1 << 20;
    /** Deflate makes at most 1,032 bytes of one. */
    private static final long LARGEST_EXPANSION = 1032;

    private static final Set<DataType> TYPES =
            Set.of(DataType.BFLOAT16, DataType.FLOAT16, DataType.FLOAT, DataType.DOUBLE);

    private final Path file;
    private final ZipFile zip;
    private final List<String> packages;

    private SafeRestore(Path file, ZipFile zip, String[] packages) {
        this.file = file;
        this.zip = zip;
        this.packages = Stream.concat(PACKAGES.stream(), Stream.of(packages).map(name -> name + "."))
                .toList();
    }

    /**
     * The graph in {@code file}.
     *
     * @param loadUpdater whether the updater's state is restored; then the file must have it
     * @param packages of further classes that the configuration may name, such as the caller's own layers; with those
     *     below them
     * @throws IOException where {@code file} is no such graph, naming file and reason in one line
     * @throws IllegalStateException if the graph is BF16 and dl4j-sr's backend is not in force
     */
    public static ComputationGraph computationGraph(Path file, boolean loadUpdater, String... packages)
            throws IOException {
        try (ZipFile zip = open(file)) {
            var restore = new SafeRestore(file, zip, packages);
            ComputationGraph graph = restore.parsed(
                    "vertices", json -> new ComputationGraph(ComputationGraphConfiguration.fromJson(json)));
            INDArray parameters = restore.parameters(graph.getConfiguration().getDataType());
            restore.attempt(() -> graph.init(parameters, false));
            if (loadUpdater) {
                restore.readInto(graph.getUpdater().getStateViewArray());
            }
            return graph;
        }
    }

    /**
     * The network in {@code file}; parameters as for {@link #computationGraph}.
     *
     * @throws IOException where {@code file} is no such network, naming file and reason in one line
     * @throws IllegalStateException if the network is BF16 and dl4j-sr's backend is not in force
     */
    public static MultiLayerNetwork multiLayerNetwork(Path file, boolean loadUpdater, String... packages)
            throws IOException {
        try (ZipFile zip = open(file)) {
            var restore = new SafeRestore(file, zip, packages);
            MultiLayerNetwork network =
                    restore.parsed("confs", json -> new MultiLayerNetwork(MultiLayerConfiguration.fromJson(json)));
            INDArray parameters =
                    restore.parameters(network.getLayerWiseConfigurations().getDataType());
            restore.attempt(() -> network.init(parameters, false));
            if (loadUpdater) {
                restore.readInto(network.getUpdater().getStateViewArray());
            }
            return network;
        }
    }

    /** A BF16 network of DL4J's parts alone could not say by itself that it runs on another backend. */
    private INDArray parameters(DataType type) throws IOException {
        if (type == DataType.BFLOAT16) {
            Bf16Executioner.requiredBy("A BF16 network");
        }
        ZipEntry entry = entry(PARAMETERS);
        requireWhole(PARAMETERS, entry, header(PARAMETERS, entry), type, -1);
        try (DataInputStream in = stream(entry)) {
            return Nd4j.read(in);
        } catch (RuntimeException e) {
            throw problem(PARAMETERS + " cannot be read: " + firstLine(e), e);
        }
    }

    private static ZipFile open(Path file) throws IOException {
        try {
            return new ZipFile(file.toFile());
        } catch (ZipException e) {
            throw new IOException(file + " is no model: it is no whole zip file (" + e.getMessage() + ")", e);
        }
    }

    /** The network, without parameters, whose configuration the file has; {@code key} is one that its kind has. */
    private <N> N parsed(String key, Function<String, N> parser) throws IOException {
        ZipEntry entry = entry(CONFIGURATION);
        if (entry.getSize() > LARGEST_CONFIGURATION) {
            throw problem(
                    CONFIGURATION + " has " + entry.getSize() + " bytes, expected at most " + LARGEST_CONFIGURATION);
        }
        String json;
        try (InputStream in = zip.getInputStream(entry)) {
            json = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        requireKnownClasses(json);
        if (!json.contains('"' + key + '"')) {
            throw problem(CONFIGURATION + " has no \"" + key + "\": expected "
                    + (key.equals("confs")
                            ? "a MultiLayerNetwork; computationGraph restores graphs"
                            : "a ComputationGraph; multiLayerNetwork restores the other kind"));
        }
        try {
            return parser.apply(json);
        } catch (RuntimeException e) {
            throw problem(CONFIGURATION + " is no configuration of this kind of network: " + firstLine(e), e);
        }
    }

    /** Looks at the JSON as tokens, so that neither a class is loaded nor depth costs stack. */
    private void requireKnownClasses(String json) throws IOException {
        try (JsonParser parser = new JsonFactory().createParser(json)) {
            int depth = 0;
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
                if (depth > DEEPEST_NESTING) {
                    throw problem(CONFIGURATION + " is nested more than " + DEEPEST_NESTING + " deep");
                }
                if (token == JsonToken.VALUE_STRING && namesClass(parser) && !isKnown(parser.getText())) {
                    throw problem(CONFIGURATION + " names the class " + parser.getText()
                            + ", which is none of DL4J's, ND4J's or dl4j-sr's configuration classes");
                }
            }
        } catch (JsonProcessingException e) {
            throw problem(CONFIGURATION + " is no JSON: " + firstLine(e), e);
        }
    }

    /** "type" names the class of a distribution; elsewhere it is a constant without a dot. */
    private static boolean namesClass(JsonParser parser) throws IOException {
        String field = parser.getCurrentName();
        return "@class".equals(field)
                || "type".equals(field) && !parser.getText().matches("[A-Z0-9_]*");
    }

    private boolean isKnown(String name) {
        return name.matches("[\\w.$]+") && packages.stream().anyMatch(name::startsWith);
    }

    /**
     * Reads the updater's state into the array that the network has for it, piece by piece, since it is the largest array
     * of all; null where the network has no state.
     */
    private void readInto(INDArray state) throws IOException {
        if (state == null || state.length() == 0) {
            return;
        }
        ZipEntry entry = entry(UPDATER_STATE);
        requireWhole(UPDATER_STATE, entry, header(UPDATER_STATE, entry), null, state.length());
        INDArray flat = state.reshape(state.length());
        try (DataInputStream in = stream(entry)) {
            DataType type = DataType.valueOf(new Header(in).type);
            for (long start = 0; start < flat.length(); start += PIECE) {
                long length = Math.min(PIECE, flat.length() - start);
                DataBuffer buffer = Nd4j.createBuffer(type, length, false);
                buffer.read(in, AllocationMode.MIXED_DATA_TYPES, length, type);
                try (INDArray piece = Nd4j.create(buffer, new long[] {length}, new long[] {1}, 0, 'c', type)) {
                    flat.get(NDArrayIndex.interval(start, start + length)).assign(piece);
                }
            }
        } catch (RuntimeException e) {
            throw problem(UPDATER_STATE + " cannot be read: " + firstLine(e), e);
        }
    }

    private DataInputStream stream(ZipEntry entry) throws IOException {
        return new DataInputStream(new BufferedInputStream(zip.getInputStream(entry)));
    }

    private Header header(String name, ZipEntry entry) throws IOException {
        try (DataInputStream in = stream(entry)) {
            return new Header(in);
        } catch (IOException e) {
            throw problem(name + " does not begin with an array's shape", e);
        }
    }

    /** What stands before an array's elements: its shape information, and their number and type. */
    private static final class Header {

        private final long[] shapeInformation;
        private final String allocation;
        private final long length;
        private final String type;
        private final long bytes;

        Header(DataInputStream in) throws IOException {
            String shapeAllocation = in.readUTF();
            long shapeLength = in.readLong();
            String shapeType = in.readUTF();
            if (!shapeAllocation.equals(AllocationMode.MIXED_DATA_TYPES.name())
                    || !shapeType.equals(DataType.INT64.name())
                    || shapeLength < 4
                    || shapeLength > 2 * 32 + 4) {
                throw new IOException("not a shape of up to 32 dimensions");
            }
            shapeInformation = new long[(int) shapeLength];
            for (int i = 0; i < shapeInformation.length; i++) {
                shapeInformation[i] = in.readLong();
            }
            allocation = in.readUTF();
            length = in.readLong();
            type = in.readUTF();
            bytes = 2L
                    + shapeAllocation.length()
                    + 8
                    + 2
                    + shapeType.length()
                    + 8 * shapeLength
                    + 2
                    + allocation.length()
                    + 8
                    + 2
                    + type.length();
        }

        /** Whether the elements are those of a vector, [n] or [1, n], that lie one after the other. */
        boolean isDenseVector() {
            int rank = (int) shapeInformation[0];
            if (rank < 1 || rank > 2 || shapeInformation.length != 2 * rank + 4) {
                return false;
            }
            boolean vector = shapeInformation[rank] == length && (rank == 1 || shapeInformation[1] == 1);
            return vector && (length == 1 || shapeInformation[2 * rank] == 1);
        }
    }

    private void requireWhole(String name, ZipEntry entry, Header header, DataType type, long length)
            throws IOException {
        DataType found = TYPES.stream()
                .filter(candidate -> candidate.name().equals(header.type))
                .findFirst()
                .orElseThrow(() -> problem(name + " has elements of type " + header.type));
        if (!header.allocation.equals(AllocationMode.MIXED_DATA_TYPES.name())
                || !header.isDenseVector()
                || ArrayOptionsHelper.dataType(header.shapeInformation) != found) {
            throw problem(name + " is no dense vector");
        }
        if (type != null && found != type) {
            throw problem(name + " has elements of type " + found + ", expected " + type);
        }
        if (length >= 0 && header.length != length) {
            throw problem(name + " has " + header.length + " elements, expected " + length);
        }
        long held = entry.getSize() - header.bytes;
        if (header.length < 0 || held < 0 || held % found.width() != 0 || held / found.width() != header.length) {
            throw problem(name + " says that it has " + header.length + " elements of " + found.width()
                    + " bytes, and the file holds " + held + " bytes of them");
        }
        if (entry.getSize() / LARGEST_EXPANSION > entry.getCompressedSize()) {
            throw problem(name + " says that it has " + entry.getSize() + " bytes, which " + entry.getCompressedSize()
                    + " compressed ones cannot give");
        }
    }

    /** DL4J checks the number of parameters before it allocates anything. */
    private void attempt(Runnable initialization) throws IOException {
        try {
            initialization.run();
        } catch (RuntimeException e) {
            throw problem(PARAMETERS + " and " + CONFIGURATION + " are not of one network: " + firstLine(e), e);
        }
    }

    private ZipEntry entry(String name) throws IOException {
        ZipEntry entry = zip.getEntry(name);
        if (entry == null) {
            throw problem("it has no " + name);
        }
        return entry;
    }

    private IOException problem(String reason) {
        return problem(reason, null);
    }

    private IOException problem(String reason, Throwable cause) {
        return new IOException(file + " cannot be restored: " + reason, cause);
    }

    private static String firstLine(Throwable e) {
        Throwable root = e;
        var seen = new ArrayList<Throwable>();
        while (root.getCause() != null && !seen.contains(root.getCause())) {
            seen.add(root);
            root = root.getCause();
        }
        String message = root.getMessage() == null ? "" : root.getMessage();
        return root.getClass().getSimpleName() + " "
                + message.lines().findFirst().orElse("");
    }
}

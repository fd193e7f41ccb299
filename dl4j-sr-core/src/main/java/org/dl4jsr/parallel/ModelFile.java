package org.dl4jsr.parallel;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.api.buffer.DataBuffer.AllocationMode;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Networks as files that DL4J's ModelSerializer reads, and as it writes them but for the compression: that takes a minute
 * for 124 million BF16 parameters, and saves a fifth of the file.
 */
public final class ModelFile {

    private static final int BUFFER = 1 << 20;

    private ModelFile() {}

    /**
     * Writes a network with its updater's state.
     *
     * @param network an initialised MultiLayerNetwork or ComputationGraph
     * @param out stays open
     */
    public static void write(Model network, OutputStream out) throws IOException {
        TrainedNetwork trained = TrainedNetwork.of(network);
        ZipOutputStream zip = begin(trained, out);
        INDArray state = trained.updater(true).getStateViewArray();
        if (state != null && state.length() > 0) {
            DataOutputStream data = entry(ModelSerializer.UPDATER_BIN, zip);
            Nd4j.write(state, data);
            data.flush();
        }
        zip.finish();
    }

    /**
     * Writes the network of ranks that train together, with the whole updater state. All of them call it, and the state
     * goes to the first one in pieces: none needs the memory for it.
     *
     * @param out of the first rank gets the file, those of others nothing; stays open
     */
    public static void write(DataParallel training, OutputStream out) throws IOException {
        boolean first = training.collective().rank() == 0;
        if (!training.isSharded()) {
            if (first) {
                write(training.network().model(), out);
            }
        } else if (first) {
            ZipOutputStream zip = begin(training.network(), out);
            writeSharedState(training, entry(ModelSerializer.UPDATER_BIN, zip));
            zip.finish();
        } else {
            training.stateToFirst(piece -> {});
        }
    }

    /**
     * Reads the updater state in a file of {@link #write}, of a network like this one: each rank what it keeps of it.
     *
     * @throws IOException where the file cannot be read, or has no such state; the ranks' may have changed then
     */
    public static void readState(DataParallel training, Path file) throws IOException {
        DataType type = training.network().parameters().dataType();
        var expected = new ByteArrayOutputStream();
        writeHeader(training.stateLength(), type, new DataOutputStream(expected));
        try (ZipFile zip = new ZipFile(file.toFile())) {
            ZipEntry entry = zip.getEntry(ModelSerializer.UPDATER_BIN);
            if (entry == null) {
                throw new IOException(file + " has no updater state");
            }
            try (InputStream in = zip.getInputStream(entry)) {
                if (!Arrays.equals(in.readNBytes(expected.size()), expected.toByteArray())) {
                    throw new IOException(file + " has other updater state than " + training.stateLength() + " " + type
                            + " elements");
                }
                WholeState.read(in, training.collective().device(), training.states(), type.width());
            }
        }
    }

    /** As Nd4j.write would write DL4J's view of the whole state. */
    private static void writeSharedState(DataParallel training, DataOutputStream data) throws IOException {
        DataType type = training.network().parameters().dataType();
        writeHeader(training.stateLength(), type, data);
        try {
            training.stateToFirst(piece -> writeElements(piece, type.width(), data));
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        data.flush();
    }

    private static void writeHeader(long length, DataType type, DataOutputStream data) throws IOException {
        Nd4j.getShapeInfoProvider()
                .createShapeInformation(new long[] {length}, Nd4j.order(), type)
                .getFirst()
                .write(data);
        data.writeUTF(AllocationMode.MIXED_DATA_TYPES.name());
        data.writeLong(length);
        data.writeUTF(type.name());
    }

    private static void writeElements(ByteBuffer elements, int width, DataOutputStream data) {
        var bytes = new byte[elements.remaining()];
        elements.get(bytes);
        ArrayBytes.toBigEndian(bytes, width);
        try {
            data.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A file with configuration and weights. */
    private static ZipOutputStream begin(TrainedNetwork network, OutputStream out) throws IOException {
        ZipOutputStream zip = new ZipOutputStream(out);
        zip.setLevel(Deflater.NO_COMPRESSION);
        zip.putNextEntry(new ZipEntry(ModelSerializer.CONFIGURATION_JSON));
        zip.write(network.configurationJson().getBytes(StandardCharsets.UTF_8));
        DataOutputStream data = entry(ModelSerializer.COEFFICIENTS_BIN, zip);
        Nd4j.write(network.model().params(), data);
        data.flush();
        return zip;
    }

    private static DataOutputStream entry(String name, ZipOutputStream zip) throws IOException {
        zip.putNextEntry(new ZipEntry(name));
        return new DataOutputStream(new BufferedOutputStream(zip, BUFFER));
    }
}

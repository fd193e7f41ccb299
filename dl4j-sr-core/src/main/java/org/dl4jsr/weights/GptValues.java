package org.dl4jsr.weights;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.rounding.BFloat16;
import org.dl4jsr.updater.ExactState;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** A graph's parameters as they go into a file: little-endian, FLOAT or BFLOAT16, rounded to nearest where need be. */
final class GptValues {

    private static final int CHUNK = 1 << 20;

    private final INDArray parameters;
    private final DataType type;

    /** @param type of what is written; as FLOAT a BF16 network gives its master weights or compensations, too */
    GptValues(ComputationGraph graph, DataType type) {
        INDArray all = type == DataType.FLOAT ? ExactState.weights(graph) : graph.params();
        this.parameters = all.reshape(all.length());
        this.type = type;
    }

    DataType type() {
        return type;
    }

    static int width(DataType type) {
        return type == DataType.FLOAT ? Float.BYTES : Short.BYTES;
    }

    /** The tensor as {@code asType}, as it lies in the graph. */
    void write(Gpt2Tensor tensor, DataType asType, OutputStream out) throws IOException {
        for (long start = 0; start < tensor.length(); start += CHUNK) {
            int length = (int) Math.min(CHUNK, tensor.length() - start);
            out.write(bytes(floats(tensor.offset() + start, length), asType));
        }
    }

    /** The tensor as {@code asType}, its columns as rows. */
    void writeTransposed(Gpt2Tensor tensor, DataType asType, OutputStream out) throws IOException {
        int rows = (int) tensor.shape()[0];
        int columns = (int) tensor.shape()[1];
        float[] values = floats(tensor.offset(), rows * columns);
        var column = new float[rows];
        for (int j = 0; j < columns; j++) {
            for (int i = 0; i < rows; i++) {
                column[i] = values[i * columns + j];
            }
            out.write(bytes(column, asType));
        }
    }

    private float[] floats(long offset, int length) {
        return parameters
                .get(NDArrayIndex.interval(offset, offset + length))
                .castTo(DataType.FLOAT)
                .dup()
                .data()
                .asFloat();
    }

    private static byte[] bytes(float[] values, DataType type) {
        ByteBuffer bytes = ByteBuffer.allocate(values.length * width(type)).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            if (type == DataType.FLOAT) {
                bytes.putFloat(value);
            } else {
                bytes.putShort(BFloat16.fromFloat(value));
            }
        }
        return bytes.array();
    }
}

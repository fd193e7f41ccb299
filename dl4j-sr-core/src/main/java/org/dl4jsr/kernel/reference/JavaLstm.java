package org.dl4jsr.kernel.reference;

import org.dl4jsr.kernel.FloatType;

/** The LSTM's cells of {@link JavaArrayKernels}; everything between load and store in double. */
final class JavaLstm {

    private final FloatArray gates;
    private final FloatArray previous;
    private final FloatArray cell;
    private final int width;

    JavaLstm(long gates, long previous, long cell, int width) {
        this.gates = new FloatArray(FloatType.FLOAT, gates);
        this.previous = new FloatArray(FloatType.FLOAT, previous);
        this.cell = new FloatArray(FloatType.FLOAT, cell);
        this.width = width;
    }

    void forward(long bias, long output, int rows) {
        var biases = new FloatArray(FloatType.BFLOAT16, bias);
        var out = new FloatArray(FloatType.BFLOAT16, output);
        for (long row = 0; row < rows; row++) {
            for (int c = 0; c < width; c++) {
                double in = Math.tanh(sum(biases, row, c));
                double forget = sigmoid(sum(biases, row, width + c));
                double open = sigmoid(sum(biases, row, 2 * width + c));
                double write = sigmoid(sum(biases, row, 3 * width + c));
                long at = row * width + c;
                double state = forget * previous.get(at) + write * in;
                gates.set(gate(row, c), in);
                gates.set(gate(row, width + c), forget);
                gates.set(gate(row, 2 * width + c), open);
                gates.set(gate(row, 3 * width + c), write);
                cell.set(at, state);
                out.set(at, open * Math.tanh(state));
            }
        }
    }

    void backward(long dOutput, long dState, long dCell, long dGates, int rows) {
        var above = new FloatArray(FloatType.BFLOAT16, dOutput);
        var after = new FloatArray(FloatType.FLOAT, dState);
        var dCells = new FloatArray(FloatType.FLOAT, dCell);
        var dz = new FloatArray(FloatType.BFLOAT16, dGates);
        for (long row = 0; row < rows; row++) {
            for (int c = 0; c < width; c++) {
                double in = gates.get(gate(row, c));
                double forget = gates.get(gate(row, width + c));
                double open = gates.get(gate(row, 2 * width + c));
                double write = gates.get(gate(row, 3 * width + c));
                long at = row * width + c;
                double gradient = above.get(at) + (dState == 0 ? 0 : (double) after.get(at));
                double active = Math.tanh(cell.get(at));
                double dc = dCells.get(at) + gradient * open * (1 - active * active);
                dz.set(gate(row, c), dc * write * (1 - in * in));
                dz.set(gate(row, width + c), dc * previous.get(at) * forget * (1 - forget));
                dz.set(gate(row, 2 * width + c), gradient * active * open * (1 - open));
                dz.set(gate(row, 3 * width + c), dc * in * write * (1 - write));
                dCells.set(at, dc * forget);
            }
        }
    }

    private double sum(FloatArray bias, long row, int column) {
        return (double) gates.get(gate(row, column)) + bias.get(column);
    }

    private long gate(long row, int column) {
        return 4 * row * width + column;
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }
}

package org.dl4jsr.nn;

/**
 * One parameter array of a layer and how it starts: normally distributed.
 *
 * @param shape row-major; [rows, columns] of a matrix, or [length] of a bias, gain: what weight decay leaves alone
 * @param deviation 0 where every element starts at {@code mean}
 */
record Parameter(String name, long[] shape, double mean, double deviation) {

    static Parameter matrix(String name, long rows, long columns, double deviation) {
        return new Parameter(name, new long[] {rows, columns}, 0, deviation);
    }

    static Parameter vector(String name, long length, double start) {
        return new Parameter(name, new long[] {length}, start, 0);
    }

    boolean isMatrix() {
        return shape.length == 2;
    }

    long length() {
        return isMatrix() ? shape[0] * shape[1] : shape[0];
    }
}

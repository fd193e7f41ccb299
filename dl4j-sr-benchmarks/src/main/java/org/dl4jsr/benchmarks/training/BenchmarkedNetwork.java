package org.dl4jsr.benchmarks.training;

import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;

/**
 * What is measured of a network.
 *
 * @param fit a training step on a batch
 * @param output inference on features
 */
record BenchmarkedNetwork(Consumer<DataSet> fit, Consumer<INDArray> output) {}

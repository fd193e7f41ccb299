package org.dl4jsr.updater;

import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Some of a network's updater state.
 *
 * @param start its first element in DL4J's view of the whole state, as it would be if the state were not shared
 * @param values the elements, [n], a view
 */
public record StateRange(long start, INDArray values) {}

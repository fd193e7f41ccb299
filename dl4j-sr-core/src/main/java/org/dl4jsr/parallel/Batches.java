package org.dl4jsr.parallel;

import org.nd4j.linalg.dataset.api.MultiDataSet;

/**
 * The micro-batches of a training, by number. The same numbers give the same examples on every rank and after a resume:
 * read them from a file, a pinned shuffle or a seeded generator, not from an iterator that goes on by itself.
 */
@FunctionalInterface
public interface Batches {

    /**
     * One micro-batch; all of a run have as many examples. {@code dataSet.toMultiDataSet()} makes one of a DataSet.
     *
     * @param step of the training, from 0
     * @param part of the step, from 0
     */
    MultiDataSet batch(long step, int part);
}

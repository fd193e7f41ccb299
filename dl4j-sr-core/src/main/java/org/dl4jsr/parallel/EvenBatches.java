package org.dl4jsr.parallel;

import java.util.List;
import java.util.NoSuchElementException;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.DataSetPreProcessor;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

/**
 * A rank's share of the data that ends on all ranks at once: as soon as one of them has no more, or has a last batch that
 * is smaller than its first one. What others have left is not used in that epoch.
 */
public final class EvenBatches implements DataSetIterator {

    private final DataSetIterator share;
    private final Collective collective;
    private DataSet next;
    private long size;

    /** All ranks read theirs in the same order of calls. */
    public EvenBatches(DataSetIterator share, Collective collective) {
        this.share = share;
        this.collective = collective;
    }

    @Override
    public boolean hasNext() {
        if (next == null) {
            DataSet own = share.hasNext() ? share.next() : null;
            if (own != null && size == 0) {
                size = own.numExamples();
            }
            boolean whole = own != null && own.numExamples() == size;
            boolean all = true;
            for (long[] rank : collective.gather(whole ? 1 : 0)) {
                all &= rank[0] == 1;
            }
            next = all ? own : null;
        }
        return next != null;
    }

    @Override
    public DataSet next() {
        if (!hasNext()) {
            throw new NoSuchElementException("A rank has no more batches: call hasNext first");
        }
        DataSet batch = next;
        next = null;
        return batch;
    }

    @Override
    public void reset() {
        next = null;
        share.reset();
    }

    @Override
    public boolean resetSupported() {
        return share.resetSupported();
    }

    /** No: another thread would ask the other ranks amid a step. */
    @Override
    public boolean asyncSupported() {
        return false;
    }

    @Override
    public DataSet next(int examples) {
        throw new UnsupportedOperationException("Batches have the size that the rank's share of the data gives them");
    }

    @Override
    public int batch() {
        return share.batch();
    }

    @Override
    public int inputColumns() {
        return share.inputColumns();
    }

    @Override
    public int totalOutcomes() {
        return share.totalOutcomes();
    }

    @Override
    public void setPreProcessor(DataSetPreProcessor preProcessor) {
        share.setPreProcessor(preProcessor);
    }

    @Override
    public DataSetPreProcessor getPreProcessor() {
        return share.getPreProcessor();
    }

    @Override
    public List<String> getLabels() {
        return share.getLabels();
    }
}

package org.dl4jsr.parallel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.layers.RecurrentLayer;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * A micro-batch in the segments of truncated back-propagation through time, as DL4J's fit cuts it, and what its
 * recurrent layers carry from one segment to the next. Without truncation it is one segment.
 */
final class Segments {

    private static final int TIME = 2;

    private final TrainedNetwork network;
    private final MultiDataSet batch;
    private final int length;
    private final long time;
    /** By identity: a layer's hash code follows from its contents. */
    private final IdentityHashMap<RecurrentLayer, Map<String, INDArray>> carried = new IdentityHashMap<>();

    /** @throws IllegalArgumentException where truncated back-propagation finds sequences of several lengths or none */
    Segments(TrainedNetwork network, MultiDataSet batch) {
        this.network = network;
        this.batch = batch;
        length = network.segmentLength();
        time = length == 0 ? 1 : time(batch);
    }

    private static long time(MultiDataSet batch) {
        var arrays = new ArrayList<>(Arrays.asList(batch.getFeatures()));
        arrays.addAll(Arrays.asList(batch.getLabels()));
        long[] times = arrays.stream()
                .filter(array -> array.rank() == 3)
                .mapToLong(array -> array.size(TIME))
                .distinct()
                .toArray();
        if (times.length != 1) {
            throw new IllegalArgumentException("Truncated back-propagation through time of sequences of "
                    + (times.length == 0 ? "no length" : "the lengths " + Arrays.toString(times))
                    + ": expected features and labels [batch, width, time] of one length");
        }
        return times[0];
    }

    /** Examples. */
    int batchSize() {
        return Math.toIntExact(batch.getFeatures(0).size(0));
    }

    int count() {
        return length == 0 ? 1 : Math.toIntExact((time + length - 1) / length);
    }

    /** Computes gradient and score of a segment; the segments come in order. */
    void computeGradient(int segment) {
        if (length == 0) {
            network.computeGradient(batch);
            return;
        }
        List<RecurrentLayer> layers = new ArrayList<>();
        addRecurrent(network.layers(), layers);
        for (RecurrentLayer layer : layers) {
            layer.rnnClearPreviousState();
            if (segment > 0) {
                layer.rnnSetPreviousState(carried.get(layer));
                layer.rnnSetTBPTTState(carried.get(layer));
            }
        }
        network.computeGradient(part(segment));
        for (RecurrentLayer layer : layers) {
            carried.put(layer, layer.rnnGetTBPTTState());
            layer.rnnClearPreviousState();
        }
    }

    private static void addRecurrent(List<Layer> layers, List<RecurrentLayer> recurrent) {
        for (Layer layer : layers) {
            if (layer instanceof RecurrentLayer one) {
                recurrent.add(one);
            } else if (layer instanceof BaseWrapperLayer wrapper) {
                addRecurrent(List.of(wrapper.getUnderlying()), recurrent);
            } else if (layer instanceof MultiLayerNetwork inner) {
                addRecurrent(Arrays.asList(inner.getLayers()), recurrent);
            }
        }
    }

    private MultiDataSet part(int segment) {
        long start = (long) segment * length;
        long end = Math.min(start + length, time);
        return new org.nd4j.linalg.dataset.MultiDataSet(
                parts(batch.getFeatures(), start, end),
                parts(batch.getLabels(), start, end),
                masks(batch.getFeaturesMaskArrays(), start, end),
                masks(batch.getLabelsMaskArrays(), start, end));
    }

    private static INDArray[] parts(INDArray[] arrays, long start, long end) {
        return Arrays.stream(arrays)
                .map(array -> array.rank() == 3
                        ? array.get(NDArrayIndex.all(), NDArrayIndex.all(), NDArrayIndex.interval(start, end))
                        : array)
                .toArray(INDArray[]::new);
    }

    private static INDArray[] masks(INDArray[] masks, long start, long end) {
        return masks == null
                ? null
                : Arrays.stream(masks)
                        .map(mask ->
                                mask == null ? null : mask.get(NDArrayIndex.all(), NDArrayIndex.interval(start, end)))
                        .toArray(INDArray[]::new);
    }
}

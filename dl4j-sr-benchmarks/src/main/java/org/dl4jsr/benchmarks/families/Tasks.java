package org.dl4jsr.benchmarks.families;

import java.util.Arrays;
import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;

/** Small things to learn by heart; FLOAT, as a user has them. */
final class Tasks {

    static final int EXAMPLES = 16;
    static final int CLASSES = 3;
    /** Time steps of sequences. */
    static final int STEPS = 4;

    private Tasks() {}

    /** Arrays of {@code shape}, each its class's pattern with noise; the labels are one-hot. */
    static MultiDataSet patterns(int... shape) {
        var random = new Random(11);
        INDArray patterns = gaussian(random, CLASSES, shape);
        for (int c = 0; c < CLASSES; c++) { // so that it shows in means, too
            INDArray channels = gaussian(random, 1, shape[0]);
            for (int channel = 0; channel < shape[0]; channel++) {
                patterns.slice(c).slice(channel).addi(channels.getDouble(0, channel));
            }
        }
        INDArray features = gaussian(random, EXAMPLES, shape).muli(0.5);
        INDArray labels = Nd4j.create(DataType.FLOAT, EXAMPLES, CLASSES);
        for (int i = 0; i < EXAMPLES; i++) {
            features.slice(i).addi(patterns.slice(i % CLASSES));
            labels.putScalar(i, i % CLASSES, 1);
        }
        return new MultiDataSet(features, labels);
    }

    /**
     * Sequences [example, size, step]; each step's one-hot label is of the largest of the first three values, summed
     * over the step and the one before.
     */
    static MultiDataSet steps(int size) {
        INDArray features = gaussian(new Random(12), EXAMPLES, size, STEPS);
        INDArray labels = Nd4j.create(DataType.FLOAT, EXAMPLES, CLASSES, STEPS);
        for (int i = 0; i < EXAMPLES; i++) {
            for (int t = 0; t < STEPS; t++) {
                int best = 0;
                var sums = new double[CLASSES];
                for (int c = 0; c < CLASSES; c++) {
                    sums[c] = features.getDouble(i, c, t) + (t == 0 ? 0 : features.getDouble(i, c, t - 1));
                    best = sums[c] > sums[best] ? c : best;
                }
                labels.putScalar(new int[] {i, best, t}, 1);
            }
        }
        return new MultiDataSet(features, labels);
    }

    /** {@link #steps} that end early, by feature and label masks. */
    static MultiDataSet maskedSteps(int size) {
        MultiDataSet data = steps(size);
        return new MultiDataSet(
                data.getFeatures(), data.getLabels(), new INDArray[] {lengths()}, new INDArray[] {lengths()});
    }

    /** A mask [example, step] of sequences that end early. */
    static INDArray lengths() {
        INDArray mask = Nd4j.create(DataType.FLOAT, EXAMPLES, STEPS);
        for (int i = 0; i < EXAMPLES; i++) {
            for (int t = 0; t < 2 + i % (STEPS - 1); t++) {
                mask.putScalar(i, t, 1);
            }
        }
        return mask;
    }

    /** Token ids below {@code vocabulary}, in an array [example, tokens]; the label is one of the first token's. */
    static MultiDataSet tokens(int vocabulary, int tokens) {
        var random = new Random(13);
        INDArray features = Nd4j.create(DataType.FLOAT, EXAMPLES, tokens);
        INDArray labels = Nd4j.create(DataType.FLOAT, EXAMPLES, CLASSES);
        for (int i = 0; i < EXAMPLES; i++) {
            for (int t = 0; t < tokens; t++) {
                features.putScalar(i, t, random.nextInt(vocabulary));
            }
            labels.putScalar(i, random.nextInt(CLASSES), 1);
        }
        return new MultiDataSet(features, labels);
    }

    /** Normally distributed. */
    static INDArray gaussian(Random random, int examples, int... shape) {
        long[] all = new long[shape.length + 1];
        all[0] = examples;
        Arrays.setAll(all, i -> i == 0 ? examples : shape[i - 1]);
        INDArray array = Nd4j.create(DataType.FLOAT, all);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, random.nextGaussian());
        }
        return array;
    }
}

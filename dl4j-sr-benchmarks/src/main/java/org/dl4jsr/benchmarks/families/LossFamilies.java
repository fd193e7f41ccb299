package org.dl4jsr.benchmarks.families;

import static org.dl4jsr.benchmarks.families.Family.chain;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.Cnn3DLossLayer;
import org.deeplearning4j.nn.conf.layers.CnnLossLayer;
import org.deeplearning4j.nn.conf.layers.Convolution3D;
import org.deeplearning4j.nn.conf.layers.Convolution3D.DataFormat;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.LossLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnLossLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.ILossFunction;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;
import org.nd4j.linalg.lossfunctions.impl.LossFMeasure;
import org.nd4j.linalg.lossfunctions.impl.LossMixtureDensity;
import org.nd4j.linalg.lossfunctions.impl.LossMultiLabel;
import org.nd4j.linalg.ops.transforms.Transforms;

/** Every loss function at the end of every kind of network. */
final class LossFamilies {

    private static final int CHANNELS = 5;
    private static final int OUTPUTS = 3;

    /** What a loss takes for labels. */
    private enum Labels {
        REAL,
        POSITIVE,
        BINARY,
        SIGNS,
        ONE_HOT,
        INDEX,
        DISTRIBUTION
    }

    private record Target(Labels labels, Activation activation) {}

    private static final Map<LossFunction, Target> TARGETS = Map.ofEntries(
            Map.entry(LossFunction.MSE, new Target(Labels.REAL, Activation.IDENTITY)),
            Map.entry(LossFunction.SQUARED_LOSS, new Target(Labels.REAL, Activation.IDENTITY)),
            Map.entry(LossFunction.L1, new Target(Labels.REAL, Activation.IDENTITY)),
            Map.entry(LossFunction.L2, new Target(Labels.REAL, Activation.IDENTITY)),
            Map.entry(LossFunction.MEAN_ABSOLUTE_ERROR, new Target(Labels.REAL, Activation.IDENTITY)),
            Map.entry(LossFunction.COSINE_PROXIMITY, new Target(Labels.REAL, Activation.IDENTITY)),
            Map.entry(LossFunction.MEAN_ABSOLUTE_PERCENTAGE_ERROR, new Target(Labels.POSITIVE, Activation.SOFTPLUS)),
            Map.entry(LossFunction.MEAN_SQUARED_LOGARITHMIC_ERROR, new Target(Labels.POSITIVE, Activation.SOFTPLUS)),
            Map.entry(LossFunction.POISSON, new Target(Labels.POSITIVE, Activation.SOFTPLUS)),
            Map.entry(LossFunction.XENT, new Target(Labels.BINARY, Activation.SIGMOID)),
            Map.entry(LossFunction.HINGE, new Target(Labels.SIGNS, Activation.IDENTITY)),
            Map.entry(LossFunction.SQUARED_HINGE, new Target(Labels.SIGNS, Activation.IDENTITY)),
            Map.entry(LossFunction.WASSERSTEIN, new Target(Labels.SIGNS, Activation.TANH)),
            Map.entry(LossFunction.MCXENT, new Target(Labels.ONE_HOT, Activation.SOFTMAX)),
            Map.entry(LossFunction.NEGATIVELOGLIKELIHOOD, new Target(Labels.ONE_HOT, Activation.SOFTMAX)),
            Map.entry(LossFunction.SPARSE_MCXENT, new Target(Labels.INDEX, Activation.SOFTMAX)),
            Map.entry(LossFunction.KL_DIVERGENCE, new Target(Labels.DISTRIBUTION, Activation.SOFTMAX)),
            Map.entry(LossFunction.RECONSTRUCTION_CROSSENTROPY, new Target(Labels.DISTRIBUTION, Activation.SOFTMAX)));

    private LossFamilies() {}

    static List<Family> all() {
        var families = new ArrayList<Family>();
        for (LossFunction loss : LossFunction.values()) {
            families.addAll(of(loss));
        }
        families.addAll(others());
        return faster(families);
    }

    /** Each loss once, the kinds of network taking turns. */
    static List<Family> representative() {
        var families = new ArrayList<Family>();
        for (LossFunction loss : LossFunction.values()) {
            List<Family> kinds = of(loss);
            families.add(kinds.get(loss.ordinal() % kinds.size()));
        }
        families.addAll(others());
        return faster(families);
    }

    private static List<Family> faster(List<Family> families) {
        return families.stream()
                .map(family -> family.with(builder -> builder.updater(new Adam(1e-2))))
                .toList();
    }

    private static List<Family> of(LossFunction loss) {
        Target target = TARGETS.get(loss);
        var families = new ArrayList<>(List.of(
                chain(
                        "OutputLayer, " + loss,
                        data(target.labels),
                        InputType.feedForward(CHANNELS),
                        output(loss.getILossFunction(), OUTPUTS, target.activation)),
                chain(
                        "LossLayer, " + loss,
                        data(target.labels),
                        InputType.feedForward(CHANNELS),
                        Layers.dense(OUTPUTS, Activation.IDENTITY),
                        new LossLayer.Builder(loss)
                                .activation(target.activation)
                                .build()),
                chain(
                        "RnnOutputLayer, " + loss,
                        data(target.labels, 3),
                        InputType.recurrent(CHANNELS, 3),
                        new SimpleRnn.Builder().nOut(8).build(),
                        new RnnOutputLayer.Builder(loss)
                                .nOut(OUTPUTS)
                                .activation(target.activation)
                                .build()),
                chain(
                        "RnnLossLayer, " + loss,
                        data(target.labels, 3),
                        InputType.recurrent(CHANNELS, 3),
                        new SimpleRnn.Builder()
                                .nOut(OUTPUTS)
                                .activation(Activation.IDENTITY)
                                .build(),
                        new RnnLossLayer.Builder(loss)
                                .activation(target.activation)
                                .build()),
                chain(
                        "Cnn3DLossLayer, " + loss,
                        data(target.labels, 2, 2, 1),
                        InputType.convolutional3D(DataFormat.NCDHW, 2, 2, 1, CHANNELS),
                        new Convolution3D.Builder(1, 1, 1)
                                .nOut(OUTPUTS)
                                .activation(Activation.IDENTITY)
                                .build(),
                        new Cnn3DLossLayer.Builder(DataFormat.NCDHW)
                                .lossFunction(loss)
                                .activation(target.activation)
                                .build())));
        if (loss != LossFunction.SPARSE_MCXENT) { // whose labels' shape a CnnLossLayer refuses
            families.add(chain(
                    "CnnLossLayer, " + loss,
                    data(target.labels, 2, 2),
                    InputType.convolutional(2, 2, CHANNELS),
                    new ConvolutionLayer.Builder(1, 1)
                            .nOut(OUTPUTS)
                            .activation(Activation.IDENTITY)
                            .build(),
                    new CnnLossLayer.Builder(loss).activation(target.activation).build()));
        }
        return families;
    }

    /** Losses that are not in the enum. */
    private static List<Family> others() {
        return List.of(
                chain(
                        "OutputLayer, LossFMeasure",
                        binary(),
                        InputType.feedForward(CHANNELS),
                        output(new LossFMeasure(), 1, Activation.SIGMOID)),
                chain(
                        "OutputLayer, LossMultiLabel",
                        few(data(Labels.BINARY)),
                        InputType.feedForward(CHANNELS),
                        output(new LossMultiLabel(), OUTPUTS, Activation.IDENTITY)),
                chain(
                                "OutputLayer, LossMixtureDensity",
                                data(Labels.REAL),
                                InputType.feedForward(CHANNELS),
                                output(
                                        LossMixtureDensity.builder()
                                                .gaussians(2)
                                                .labelWidth(OUTPUTS)
                                                .build(),
                                        2 * (OUTPUTS + 2),
                                        Activation.IDENTITY))
                        .with(builder -> builder.updater(new Adam(5e-3))));
    }

    private static OutputLayer output(ILossFunction loss, int outputs, Activation activation) {
        return new OutputLayer.Builder(loss)
                .nOut(outputs)
                .activation(activation)
                .build();
    }

    /** The loss goes through them one by one. */
    private static MultiDataSet few(MultiDataSet data) {
        return new MultiDataSet(
                data.getFeatures(0).get(NDArrayIndex.interval(0, 4)),
                data.getLabels(0).get(NDArrayIndex.interval(0, 4)));
    }

    private static MultiDataSet binary() {
        MultiDataSet data = data(Labels.BINARY);
        return new MultiDataSet(data.getFeatures(0), data.getLabels(0).getColumn(0, true));
    }

    /** Features of so many positions, and at each of them labels by one linear map of its features. */
    private static MultiDataSet data(Labels kind, int... positions) {
        var random = new Random(14);
        int[] shape = new int[positions.length + 1];
        System.arraycopy(positions, 0, shape, 1, positions.length);
        shape[0] = CHANNELS;
        INDArray features = Tasks.gaussian(random, Tasks.EXAMPLES, shape);
        INDArray map = Tasks.gaussian(random, OUTPUTS, CHANNELS);
        INDArray values = Nd4j.tensorMmul(features, map, new int[][] {{1}, {1}}); // [example, position..., output]
        int last = values.rank() - 1;
        int[] channelsFirst = new int[values.rank()];
        channelsFirst[1] = last;
        for (int i = 2; i <= last; i++) {
            channelsFirst[i] = i - 1;
        }
        values = values.permute(channelsFirst).dup('c');
        INDArray labels =
                switch (kind) {
                    case REAL -> Transforms.tanh(values);
                    case POSITIVE -> Transforms.exp(values.mul(0.5));
                    case BINARY -> values.gt(0).castTo(DataType.FLOAT);
                    case SIGNS -> Transforms.sign(values);
                    case ONE_HOT -> values.eq(values.max(true, 1)).castTo(DataType.FLOAT);
                    case INDEX -> Nd4j.expandDims(values.argMax(1).castTo(DataType.FLOAT), 1);
                    case DISTRIBUTION -> Nd4j.nn().softmax(values, 1);
                };
        return new MultiDataSet(features, labels);
    }
}

package org.dl4jsr.benchmarks.families;

import static org.dl4jsr.benchmarks.families.Family.chain;
import static org.dl4jsr.benchmarks.families.Layers.classifier;
import static org.dl4jsr.benchmarks.families.Layers.stepClassifier;

import java.util.ArrayList;
import java.util.List;
import org.deeplearning4j.nn.conf.RNNFormat;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.PoolingType;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.LastTimeStep;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.recurrent.TimeDistributed;
import org.deeplearning4j.nn.conf.layers.util.MaskLayer;
import org.deeplearning4j.nn.conf.layers.util.MaskZeroLayer;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** Recurrent layers and what goes around them. */
final class RecurrentFamilies {

    private static final int SIZE = 4;
    private static final InputType SEQUENCE = InputType.recurrent(SIZE, Tasks.STEPS);

    private RecurrentFamilies() {}

    @SuppressWarnings("deprecation") // GravesLSTM trains, too
    static List<Family> all() {
        var families = new ArrayList<Family>();
        for (Layer layer : List.of(
                lstm(),
                new GravesLSTM.Builder().nOut(6).build(),
                new GravesBidirectionalLSTM.Builder().nOut(6).build(),
                rnn())) {
            String name = layer.getClass().getSimpleName();
            families.add(chain(name, Tasks.steps(SIZE), SEQUENCE, layer, stepClassifier()));
            families.add(chain(name + " with masks", Tasks.maskedSteps(SIZE), SEQUENCE, layer, stepClassifier()));
            if (!(layer instanceof GravesBidirectionalLSTM)) {
                families.add(chain(
                                name + ", truncated back-propagation",
                                Tasks.steps(SIZE),
                                SEQUENCE,
                                layer,
                                stepClassifier())
                        .truncated(2));
            }
        }
        families.add(chain(
                "LSTM, time before size",
                timeFirst(),
                InputType.recurrent(SIZE, Tasks.STEPS, RNNFormat.NWC),
                new LSTM.Builder().nOut(6).dataFormat(RNNFormat.NWC).build(),
                new RnnOutputLayer.Builder(LossFunction.MCXENT)
                        .nOut(Tasks.CLASSES)
                        .activation(Activation.SOFTMAX)
                        .dataFormat(RNNFormat.NWC)
                        .build()));
        for (Bidirectional.Mode mode : Bidirectional.Mode.values()) {
            families.add(chain(
                    "Bidirectional SimpleRnn, " + mode,
                    Tasks.steps(SIZE),
                    SEQUENCE,
                    new Bidirectional(mode, rnn()),
                    stepClassifier()));
        }
        families.add(chain(
                "Bidirectional LSTM with masks",
                Tasks.maskedSteps(SIZE),
                SEQUENCE,
                new Bidirectional(Bidirectional.Mode.CONCAT, lstm()),
                stepClassifier()));
        families.add(chain(
                "LastTimeStep", Tasks.patterns(SIZE, Tasks.STEPS), SEQUENCE, new LastTimeStep(lstm()), classifier()));
        families.add(chain("LastTimeStep with masks", masked(), SEQUENCE, new LastTimeStep(rnn()), classifier()));
        families.add(chain(
                "TimeDistributed",
                Tasks.steps(SIZE),
                SEQUENCE,
                new TimeDistributed(Layers.dense(6), RNNFormat.NCW),
                rnn(),
                stepClassifier()));
        families.add(chain(
                "Dense between recurrent layers",
                Tasks.steps(SIZE),
                SEQUENCE,
                rnn(),
                Layers.dense(6),
                rnn(),
                stepClassifier()));
        families.add(chain("MaskLayer", Tasks.maskedSteps(SIZE), SEQUENCE, rnn(), new MaskLayer(), stepClassifier()));
        families.add(chain(
                "MaskZero",
                zeros(),
                SEQUENCE,
                new MaskZeroLayer.Builder().underlying(lstm()).maskValue(0).build(),
                stepClassifier()));
        for (PoolingType pooling : PoolingType.values()) {
            families.add(chain(
                    "GlobalPooling of sequences with masks, " + pooling,
                    masked(),
                    SEQUENCE,
                    rnn(),
                    new GlobalPoolingLayer(pooling),
                    classifier()));
        }
        families.replaceAll(family -> family.with(builder -> builder.updater(new Adam(1e-2))));
        return families;
    }

    private static LSTM lstm() {
        return new LSTM.Builder().nOut(6).build();
    }

    private static SimpleRnn rnn() {
        return new SimpleRnn.Builder().nOut(6).build();
    }

    /** Sequences of one class each, that end early. */
    private static MultiDataSet masked() {
        MultiDataSet data = Tasks.patterns(SIZE, Tasks.STEPS);
        return new MultiDataSet(data.getFeatures(), data.getLabels(), new INDArray[] {Tasks.lengths()}, null);
    }

    private static MultiDataSet timeFirst() {
        MultiDataSet data = Tasks.steps(SIZE);
        return new MultiDataSet(
                data.getFeatures(0).permute(0, 2, 1).dup('c'),
                data.getLabels(0).permute(0, 2, 1).dup('c'));
    }

    /** Sequences whose later steps are 0. */
    private static MultiDataSet zeros() {
        MultiDataSet data = Tasks.steps(SIZE);
        INDArray mask = Tasks.lengths().reshape(Tasks.EXAMPLES, 1, Tasks.STEPS);
        return new MultiDataSet(data.getFeatures(0).mul(mask), data.getLabels(0).mul(mask));
    }
}

package org.dl4jsr.examples.study;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.HtmlReport.Chart;
import org.dl4jsr.examples.report.TextTable;
import org.dl4jsr.examples.study.Findings.Section;
import org.dl4jsr.examples.study.Findings.Verdict;
import org.dl4jsr.policy.Bf16Policy;
import org.dl4jsr.updater.SrAdam;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.LossFunctions.LossFunction;

/** {@code replicas}: data-parallel replicas that share the random bits of the weight write, and such that do not. */
final class ReplicasStudy implements Study {

    private static final int SEEDS = 5;
    private static final double[] STEPS = {1, 10, 100, 1000};
    private static final double LEARNING_RATE = 3e-3;
    private static final int INPUTS = 16;
    private static final int WIDTH = 64;
    private static final int CLASSES = 4;
    private static final int BATCH = 32;
    private static final int TEST_EXAMPLES = 2048;

    @Override
    public String name() {
        return "replicas";
    }

    @Override
    public String title() {
        return "Replicas: shared against separate random bits";
    }

    @Override
    public String claim() {
        return """
                The paper: replicas that train on averaged gradients must draw the same random bits for the weight write, or
                their weights drift apart.
                Here: two replicas of a BF16 network of 16-64-64-4 units under SrAdam (learning rate 3e-3), each with the
                gradient of its own 32 examples a step, which are averaged in FP32 and given to both. Once both have the same
                seed, once two. After 1, 10, 100 and 1,000 steps: the root mean square of the difference of their weights,
                the share of the weights that differ, and the loss on 2,048 other examples, as a mean of both and of
                their average, rounded to nearest.""";
    }

    @Override
    public Findings run(long seed, int divisor) {
        double[] steps = Arrays.stream(STEPS)
                .filter(step -> step <= STEPS[STEPS.length - 1] / divisor)
                .toArray();
        List<Replicas> shared = new ArrayList<>();
        List<Replicas> separate = new ArrayList<>();
        for (long s = seed; s < seed + SEEDS; s++) {
            shared.add(Replicas.train(s, s, steps));
            separate.add(Replicas.train(s, ~s, steps));
        }
        int last = steps.length - 1;
        Measurement sharedDrift = Measurement.of(steps, shared, Replicas::drift);
        Measurement drift = Measurement.of(steps, separate, Replicas::drift);
        Measurement differing = Measurement.of(steps, separate, Replicas::differing);
        Measurement sharedLoss = Measurement.of(steps, shared, Replicas::loss);
        Measurement separateCost = new Measurement(
                steps,
                IntStream.range(0, SEEDS)
                        .mapToObj(i -> difference(separate.get(i).loss, shared.get(i).loss))
                        .toList());
        Measurement loss = Measurement.of(steps, separate, Replicas::loss);
        Measurement averageLoss = Measurement.of(steps, separate, Replicas::averageLoss);
        Measurement cost = Measurement.of(steps, separate, Replicas::costOfAveraging);

        TextTable table = new TextTable()
                .row(
                        "steps",
                        "shared: drift",
                        "separate: drift",
                        "weights that differ",
                        "shared: loss",
                        "separate less shared",
                        "average of the weights less separate");
        for (int i = 0; i < steps.length; i++) {
            table.row(
                    Texts.format("%.0f", steps[i]),
                    sharedDrift.at(i),
                    drift.at(i),
                    differing.at(i),
                    sharedLoss.at(i),
                    separateCost.at(i),
                    cost.at(i));
        }
        double worstShared = shared.stream()
                .mapToDouble(run -> Arrays.stream(run.drift).max().orElseThrow())
                .max()
                .orElseThrow();
        return new Findings(
                List.of(
                        new Verdict(
                                "with shared random bits replicas stay the same, bit for bit",
                                "largest drift " + worstShared,
                                worstShared == 0),
                        new Verdict(
                                "with separate ones they drift apart, further with every step",
                                Texts.format(
                                        "from %s after one step to %s after %.0f",
                                        drift.at(0), drift.at(last), steps[last]),
                                drift.at(0).low() > 0
                                        && drift.at(last).low() > drift.at(0).high()),
                        new Verdict(
                                "separate bits cost loss",
                                Texts.format(
                                        "after %.0f steps separate less shared: %s; averaging the two's weights adds %s",
                                        steps[last], separateCost.at(last), cost.at(last)),
                                separateCost.at(last).low() > 0)),
                List.of(new Section("Two replicas (mean and 95% interval over " + SEEDS + " seeds)", table)),
                List.of(
                        new Chart(
                                "Drift of the weights",
                                "steps",
                                "root mean square difference",
                                true,
                                false,
                                List.of(sharedDrift.series("shared"), drift.series("separate"))),
                        new Chart(
                                "Weights that differ",
                                "steps",
                                "share",
                                true,
                                false,
                                List.of(differing.series("separate"))),
                        new Chart(
                                "Loss on other examples",
                                "steps",
                                "loss",
                                true,
                                false,
                                List.of(
                                        sharedLoss.series("shared"),
                                        loss.series("separate, a replica"),
                                        averageLoss.series("separate, average of the weights"))),
                        new Chart(
                                "What averaging the weights costs",
                                "steps",
                                "loss of the average less that of a replica",
                                true,
                                false,
                                List.of(cost.series("separate")))));
    }

    private static double[] difference(double[] values, double[] others) {
        double[] difference = new double[values.length];
        Arrays.setAll(difference, i -> values[i] - others[i]);
        return difference;
    }

    /**
     * Two replicas over their steps.
     *
     * @param drift root mean square of the difference of their weights
     * @param differing the share of their weights that differ
     * @param loss mean of the two on other examples
     * @param averageLoss with the mean of their weights
     */
    private record Replicas(double[] drift, double[] differing, double[] loss, double[] averageLoss) {

        /** Weights and data are of {@code seed}; so are the random bits of the first replica. */
        static Replicas train(long seed, long secondSeed, double[] at) {
            Replicas replicas = new Replicas(
                    new double[at.length], new double[at.length], new double[at.length], new double[at.length]);
            Task task = new Task(seed);
            DataSet test = task.examples(TEST_EXAMPLES);
            MultiLayerNetwork first = network(seed, seed);
            MultiLayerNetwork second = network(seed, secondSeed);
            int done = 0;
            for (int i = 0; i < at.length; i++) {
                for (; done < at[i]; done++) {
                    step(first, second, task, done);
                }
                replicas.compare(first, second, test, i);
            }
            return replicas;
        }

        /** As {@code fit} would, but with the mean of both gradients. */
        private static void step(MultiLayerNetwork first, MultiLayerNetwork second, Task task, int iteration) {
            INDArray mean = gradient(first, task.examples(BATCH))
                    .addi(gradient(second, task.examples(BATCH)))
                    .divi(2);
            for (MultiLayerNetwork replica : List.of(first, second)) {
                INDArray update = replica.getFlattenedGradients().reshape(mean.length());
                update.assign(mean);
                replica.getUpdater()
                        .update(replica, replica.gradient(), iteration, 0, BATCH, LayerWorkspaceMgr.noWorkspaces());
                replica.params().subi(update);
            }
        }

        private static INDArray gradient(MultiLayerNetwork network, DataSet batch) {
            network.setInput(batch.getFeatures());
            network.setLabels(batch.getLabels());
            network.computeGradientAndScore();
            return network.getFlattenedGradients().castTo(DataType.FLOAT).reshape(network.numParams());
        }

        private void compare(MultiLayerNetwork first, MultiLayerNetwork second, DataSet test, int index) {
            INDArray weights = first.params().castTo(DataType.FLOAT);
            INDArray others = second.params().castTo(DataType.FLOAT);
            INDArray difference = weights.sub(others);
            drift[index] = difference.norm2Number().doubleValue() / Math.sqrt(difference.length());
            differing[index] =
                    difference.neq(0).castTo(DataType.FLOAT).meanNumber().doubleValue();
            loss[index] = (first.score(test) + second.score(test)) / 2;
            MultiLayerNetwork average = first.clone();
            average.setParams(weights.add(others).divi(2).castTo(DataType.BFLOAT16));
            averageLoss[index] = average.score(test);
        }

        double[] costOfAveraging() {
            return difference(averageLoss, loss);
        }

        private static MultiLayerNetwork network(long seed, long roundingSeed) {
            MultiLayerNetwork network = new MultiLayerNetwork(Bf16Policy.SR.apply(new NeuralNetConfiguration.Builder()
                    .seed(seed)
                    .updater(SrAdam.builder()
                            .learningRate(LEARNING_RATE)
                            .seed(roundingSeed)
                            .build())
                    .list()
                    .layer(dense(INPUTS))
                    .layer(dense(WIDTH))
                    .layer(new OutputLayer.Builder(LossFunction.MCXENT)
                            .nIn(WIDTH)
                            .nOut(CLASSES)
                            .activation(Activation.SOFTMAX)
                            .build())
                    .build()));
            network.init();
            return network;
        }

        private static DenseLayer dense(int inputs) {
            return new DenseLayer.Builder()
                    .nIn(inputs)
                    .nOut(WIDTH)
                    .activation(Activation.TANH)
                    .build();
        }
    }

    /** Normal inputs, to be told apart by the largest of four random quadratic forms, now and then by none. */
    private static final class Task {

        private static final double MISLABELLED = 0.1;

        private final Random random;
        private final double[][][] forms = new double[CLASSES][INPUTS][INPUTS];

        Task(long seed) {
            random = new Random(seed);
            for (double[][] form : forms) {
                for (double[] row : form) {
                    Arrays.setAll(row, i -> random.nextGaussian());
                }
            }
        }

        DataSet examples(int count) {
            float[][] features = new float[count][INPUTS];
            float[][] labels = new float[count][CLASSES];
            for (int example = 0; example < count; example++) {
                for (int i = 0; i < INPUTS; i++) {
                    features[example][i] = (float) random.nextGaussian();
                }
                boolean mislabelled = random.nextDouble() < MISLABELLED;
                labels[example][mislabelled ? random.nextInt(CLASSES) : label(features[example])] = 1;
            }
            return new DataSet(Nd4j.createFromArray(features), Nd4j.createFromArray(labels));
        }

        private int label(float[] x) {
            int best = 0;
            double highest = Double.NEGATIVE_INFINITY;
            for (int c = 0; c < CLASSES; c++) {
                double value = 0;
                for (int i = 0; i < INPUTS; i++) {
                    for (int j = 0; j < INPUTS; j++) {
                        value += forms[c][i][j] * x[i] * x[j];
                    }
                }
                if (value > highest) {
                    highest = value;
                    best = c;
                }
            }
            return best;
        }
    }
}

package org.dl4jsr.benchmarks.families;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.gradient.DefaultGradient;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.updater.BaseMultiLayerUpdater;
import org.deeplearning4j.nn.updater.LayerUpdater;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.policy.Bf16Policy;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.indexing.INDArrayIndex;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * How far a parameter goes in many small steps that all go one way, each below half an ulp of most weights: the
 * signs of its family's first gradient, given to the updater again and again, as a share of the way in FLOAT.
 *
 * @param parameter its name
 * @param statistic whether a layer delivers its steps, and no updater has a part in them
 * @param share 1 is as far as in FLOAT
 */
record SmallSteps(String parameter, boolean statistic, double share) {

    /** Half an ulp of a weight of 0.2 is more. */
    private static final double LEARNING_RATE = 4e-4;
    /** Of statistics, which have no learning rate; half an ulp of 1 is twice as much and more. */
    private static final double STATISTICS_STEP = 1e-3;
    /** FLOAT goes the same way in each. */
    private static final int FLOAT_STEPS = 10;
    /** Of the way in FLOAT; few elements spread around it. */
    private static final double TOLERANCE = 0.35;

    private static final Set<String> STATISTICS = Set.of("mean", "var", "cL");

    /** Of all parameters that FLOAT moves, in the order of the network. */
    static List<SmallSteps> of(Family family, Bf16Policy policy, int steps) {
        Model wide = learner(family, Bf16Policy.FP32);
        Model bf16 = learner(family, policy);
        INDArray direction = direction(wide, bf16);
        INDArray expected = way(wide, direction, FLOAT_STEPS).muli((double) steps / FLOAT_STEPS);
        INDArray actual = way(bf16, direction, steps);
        var all = new ArrayList<SmallSteps>();
        bf16.paramTable().forEach((name, parameter) -> {
            INDArrayIndex place = place(bf16, parameter);
            INDArray whole = expected.get(place);
            double distance = whole.norm1Number().doubleValue();
            if (distance > 0) {
                double share = actual.get(place)
                                .mul(Transforms.sign(whole, true))
                                .sumNumber()
                                .doubleValue()
                        / distance;
                all.add(new SmallSteps(name, isStatistic(name), share));
            }
        });
        return all;
    }

    /** What has stalled or gone astray, or null; under {@code bf16-nearest} weights do, which is what it is for. */
    static String failure(List<SmallSteps> all, Bf16Policy policy) {
        List<SmallSteps> failed = all.stream()
                .filter(one -> policy != Bf16Policy.NEAREST || one.statistic)
                .filter(one -> !(Math.abs(one.share - 1) <= TOLERANCE))
                .toList();
        return failed.isEmpty() ? null : policy + ": " + failed;
    }

    private static boolean isStatistic(String parameter) {
        return STATISTICS.contains(parameter.substring(parameter.lastIndexOf('_') + 1));
    }

    /** The model that learns, its gradients computed: a graph, or its first layer where that is pretrained. */
    private static Model learner(Family family, Bf16Policy policy) {
        var graph = new ComputationGraph(policy.apply(family.graph().apply(Twins.builder(LEARNING_RATE))));
        graph.init();
        Twins.gradients(graph, family);
        return family.pretrained() ? Twins.firstLayer(graph) : graph;
    }

    private static INDArray direction(Model wide, Model bf16) {
        INDArray gradient = wide.getGradientsViewArray();
        INDArray direction = Transforms.sign(gradient.reshape(gradient.length()), true);
        bf16.paramTable().forEach((name, parameter) -> {
            if (isStatistic(name)) {
                direction.get(place(bf16, parameter)).muli(STATISTICS_STEP);
            }
        });
        return direction;
    }

    private static INDArrayIndex place(Model model, INDArray parameter) {
        long start = parameter.offset() - model.params().offset();
        return NDArrayIndex.interval(start, start + parameter.length());
    }

    /** From where the parameters are to where {@code steps} steps take them, FLOAT [n]. */
    private static INDArray way(Model model, INDArray direction, int steps) {
        BaseMultiLayerUpdater<?> updater =
                model instanceof ComputationGraph graph ? graph.getUpdater() : new LayerUpdater((Layer) model);
        INDArray parameters = model.params();
        INDArray gradient = model.getGradientsViewArray();
        Gradient all = gradients(model);
        INDArray given = direction.reshape(gradient.shape());
        INDArray start = wide(parameters);
        for (int i = 0; i < steps; i++) {
            gradient.assign(given);
            updater.update(all, i, 0, 1, LayerWorkspaceMgr.noWorkspaces());
            parameters.subi(gradient.reshape(parameters.shape()));
        }
        return wide(parameters).subi(start);
    }

    /** DL4J's updater looks whether the array is its own. */
    private static Gradient gradients(Model model) {
        return model instanceof ComputationGraph
                ? model.gradient()
                : new DefaultGradient(model.getGradientsViewArray());
    }

    private static INDArray wide(INDArray parameters) {
        return parameters.castTo(DataType.FLOAT).dup().reshape(parameters.length());
    }
}

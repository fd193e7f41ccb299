package org.dl4jsr.updater;

import java.util.Collection;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.Model;
import org.deeplearning4j.nn.conf.BackpropType;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.deeplearning4j.optimize.solvers.BaseOptimizer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.DataSet;
import org.nd4j.linalg.dataset.api.MultiDataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * One optimizer step from several batches, for batches larger than memory: {@link #add} each, then {@link #step}. The
 * gradients are summed in FP32, so that a BF16 gradient is rounded once more and not once a batch; their mean takes the
 * place of the network's gradient. In networks with {@code miniBatch(true)}, DL4J's default, that is the gradient of one
 * large batch, but for what depends on a whole batch: batch normalization sees one batch at a time. Masks are those of
 * the data sets. Takes 4 bytes a parameter.
 *
 * <pre>{@code
 * var accumulation = new GradientAccumulation(network);
 * for (DataSet batch : batches) {
 *     accumulation.add(batch);
 * }
 * double loss = accumulation.step();
 * }</pre>
 */
public final class GradientAccumulation {

    /** Elements cast at once, to need little memory beside the sums. */
    private static final long CHUNK = 1 << 20;

    /** What the two classes of networks do alike, but have no common interface for. */
    private interface Network {

        Model model();

        BackpropType backpropType();

        void initGradientsView();

        /** Computes gradient and score of {@code batch}. */
        void computeGradient(MultiDataSet batch);

        /** Turns the gradient into what is to be subtracted. */
        void update(int iteration, int epoch, int batchSize);

        Collection<TrainingListener> listeners();

        Layer[] layers();
    }

    private record Layered(MultiLayerNetwork model) implements Network {

        @Override
        public BackpropType backpropType() {
            return model.getLayerWiseConfigurations().getBackpropType();
        }

        @Override
        public void initGradientsView() {
            model.initGradientsView();
        }

        @Override
        public void computeGradient(MultiDataSet batch) {
            model.setLayerMaskArrays(only(batch.getFeaturesMaskArrays()), only(batch.getLabelsMaskArrays()));
            model.setInput(only(batch.getFeatures()));
            model.setLabels(only(batch.getLabels()));
            model.computeGradientAndScore();
            model.clearLayerMaskArrays();
        }

        @Override
        public void update(int iteration, int epoch, int batchSize) {
            model.getUpdater()
                    .update(model, model.gradient(), iteration, epoch, batchSize, LayerWorkspaceMgr.noWorkspaces());
        }

        @Override
        public Collection<TrainingListener> listeners() {
            return model.getListeners();
        }

        @Override
        public Layer[] layers() {
            return model.getLayers();
        }

        private static INDArray only(INDArray[] arrays) {
            if (arrays == null) {
                return null;
            }
            if (arrays.length != 1) {
                throw new IllegalArgumentException(
                        arrays.length + " arrays in a data set for a MultiLayerNetwork, expected one");
            }
            return arrays[0];
        }
    }

    private record Graph(ComputationGraph model) implements Network {

        @Override
        public BackpropType backpropType() {
            return model.getConfiguration().getBackpropType();
        }

        @Override
        public void initGradientsView() {
            model.initGradientsView();
        }

        @Override
        public void computeGradient(MultiDataSet batch) {
            model.setLayerMaskArrays(batch.getFeaturesMaskArrays(), batch.getLabelsMaskArrays());
            model.setInputs(batch.getFeatures());
            model.setLabels(batch.getLabels());
            model.computeGradientAndScore();
            model.clearLayerMaskArrays();
        }

        @Override
        public void update(int iteration, int epoch, int batchSize) {
            model.getUpdater().update(model.gradient(), iteration, epoch, batchSize, LayerWorkspaceMgr.noWorkspaces());
        }

        @Override
        public Collection<TrainingListener> listeners() {
            return model.getListeners();
        }

        @Override
        public Layer[] layers() {
            return model.getLayers();
        }
    }

    private final Network network;
    private final INDArray sums;
    private int batches;
    private int batchSize;
    private double scores;

    /** @throws IllegalArgumentException for truncated backpropagation through time, which takes several steps a batch */
    public GradientAccumulation(MultiLayerNetwork network) {
        this(new Layered(network));
    }

    /** @throws IllegalArgumentException for truncated backpropagation through time, which takes several steps a batch */
    public GradientAccumulation(ComputationGraph network) {
        this(new Graph(network));
    }

    private GradientAccumulation(Network network) {
        if (network.backpropType() != BackpropType.Standard) {
            throw new IllegalArgumentException("Backpropagation is " + network.backpropType()
                    + ", expected Standard: a batch of truncated backpropagation is several steps by itself");
        }
        if (network.model().getGradientsViewArray() == null) {
            network.initGradientsView();
        }
        this.network = network;
        this.sums = Nd4j.create(DataType.FLOAT, network.model().numParams());
    }

    /**
     * Adds the gradient of a batch, forward and backward.
     *
     * @throws IllegalArgumentException where {@code batch} has another size than those before it in this step
     */
    public void add(DataSet batch) {
        add(batch.toMultiDataSet());
    }

    /**
     * Adds the gradient of a batch, forward and backward.
     *
     * @throws IllegalArgumentException where {@code batch} has another size than those before it in this step
     */
    public void add(MultiDataSet batch) {
        int size = Math.toIntExact(batch.getFeatures(0).size(0));
        if (batches > 0 && size != batchSize) {
            throw new IllegalArgumentException("A batch of " + size + " examples after one of " + batchSize
                    + ": expected batches of one size within a step");
        }
        if (batches == 0) {
            sums.assign(0);
            scores = 0;
        }
        network.computeGradient(batch);
        addTo(sums, gradient());
        batchSize = size;
        batches++;
        scores += network.model().score();
    }

    /**
     * Takes the step, as DL4J's fit does once the gradient is there: listeners, updater, parameters, counters,
     * constraints. What comes after {@link #add} belongs to the next step.
     *
     * @return the mean score of the batches
     * @throws IllegalStateException where no batch was added
     */
    public double step() {
        if (batches == 0) {
            throw new IllegalStateException("There is no gradient to take a step with: add a batch first");
        }
        int count = batches;
        batches = 0;
        sums.divi(count);
        assignTo(gradient(), sums);
        Model model = network.model();
        int iteration = BaseOptimizer.getIterationCount(model);
        int epoch = BaseOptimizer.getEpochCount(model);
        for (TrainingListener listener : network.listeners()) {
            listener.onGradientCalculation(model);
        }
        network.update(iteration, epoch, batchSize);
        model.params().subi(gradient());
        for (TrainingListener listener : network.listeners()) {
            listener.iterationDone(model, iteration, epoch);
        }
        BaseOptimizer.incrementIterationCount(model, 1);
        model.applyConstraints(iteration + 1, epoch);
        for (Layer layer : network.layers()) {
            layer.setIterationCount(iteration + 1);
        }
        return scores / count;
    }

    private INDArray gradient() {
        INDArray view = network.model().getGradientsViewArray();
        return view.reshape(view.length());
    }

    private static void addTo(INDArray sums, INDArray gradient) {
        for (long start = 0; start < sums.length(); start += CHUNK) {
            INDArray part = part(gradient, start);
            INDArray floats = part.castTo(DataType.FLOAT);
            part(sums, start).addi(floats);
            if (floats != part) {
                floats.close();
            }
        }
    }

    private static void assignTo(INDArray gradient, INDArray sums) {
        for (long start = 0; start < sums.length(); start += CHUNK) {
            part(gradient, start).assign(part(sums, start));
        }
    }

    private static INDArray part(INDArray vector, long start) {
        return vector.get(NDArrayIndex.interval(start, Math.min(start + CHUNK, vector.length())));
    }
}

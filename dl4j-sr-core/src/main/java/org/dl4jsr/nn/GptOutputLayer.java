package org.dl4jsr.nn;

import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.deeplearning4j.exception.DL4JInvalidInputException;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.api.layers.IOutputLayer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.FrozenLayer;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.op.LayerNorm;
import org.dl4jsr.op.LayerNormGradient;
import org.dl4jsr.op.MatrixProduct;
import org.dl4jsr.op.SoftmaxCrossEntropy;
import org.dl4jsr.op.StepPart;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.DataSet;
import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Implementation of {@link GptOutput}. The backward pass does the forward pass too, as DL4J's output layers do, and
 * keeps the loss for the score, so that a training step computes the logits once.
 */
@SuppressWarnings("ThreadLocalUsage") // one a layer and thread: they go with the layer
public final class GptOutputLayer extends SequenceLayer<GptOutput> implements IOutputLayer {

    private final transient ThreadLocal<INDArray> labels = new ThreadLocal<>();

    /** Asked once: then it is a constant. */
    private final transient ThreadLocal<Supplier<Double>> loss = new ThreadLocal<>();

    private transient Supplier<Layer> embedding;

    GptOutputLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    /** Uses the token table of this layer, which may be wrapped (frozen), as the head. */
    void tieTo(Supplier<Layer> embedding) {
        this.embedding = embedding;
    }

    /** Rows are tokens; targets INT32, -1 where a token does not count, and how many do. */
    private record Targets(INDArray values, long count) {}

    private record Normed(INDArray x, INDArray y, INDArray mean, INDArray rstd) {}

    @Override
    public void setInput(INDArray input, LayerWorkspaceMgr workspaceMgr) {
        super.setInput(input, workspaceMgr);
        loss.remove();
    }

    @Override
    public void setLabels(INDArray labels) {
        this.labels.set(labels);
        loss.remove();
    }

    @Override
    public INDArray getLabels() {
        return labels.get();
    }

    @Override
    public boolean needsLabels() {
        return true;
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(false);
        var normed = normed(ArrayType.FF_WORKING_MEM, workspaceMgr);
        INDArray y = createFloat(
                ArrayType.ACTIVATIONS,
                workspaceMgr,
                input().size(0),
                input().size(1),
                layerConf().getNOut());
        logits(normed, y);
        return layerConf().getActivationFn().getActivation(y, training);
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(true);
        var place = ArrayType.BP_WORKING_MEM;
        var normed = normed(place, workspaceMgr);
        var targets = targets(place, workspaceMgr);
        long rows = normed.y.size(0);
        INDArray dLogits = create(place, workspaceMgr, rows, layerConf().getNOut());
        logits(normed, dLogits);
        // DL4J divides the gradient by the batch if miniBatch is set; the loss is a mean over tokens either way
        double batch = conf().isMiniBatch() ? input().size(0) : 1;
        INDArray losses = createFloat(place, workspaceMgr, rows);
        var crossEntropy = new SoftmaxCrossEntropy(
                        dLogits, targets.values, losses, dLogits, (float) (batch / targets.count))
                .reading();
        Nd4j.exec(crossEntropy);
        loss.set(() -> sum(crossEntropy.read()) / targets.count); // asked for once the backward pass is queued

        INDArray dHead = headGradient();
        if (dHead != null) {
            Nd4j.exec(new MatrixProduct(StepPart.HEAD, dLogits, true, normed.y, false, dHead));
        }
        INDArray dNormed = create(place, workspaceMgr, rows, input().size(2));
        Nd4j.exec(new MatrixProduct(StepPart.HEAD, dLogits, false, head(), false, dNormed));
        INDArray dx = create(ArrayType.ACTIVATION_GRAD, workspaceMgr, input().shape());
        Nd4j.exec(new LayerNormGradient(
                normed.x,
                getParam(GptOutput.NORM_GAIN),
                normed.mean,
                normed.rstd,
                dNormed,
                null,
                dx,
                gradientViews.get(GptOutput.NORM_GAIN),
                gradientViews.get(GptOutput.NORM_BIAS)));
        return new Pair<>(gradients(), dx);
    }

    @Override
    public double computeScore(double fullNetworkRegScore, boolean training, LayerWorkspaceMgr workspaceMgr) {
        double mean;
        if (loss.get() == null) {
            var targets = targets(ArrayType.FF_WORKING_MEM, workspaceMgr);
            mean = sum(losses(targets, workspaceMgr).data().asFloat()) / targets.count;
        } else {
            mean = loss.get().get();
        }
        loss.set(() -> mean);
        score = mean + fullNetworkRegScore;
        return score;
    }

    /** The mean loss of each sequence [batch, 1], FLOAT; 0 where none of its tokens counts. */
    @Override
    public INDArray computeScoreForExamples(double fullNetworkRegScore, LayerWorkspaceMgr workspaceMgr) {
        var targets = targets(ArrayType.FF_WORKING_MEM, workspaceMgr);
        INDArray losses = losses(targets, workspaceMgr);
        int batch = (int) getLabels().size(0);
        int time = (int) getLabels().size(1);
        INDArray scores = createFloat(ArrayType.ACTIVATIONS, workspaceMgr, batch, 1);
        for (int example = 0; example < batch; example++) {
            double sum = 0;
            int count = 0;
            for (int i = example * time; i < (example + 1) * time; i++) {
                sum += losses.data().getFloat(i);
                count += targets.values.data().getInt(i) < 0 ? 0 : 1;
            }
            scores.putScalar(example, 0, sum / Math.max(1, count) + fullNetworkRegScore);
        }
        return scores;
    }

    private INDArray losses(Targets targets, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(false);
        var place = ArrayType.FF_WORKING_MEM;
        var normed = normed(place, workspaceMgr);
        INDArray logits =
                create(place, workspaceMgr, normed.y.size(0), layerConf().getNOut());
        logits(normed, logits);
        INDArray losses = createFloat(place, workspaceMgr, logits.size(0));
        Nd4j.exec(new SoftmaxCrossEntropy(logits, targets.values, losses, null, 1f));
        return losses;
    }

    private static double sum(float[] losses) {
        double sum = 0;
        for (float loss : losses) {
            sum += loss;
        }
        return sum;
    }

    private Targets targets(ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        INDArray labels = getLabels();
        if (labels == null) {
            throw new IllegalStateException("No labels " + layerId());
        }
        requireTokens("Labels have", labels);
        INDArray ids = WholeNumbers.of(
                "Label", labels, Integer.MIN_VALUE, layerConf().getNOut(), place, workspaceMgr, layerId());
        if (getMaskArray() != null) {
            requireTokens("Labels' mask has", getMaskArray());
            ids = masked(ids, place, workspaceMgr);
        }
        var values = ids.data();
        long count = 0;
        for (long i = 0; i < ids.length(); i++) {
            count += values.getInt(i) < 0 ? 0 : 1;
        }
        if (count == 0) {
            throw new DL4JInvalidInputException("All labels are masked or negative: there is no loss " + layerId());
        }
        return new Targets(ids.reshape(ids.length()), count);
    }

    private INDArray masked(INDArray ids, ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        INDArray masked = workspaceMgr.createUninitialized(place, DataType.INT32, ids.shape());
        for (long i = 0; i < ids.length(); i++) {
            double mask = getMaskArray().getDouble(i);
            if (mask != 0 && mask != 1) {
                throw new DL4JInvalidInputException("Labels' mask holds " + mask + ", expected 0 or 1 " + layerId());
            }
            masked.data().put(i, mask == 0 ? -1 : ids.data().getInt(i));
        }
        return masked;
    }

    private void requireTokens(String what, INDArray a) {
        INDArray input = input();
        if (a.rank() != 2 || a.size(0) != input.size(0) || a.size(1) != input.size(1)) {
            throw new DL4JInvalidInputException(what + " shape " + Arrays.toString(a.shape())
                    + ", expected [batch, time] = [" + input.size(0) + ", " + input.size(1) + "] " + layerId());
        }
    }

    private Normed normed(ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        var x = sequences(place, workspaceMgr);
        long rows = x.size(0) * x.size(1);
        var normed = new Normed(
                x,
                create(place, workspaceMgr, rows, x.size(2)),
                createFloat(place, workspaceMgr, rows),
                createFloat(place, workspaceMgr, rows));
        Nd4j.exec(new LayerNorm(
                x, getParam(GptOutput.NORM_GAIN), getParam(GptOutput.NORM_BIAS), normed.y, normed.mean, normed.rstd));
        return normed;
    }

    private void logits(Normed normed, INDArray logits) {
        Nd4j.exec(new MatrixProduct(StepPart.HEAD, normed.y, false, head(), true, logits));
    }

    private INDArray head() {
        return isTied() ? tiedEmbedding().getParam(GptEmbedding.TOKENS) : getParam(GptOutput.HEAD);
    }

    /** Where the head's gradient goes; null if the head is a frozen embedding's table. */
    private INDArray headGradient() {
        if (!isTied()) {
            return gradientViews.get(GptOutput.HEAD);
        }
        return embedding.get() instanceof FrozenLayer ? null : tiedEmbedding().headGradient();
    }

    private boolean isTied() {
        return layerConf().getTiedTo() != null;
    }

    private GptEmbeddingLayer tiedEmbedding() {
        var output = layerConf();
        if (embedding == null) {
            throw output.invalid("has its head tied to \"" + output.getTiedTo()
                    + "\", but is not in a TiedHeadVertex; addVertex() it as one");
        }
        var layer = embedding.get();
        if (layer instanceof BaseWrapperLayer wrapper) {
            layer = wrapper.getUnderlying();
        }
        if (!(layer instanceof GptEmbeddingLayer tied)) {
            throw output.invalid("has its head tied to \"" + output.getTiedTo() + "\", which is not a GptEmbedding");
        }
        var sizes = tied.layerConf();
        if (sizes.getNIn() != output.getNOut() || sizes.getNOut() != output.getNIn()) {
            throw output.invalid("has vocabulary " + output.getNOut() + " and width " + output.getNIn()
                    + ", but its head is tied to \"" + output.getTiedTo() + "\" with " + sizes.getNIn() + " and "
                    + sizes.getNOut());
        }
        return tied;
    }

    @Override
    public void clear() {
        super.clear();
        labels.remove();
        loss.remove();
    }

    @Override
    public Gradient gradient() {
        return gradients();
    }

    /** The most probable next token after each one. */
    @Override
    public int[] predict(INDArray examples) {
        INDArray output = activate(examples, false, LayerWorkspaceMgr.noWorkspacesImmutable());
        return output.reshape(-1, output.size(2)).argMax(1).toIntVector();
    }

    @Override
    @Deprecated
    @SuppressWarnings("InlineMeSuggester") // deprecated in DL4J
    public int numLabels() {
        return (int) layerConf().getNOut();
    }

    @Override
    public double f1Score(DataSet data) {
        throw unsupported();
    }

    @Override
    public double f1Score(INDArray examples, INDArray labels) {
        throw unsupported();
    }

    @Override
    public List<String> predict(DataSet dataSet) {
        throw unsupported();
    }

    @Override
    public void fit(DataSetIterator iterator) {
        throw unsupported();
    }

    @Override
    public void fit(INDArray examples, INDArray labels) {
        throw unsupported();
    }

    @Override
    public void fit(DataSet data) {
        throw unsupported();
    }

    @Override
    public void fit(INDArray examples, int[] labels) {
        throw unsupported();
    }

    private static UnsupportedOperationException unsupported() {
        return new UnsupportedOperationException("Call fit() and output() of the network, not of its output layer");
    }
}

package org.dl4jsr.nn;

import static org.dl4jsr.nn.TransformerBlock.ATTENTION_NORM;
import static org.dl4jsr.nn.TransformerBlock.BIAS;
import static org.dl4jsr.nn.TransformerBlock.CONTRACT;
import static org.dl4jsr.nn.TransformerBlock.EXPAND;
import static org.dl4jsr.nn.TransformerBlock.GAIN;
import static org.dl4jsr.nn.TransformerBlock.MLP_NORM;
import static org.dl4jsr.nn.TransformerBlock.PROJECTION;
import static org.dl4jsr.nn.TransformerBlock.QKV;

import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.kernel.Activation;
import org.dl4jsr.op.Activate;
import org.dl4jsr.op.ActivationGradient;
import org.dl4jsr.op.BiasGradient;
import org.dl4jsr.op.CausalAttention;
import org.dl4jsr.op.CausalAttentionGradient;
import org.dl4jsr.op.LayerNorm;
import org.dl4jsr.op.LayerNormGradient;
import org.dl4jsr.op.MatrixProduct;
import org.dl4jsr.op.StepPart;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Implementation of {@link TransformerBlock}.
 *
 * <p>From forward to backward pass it keeps, a token, 9 width elements of the network's type and 4 + heads of FP32: 7 kB
 * for BF16 of width 384 with 6 heads. They lie in the workspace of the activations; inference keeps nothing. What the
 * normalizations and GELU made of them, 6 width elements, the backward pass makes again, which costs less than memory
 * that no cache holds any more. One without a training forward pass before it (as frozen layers do) makes all again.
 */
@SuppressWarnings("ThreadLocalUsage") // one a layer and thread: they go with the layer
public final class TransformerBlockLayer extends SequenceLayer<TransformerBlock> {

    private final transient ThreadLocal<Intermediates> kept = new ThreadLocal<>();

    TransformerBlockLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    /** Rows are tokens: matrices [batch * time, n] of the network's type, mean and rstd FP32 [batch * time]. */
    private record Intermediates(
            INDArray x,
            INDArray mean,
            INDArray rstd,
            INDArray qkv,
            INDArray attention,
            INDArray logSumExp,
            INDArray middle,
            INDArray mlpMean,
            INDArray mlpRstd,
            INDArray expanded) {}

    @Override
    public void setInput(INDArray input, LayerWorkspaceMgr workspaceMgr) {
        super.setInput(input, workspaceMgr);
        kept.remove();
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(false);
        var place = ArrayType.FF_WORKING_MEM;
        var t = forward(training ? ArrayType.ACTIVATIONS : place, place, workspaceMgr);
        if (training) {
            kept.set(t);
        }
        INDArray y = create(ArrayType.ACTIVATIONS, workspaceMgr, input().shape());
        INDArray activated = create(place, workspaceMgr, t.expanded.shape());
        Nd4j.exec(new Activate(Activation.GELU, t.expanded, activated));
        linear(activated, CONTRACT, y, t.middle);
        return y;
    }

    /** All before GELU. */
    private Intermediates forward(ArrayType place, ArrayType working, LayerWorkspaceMgr workspaceMgr) {
        var x = sequences(place, workspaceMgr);
        long batch = x.size(0);
        long time = x.size(1);
        long rows = batch * time;
        long width = x.size(2);
        int heads = layerConf().getHeads();
        var t = new Intermediates(
                x,
                createFloat(place, workspaceMgr, rows),
                createFloat(place, workspaceMgr, rows),
                create(place, workspaceMgr, rows, 3 * width),
                create(place, workspaceMgr, rows, width),
                createFloat(place, workspaceMgr, batch * heads, time),
                create(place, workspaceMgr, rows, width),
                createFloat(place, workspaceMgr, rows),
                createFloat(place, workspaceMgr, rows),
                create(place, workspaceMgr, rows, 4 * width));
        INDArray normed = create(working, workspaceMgr, rows, width);
        norm(x, ATTENTION_NORM, normed, t.mean, t.rstd);
        linear(normed, QKV, t.qkv, null);
        Nd4j.exec(new CausalAttention(t.qkv, t.attention, t.logSumExp, (int) batch, heads));
        linear(t.attention, PROJECTION, t.middle, x);
        norm(t.middle, MLP_NORM, normed, t.mlpMean, t.mlpRstd);
        linear(normed, EXPAND, t.expanded, null);
        return t;
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(true);
        var place = ArrayType.BP_WORKING_MEM;
        var t = kept.get() != null ? kept.get() : forward(place, place, workspaceMgr);
        kept.remove(); // GELU's output takes the place of its input below
        long rows = t.middle.size(0);
        long width = t.middle.size(1);
        var dy = dense(place, epsilon, workspaceMgr);

        INDArray dExpanded = create(place, workspaceMgr, rows, 4 * width);
        inputGradient(CONTRACT, dy, dExpanded);
        Nd4j.exec(new ActivationGradient(
                Activation.GELU, t.expanded, dExpanded, t.expanded, dExpanded, gradient(EXPAND + BIAS)));
        parameterGradients(t.expanded, CONTRACT, dy);
        INDArray dBranch = create(place, workspaceMgr, rows, width);
        INDArray normed = create(place, workspaceMgr, rows, width);
        norm(t.middle, MLP_NORM, normed, t.mlpMean, t.mlpRstd);
        matrixGradient(normed, EXPAND, dExpanded); // that of its bias is there
        inputGradient(EXPAND, dExpanded, dBranch);
        INDArray dx = create(ArrayType.ACTIVATION_GRAD, workspaceMgr, input().shape());
        Nd4j.exec(new LayerNormGradient(
                t.middle,
                getParam(MLP_NORM + GAIN),
                t.mlpMean,
                t.mlpRstd,
                dBranch,
                dy,
                dx,
                gradient(MLP_NORM + GAIN),
                gradient(MLP_NORM + BIAS)));

        INDArray dQkv = create(place, workspaceMgr, rows, 3 * width);
        parameterGradients(t.attention, PROJECTION, dx);
        inputGradient(PROJECTION, dx, dBranch);
        Nd4j.exec(new CausalAttentionGradient(
                t.qkv,
                t.attention,
                t.logSumExp,
                dBranch,
                dQkv,
                (int) input().size(0),
                layerConf().getHeads()));
        norm(t.x, ATTENTION_NORM, normed, t.mean, t.rstd);
        parameterGradients(normed, QKV, dQkv);
        inputGradient(QKV, dQkv, dBranch);
        Nd4j.exec(new LayerNormGradient(
                t.x,
                getParam(ATTENTION_NORM + GAIN),
                t.mean,
                t.rstd,
                dBranch,
                dx,
                dx,
                gradient(ATTENTION_NORM + GAIN),
                gradient(ATTENTION_NORM + BIAS)));
        return new Pair<>(gradients(), dx);
    }

    private void norm(INDArray x, String name, INDArray y, INDArray mean, INDArray rstd) {
        Nd4j.exec(new LayerNorm(x, getParam(name + GAIN), getParam(name + BIAS), y, mean, rstd));
    }

    /** y = x matrix + bias + residual. */
    private void linear(INDArray x, String matrix, INDArray y, INDArray residual) {
        Nd4j.exec(new MatrixProduct(
                StepPart.GEMM_FORWARD, x, false, getParam(matrix), false, y, getParam(matrix + BIAS), residual));
    }

    /** The gradient of {@link #linear} with respect to x. */
    private void inputGradient(String matrix, INDArray dy, INDArray dx) {
        Nd4j.exec(new MatrixProduct(StepPart.GEMM_INPUT, dy, false, getParam(matrix), true, dx));
    }

    /** The gradients of {@link #linear} with respect to its matrix and to its bias. */
    private void parameterGradients(INDArray x, String matrix, INDArray dy) {
        matrixGradient(x, matrix, dy);
        Nd4j.exec(new BiasGradient(dy, gradient(matrix + BIAS)));
    }

    private void matrixGradient(INDArray x, String matrix, INDArray dy) {
        Nd4j.exec(new MatrixProduct(StepPart.GEMM_WEIGHT, x, true, dy, false, gradient(matrix)));
    }

    private INDArray gradient(String name) {
        return gradientViews.get(name);
    }

    @Override
    public void clear() {
        super.clear();
        kept.remove();
    }
}

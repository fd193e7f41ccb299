package org.dl4jsr.nn;

import java.util.Arrays;
import org.deeplearning4j.exception.DL4JInvalidInputException;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.dl4jsr.op.TokenEmbedding;
import org.dl4jsr.op.TokenEmbeddingGradient;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Implementation of {@link GptEmbedding}; keeps nothing but its input for the backward pass. */
public final class GptEmbeddingLayer extends SequenceLayer<GptEmbedding> {

    private final transient ThreadLocal<Boolean> holdsHeadGradient = ThreadLocal.withInitial(() -> false);

    GptEmbeddingLayer(NeuralNetConfiguration conf, DataType dataType) {
        super(conf, dataType);
    }

    @Override
    public INDArray activate(boolean training, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(false);
        var ids = ids(ArrayType.FF_WORKING_MEM, workspaceMgr);
        INDArray y = create(
                ArrayType.ACTIVATIONS,
                workspaceMgr,
                ids.size(0),
                ids.size(1),
                layerConf().getNOut());
        Nd4j.exec(new TokenEmbedding(ids, getParam(GptEmbedding.TOKENS), getParam(GptEmbedding.POSITIONS), y));
        return y;
    }

    private INDArray ids(ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        INDArray input = input();
        int context = layerConf().getContextLength();
        if (input.rank() != 2) {
            throw new DL4JInvalidInputException(
                    "Token ids have shape " + Arrays.toString(input.shape()) + ", expected [batch, time] " + layerId());
        }
        if (input.size(1) > context) {
            throw new DL4JInvalidInputException("Sequences of " + input.size(1)
                    + " tokens are longer than the context of " + context + " " + layerId());
        }
        return WholeNumbers.of("Token id", input, 0, layerConf().getNIn(), place, workspaceMgr, layerId());
    }

    @Override
    public Pair<Gradient, INDArray> backpropGradient(INDArray epsilon, LayerWorkspaceMgr workspaceMgr) {
        assertInputSet(true);
        var place = ArrayType.BP_WORKING_MEM;
        INDArray positions = gradientViews.get(GptEmbedding.POSITIONS);
        if (input().size(1) < positions.size(0)) {
            // all: ND4J's get(interval, all) returns an empty array for some views; a copy, which a GPU can do
            positions.assign(workspaceMgr.create(place, positions.dataType(), positions.shape()));
        }
        Nd4j.exec(new TokenEmbeddingGradient(
                ids(place, workspaceMgr),
                dense(place, epsilon, workspaceMgr),
                gradientViews.get(GptEmbedding.TOKENS),
                positions,
                holdsHeadGradient.get()));
        holdsHeadGradient.remove();
        return new Pair<>(gradients(), null);
    }

    /** Where a tied head writes its gradient; this layer's next backward pass adds to it. */
    INDArray headGradient() {
        holdsHeadGradient.set(true);
        return gradientViews.get(GptEmbedding.TOKENS);
    }

    @Override
    public void clear() {
        super.clear();
        holdsHeadGradient.remove();
    }
}

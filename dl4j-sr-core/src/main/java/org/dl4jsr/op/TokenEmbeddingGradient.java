package org.dl4jsr.op;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Backward pass of {@link TokenEmbedding}. */
public final class TokenEmbeddingGradient extends KernelOp {

    private final INDArray tokens;
    private final INDArray dy;
    private final INDArray dTokenTable;
    private final INDArray dPositionTable;
    private final boolean accumulate;

    /**
     * @param tokens INT32 [batch, time], of the forward pass
     * @param dy [batch, time, width]: gradient of the output
     * @param dTokenTable [vocabulary, width], written, or added to with {@code accumulate}
     * @param dPositionTable [context, width]: the first time rows are written, the others left alone
     * @param accumulate whether dTokenTable holds another gradient already (a tied head's)
     */
    public TokenEmbeddingGradient(
            INDArray tokens, INDArray dy, INDArray dTokenTable, INDArray dPositionTable, boolean accumulate) {
        super(StepPart.EMBEDDING, new INDArray[] {tokens, dy}, new INDArray[] {dTokenTable, dPositionTable});
        var type = dy.dataType();
        long width = dy.size(-1);
        this.tokens = require("tokens", tokens, DataType.INT32, dy.size(0), dy.size(1));
        this.dy = requireDense("dy", dy);
        this.dTokenTable = require("dTokenTable", dTokenTable, type, dTokenTable.size(0), width);
        this.dPositionTable = require("dPositionTable", dPositionTable, type, dPositionTable.size(0), width);
        this.accumulate = accumulate;
    }

    @Override
    public String opName() {
        return "dl4jsr_token_embedding_gradient";
    }

    @Override
    public void run(Device device) {
        device.transformerKernels()
                .embeddingBackward(
                        type(dy),
                        device.address(tokens),
                        device.address(dy),
                        device.address(dTokenTable),
                        device.address(dPositionTable),
                        Math.toIntExact(dy.size(0)),
                        Math.toIntExact(dy.size(1)),
                        Math.toIntExact(dy.size(2)),
                        Math.toIntExact(dTokenTable.size(0)),
                        accumulate);
    }
}

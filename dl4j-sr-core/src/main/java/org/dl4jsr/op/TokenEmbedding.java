package org.dl4jsr.op;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** y = tokenTable[token] + positionTable[position]. */
public final class TokenEmbedding extends KernelOp {

    private final INDArray tokens;
    private final INDArray tokenTable;
    private final INDArray positionTable;
    private final INDArray y;

    /**
     * @param tokens INT32 [batch, time], each in [0, vocabulary): the caller checks them
     * @param tokenTable [vocabulary, width], FLOAT or BFLOAT16
     * @param positionTable [context, width], context at least time
     * @param y [batch, time, width], written
     */
    public TokenEmbedding(INDArray tokens, INDArray tokenTable, INDArray positionTable, INDArray y) {
        super(StepPart.EMBEDDING, new INDArray[] {tokens, tokenTable, positionTable}, new INDArray[] {y});
        var type = tokenTable.dataType();
        long width = tokenTable.size(-1);
        rows("tokenTable", tokenTable, type, width);
        if (rows("positionTable", positionTable, type, width) < tokens.size(-1)) {
            throw new IllegalArgumentException("tokens has shape [" + tokens.size(0) + ", " + tokens.size(-1)
                    + "], which is longer than the " + positionTable.size(0) + " positions of the table");
        }
        this.tokens = require("tokens", tokens, DataType.INT32, tokens.size(0), tokens.size(-1));
        this.tokenTable = tokenTable;
        this.positionTable = positionTable;
        this.y = require("y", y, type, tokens.size(0), tokens.size(1), width);
    }

    @Override
    public String opName() {
        return "dl4jsr_token_embedding";
    }

    @Override
    public void run(Device device) {
        device.transformerKernels()
                .embeddingForward(
                        type(y),
                        device.address(tokens),
                        device.address(tokenTable),
                        device.address(positionTable),
                        device.address(y),
                        Math.toIntExact(y.size(0)),
                        Math.toIntExact(y.size(1)),
                        Math.toIntExact(y.size(2)));
    }
}

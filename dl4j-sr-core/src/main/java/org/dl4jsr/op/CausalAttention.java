package org.dl4jsr.op;

import org.dl4jsr.kernel.FloatType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Causal multi-head self-attention, softmax(q k^T / sqrt(headWidth)) v, without the [batch, heads, time, time]
 * probabilities in memory. Vaswani et al., <i>Attention Is All You Need</i>, 2017; Dao et al., <i>FlashAttention</i>,
 * 2022.
 */
public final class CausalAttention extends KernelOp {

    private final INDArray qkv;
    private final INDArray out;
    private final INDArray logSumExp;
    private final int batch;
    private final int time;
    private final int heads;

    /**
     * @param qkv [batch * time, 3 * width]: queries, then keys, then values, each head after head
     * @param out [batch * time, width], written
     * @param logSumExp FLOAT [batch * heads, time], written: for {@link CausalAttentionGradient}
     */
    public CausalAttention(INDArray qkv, INDArray out, INDArray logSumExp, int batch, int heads) {
        super(StepPart.ATTENTION_FORWARD, new INDArray[] {qkv}, new INDArray[] {out, logSumExp});
        long width = out.size(-1);
        int rows = rows("qkv", qkv, out.dataType(), 3 * width);
        this.qkv = qkv;
        this.out = requireRows("out", out, qkv.dataType(), rows, width);
        this.batch = batch;
        this.time = time(rows, width, batch, heads);
        this.heads = heads;
        this.logSumExp = require("logSumExp", logSumExp, DataType.FLOAT, (long) batch * heads, time);
    }

    /** Tokens of each of {@code batch} sequences in so many rows, of a width that the heads share. */
    static int time(int rows, long width, int batch, int heads) {
        if (width % heads != 0 || rows % batch != 0) {
            throw new IllegalArgumentException(
                    rows + " rows of width " + width + " are not " + batch + " sequences with " + heads + " heads");
        }
        return rows / batch;
    }

    @Override
    public String opName() {
        return "dl4jsr_causal_attention";
    }

    @Override
    public long operations() {
        return operations(out, time);
    }

    /** Of two products of lower triangles [time, time]. */
    static long operations(INDArray out, int time) {
        return 2 * out.length() * (time + 1L);
    }

    @Override
    public void run(Device device) {
        long from = device.address(qkv);
        long to = device.address(out);
        long sums = device.address(logSumExp);
        int headWidth = Math.toIntExact(out.size(-1) / heads);
        var kernels = device.transformerKernels();
        if (type(qkv) == FloatType.FLOAT && Autocast.isEnabled()) {
            kernels.autocastAttentionForward(from, to, sums, batch, time, heads, headWidth);
        } else {
            kernels.attentionForward(type(qkv), from, to, sums, batch, time, heads, headWidth);
        }
    }
}

package org.dl4jsr.op;

import org.dl4jsr.kernel.FloatType;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Backward pass of {@link CausalAttention}; recomputes the probabilities. */
public final class CausalAttentionGradient extends KernelOp {

    private final INDArray qkv;
    private final INDArray out;
    private final INDArray logSumExp;
    private final INDArray dOut;
    private final INDArray dQkv;
    private final int batch;
    private final int time;
    private final int heads;

    /**
     * @param qkv [batch * time, 3 * width], input of the forward pass
     * @param out [batch * time, width], of the forward pass
     * @param logSumExp FLOAT [batch * heads, time], of the forward pass
     * @param dOut as out: its gradient
     * @param dQkv as qkv, written
     */
    public CausalAttentionGradient(
            INDArray qkv, INDArray out, INDArray logSumExp, INDArray dOut, INDArray dQkv, int batch, int heads) {
        super(StepPart.ATTENTION_BACKWARD, new INDArray[] {qkv, out, logSumExp, dOut}, new INDArray[] {dQkv});
        long width = out.size(-1);
        int rows = rows("qkv", qkv, out.dataType(), 3 * width);
        this.qkv = qkv;
        this.out = requireRows("out", out, qkv.dataType(), rows, width);
        this.dOut = requireRows("dOut", dOut, qkv.dataType(), rows, width);
        this.dQkv = requireRows("dQkv", dQkv, qkv.dataType(), rows, 3 * width);
        this.batch = batch;
        this.time = CausalAttention.time(rows, width, batch, heads);
        this.heads = heads;
        this.logSumExp = require("logSumExp", logSumExp, DataType.FLOAT, (long) batch * heads, time);
    }

    @Override
    public String opName() {
        return "dl4jsr_causal_attention_gradient";
    }

    /** Of five products where the forward pass has two. */
    @Override
    public long operations() {
        return CausalAttention.operations(out, time) * 5 / 2;
    }

    @Override
    public void run(Device device) {
        long from = device.address(qkv);
        long result = device.address(out);
        long sums = device.address(logSumExp);
        long dResult = device.address(dOut);
        long to = device.address(dQkv);
        int headWidth = Math.toIntExact(out.size(-1) / heads);
        var kernels = device.transformerKernels();
        if (type(qkv) == FloatType.FLOAT && Autocast.isEnabled()) {
            kernels.autocastAttentionBackward(from, result, sums, dResult, to, batch, time, heads, headWidth);
        } else {
            kernels.attentionBackward(type(qkv), from, result, sums, dResult, to, batch, time, heads, headWidth);
        }
    }
}

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
        if (type(qkv) == FloatType.BFLOAT16 || !device.autocastsAttention()) {
            run(
                    device,
                    type(qkv),
                    device.address(qkv),
                    device.address(out),
                    device.address(dOut),
                    device.address(dQkv));
            return;
        }
        try (var rounded = new RoundedArrays(device)) {
            long target = rounded.create(dQkv);
            run(device, FloatType.BFLOAT16, rounded.copy(qkv), rounded.copy(out), rounded.copy(dOut), target);
            rounded.copyBack(target, dQkv);
        }
    }

    private void run(Device device, FloatType type, long qkv, long out, long dOut, long dQkv) {
        device.transformerKernels()
                .attentionBackward(
                        type,
                        qkv,
                        out,
                        device.address(logSumExp),
                        dOut,
                        dQkv,
                        batch,
                        time,
                        heads,
                        CausalAttention.headWidth(this.out, heads));
    }
}

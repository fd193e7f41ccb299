package org.dl4jsr.op;

import java.util.List;
import java.util.function.Supplier;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Softmax cross-entropy of whole-number targets, and its gradient in the same pass. */
public final class SoftmaxCrossEntropy extends KernelOp {

    private final INDArray logits;
    private final INDArray targets;
    private final INDArray losses;
    private final INDArray dLogits;
    private final float scale;
    private boolean reads;
    private Supplier<float[]> reading;

    /**
     * @param logits [rows, vocabulary], FLOAT or BFLOAT16
     * @param targets INT32 [rows], each below vocabulary, which the caller checks; a negative one is ignored: no loss,
     *     no gradient
     * @param losses FLOAT [rows], written: -ln softmax(logits)[target]
     * @param dLogits as logits, written: (softmax - onehot) * scale; may be logits; null for the losses alone
     */
    public SoftmaxCrossEntropy(INDArray logits, INDArray targets, INDArray losses, INDArray dLogits, float scale) {
        super(
                StepPart.HEAD,
                new INDArray[] {logits, targets},
                dLogits == null ? new INDArray[] {losses} : new INDArray[] {losses, dLogits});
        long rows = logits.size(0);
        this.logits = require("logits", logits, logits.dataType(), rows, logits.size(-1));
        this.targets = require("targets", targets, DataType.INT32, rows);
        this.losses = require("losses", losses, DataType.FLOAT, rows);
        this.dLogits = dLogits == null ? null : require("dLogits", dLogits, logits.dataType(), logits.shape());
        this.scale = scale;
    }

    @Override
    public String opName() {
        return "dl4jsr_softmax_cross_entropy";
    }

    @Override
    public void run(Device device) {
        device.transformerKernels()
                .crossEntropy(
                        type(logits),
                        device.address(logits),
                        device.address(targets),
                        device.address(losses),
                        device.address(dLogits),
                        Math.toIntExact(logits.size(0)),
                        Math.toIntExact(logits.size(1)),
                        scale);
        if (reads) {
            device.written(List.of(losses));
            reading = device.read(losses);
        }
    }

    /** Has the op begin to read the losses, too, for {@link #read}; returns it. */
    public SoftmaxCrossEntropy reading() {
        reads = true;
        return this;
    }

    /** The losses, once: a GPU is waited for until they are there, and no longer. */
    public float[] read() {
        return reading.get();
    }
}

package org.dl4jsr.backend;

import java.lang.ref.Reference;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.composed.MultiHeadAttention;
import org.dl4jsr.kernel.composed.MultiHeadAttention.Operands;
import org.dl4jsr.op.AttendedSequences;
import org.dl4jsr.op.KernelOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * ND4J's attention of sequences, and its gradient, where all operands are BF16, on {@link MultiHeadAttention}: scaled,
 * without the weights among the results, with a mask of ones and zeros that hides no whole sequence or without one. What
 * is projected is rounded to BF16 on the way, as by layers of ours.
 */
final class AttentionShortcuts implements Shortcut {

    private final CpuDevice device;

    AttentionShortcuts(CpuDevice device) {
        this.device = device;
    }

    @Override
    public boolean run(String op, List<INDArray> inputs, List<INDArray> outputs, long[] integers, double[] numbers) {
        return switch (op) {
            case "multi_head_dot_product_attention" -> attend(inputs, outputs, 7, false, integers);
            case "multi_head_dot_product_attention_bp" -> attend(inputs, outputs, 7, true, integers);
            case "dot_product_attention" -> attend(inputs, outputs, 3, false, integers);
            case "dot_product_attention_bp" -> attend(inputs, outputs, 3, true, integers);
            default -> false;
        };
    }

    /** @param count of the operands; the gradient of the result follows, if it is given, and the mask, if there is one */
    private boolean attend(
            List<INDArray> inputs, List<INDArray> outputs, int count, boolean backward, long[] integers) {
        int before = backward ? count + 1 : count;
        boolean masked = inputs.size() > before;
        boolean plain = integers.length > 0
                && integers[0] == 1
                && inputs.size() >= before
                && outputs.size() == (backward ? count : 1)
                && Bf16Arrays.allBFloat16(inputs.subList(0, before))
                && Bf16Arrays.allBFloat16(outputs)
                && fits(inputs.subList(0, count))
                && (!backward || isDense(outputs.subList(3, count)))
                && (!masked || isMask(inputs.get(before), inputs.get(1)));
        if (!plain) {
            return false;
        }
        INDArray visible = masked ? inputs.get(before).castTo(DataType.BFLOAT16).dup('c') : null;
        Operands operands = operands(inputs.subList(0, count));
        try {
            long shown = device.address(visible);
            if (backward) {
                device.attention().backward(operands, shown, strided(inputs.get(count)), operands(outputs));
            } else {
                device.attention().forward(operands, shown, strided(outputs.get(0)));
            }
        } finally {
            Reference.reachabilityFence(visible); // nobody else holds it
        }
        return true;
    }

    private static boolean isDense(List<INDArray> arrays) {
        return arrays.stream().allMatch(KernelOp::isDense);
    }

    /** Whether there are sequences, of one width for all, or with dense projections to one width. */
    private static boolean fits(List<INDArray> operands) {
        INDArray queries = operands.get(0);
        INDArray keys = operands.get(1);
        INDArray values = operands.get(2);
        boolean sequences =
                Stream.of(queries, keys, values).allMatch(x -> x.rank() == 3 && x.size(0) == queries.size(0))
                        && keys.size(2) == values.size(2);
        if (!sequences || operands.size() == 3) {
            return sequences && queries.size(1) == keys.size(1) && keys.size(1) == values.size(1);
        }
        INDArray first = operands.get(3);
        INDArray out = operands.get(6);
        return IntStream.range(0, 3).allMatch(i -> isProjection(operands.get(3 + i), operands.get(i), first))
                && out.rank() == 2
                && out.size(0) == first.size(0) * first.size(1)
                && isDense(operands.subList(3, 7));
    }

    private static boolean isProjection(INDArray weights, INDArray sequences, INDArray first) {
        return weights.rank() == 3
                && weights.size(0) == first.size(0)
                && weights.size(1) == first.size(1)
                && weights.size(2) == sequences.size(1);
    }

    private static boolean isMask(INDArray mask, INDArray keys) {
        return AttendedSequences.isMask(mask, keys.size(0), keys.size(2));
    }

    private Operands operands(List<INDArray> arrays) {
        StridedArray[] operands = new StridedArray[7];
        for (int i = 0; i < arrays.size(); i++) {
            operands[i] = strided(arrays.get(i));
        }
        return new Operands(operands[0], operands[1], operands[2], operands[3], operands[4], operands[5], operands[6]);
    }

    private StridedArray strided(INDArray array) {
        return KernelOp.strided(device, array);
    }
}

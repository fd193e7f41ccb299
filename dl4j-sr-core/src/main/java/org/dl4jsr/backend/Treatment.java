package org.dl4jsr.backend;

import java.util.List;
import java.util.Set;
import org.dl4jsr.op.Autocast;
import org.dl4jsr.op.Device;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What happens to an op of ND4J, by its name and operands. An op with a BF16 operand that is not named here is
 * promoted: slower and larger than BF16 could be, but never wrong.
 */
enum Treatment {

    /** Copies and casts: {@link Device#copy}, else ND4J. */
    COPY,
    /** ND4J's code: there is no BF16 operand, or it only moves elements or rounds each result once. */
    NATIVE,
    /** Matrix products, FLOAT ones too under {@link Autocast}: {@link Nd4jMatmul}, else promoted. */
    MATMUL,
    /** FLOAT copies of the operands, ND4J's FLOAT code, the results rounded. */
    PROMOTED,
    /** Throws: cannot work in BF16. */
    REFUSED,
    /** Throws: ND4J's code corrupts memory or ends the process, in FLOAT, too. */
    BROKEN;

    private static final Set<String> COPIES = Set.of("old_assign", "assign", "cast");

    /** One rounding an element. Only where all operands are BF16: ND4J does not mix types in these. */
    private static final Set<String> ARITHMETIC = Set.of(
            "add",
            "subtract",
            "multiply",
            "divide",
            "reversesubtract",
            "reversedivide",
            "broadcastadd",
            "broadcastsub",
            "broadcastmul",
            "broadcastdiv",
            "broadcastcopy",
            "neg",
            "abs",
            "set_scalar");

    /** Movers, makers of constants and askers of shapes, but for those that ND4J gets wrong on views or 'f' order. */
    private static final Set<String> MOVERS = Set.of(
            "identity",
            "identity_n",
            "noop",
            "stop_gradient",
            "bitcast",
            "create",
            "create_view",
            "reshape",
            "flatten",
            "squeeze",
            "permute",
            "transpose",
            "concat",
            "stack",
            "parallel_stack",
            "unstack",
            "split_v",
            "slice",
            "strided_slice",
            "gather",
            "gather_nd",
            "embedding_lookup",
            "tile",
            "tile_to_shape",
            "repeat",
            "broadcast_to",
            "reverse",
            "pad",
            "mirror_pad",
            "im2col",
            "batch_to_space",
            "space_to_batch",
            "upsampling2d",
            "upsampling3d",
            "where_np",
            "select",
            "onehot",
            "fill",
            "fill_as",
            "zeros_as",
            "ones_as",
            "zeroslike",
            "oneslike",
            "shape_of",
            "shapes_of",
            "size",
            "size_at",
            "rank",
            "order");

    private static final Set<String> PRODUCTS = Set.of("matmul", "matmul_bp", "tensormmul", "tensordot", "xw_plus_b");

    /**
     * DL4J's gradient compression, which takes FLOAT and DOUBLE apart bit by bit; and an op that takes its operands for
     * what they are not, unless they are in one memory order that it does not ask for.
     */
    private static final Set<String> IMPOSSIBLE =
            Set.of("encode_threshold", "decode_threshold", "encode_bitmap", "decode_bitmap", "batched_gemm");

    private static final Set<String> CORRUPTING = Set.of("set_shape", "RelativeError", "stabilize");

    /** The treatment of the op of this name on these operands; nulls count for none. */
    static Treatment of(String op, List<INDArray> inputs, List<INDArray> outputs) {
        if (!Bf16Arrays.anyBFloat16(inputs) && !Bf16Arrays.anyBFloat16(outputs)) {
            return Autocast.isEnabled() && PRODUCTS.contains(op) ? MATMUL : NATIVE;
        }
        if (COPIES.contains(op)) {
            return COPY;
        }
        if (MOVERS.contains(op)) {
            return MixedOperands.are(op, inputs) ? PROMOTED : NATIVE;
        }
        if (PRODUCTS.contains(op)) {
            return MATMUL;
        }
        if (IMPOSSIBLE.contains(op)) {
            return REFUSED;
        }
        if (CORRUPTING.contains(op)) {
            return BROKEN;
        }
        return ARITHMETIC.contains(op) && onlyBFloat16(inputs) && onlyBFloat16(outputs) ? NATIVE : PROMOTED;
    }

    private static boolean onlyBFloat16(List<INDArray> arrays) {
        return arrays.stream().allMatch(array -> array == null || Bf16Arrays.isBFloat16(array));
    }
}

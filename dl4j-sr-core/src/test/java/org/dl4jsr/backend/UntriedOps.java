package org.dl4jsr.backend;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The ops of ND4J that the tests do not run on BF16, and why. */
final class UntriedOps {

    /** Tried, with this outcome: ops on whole numbers or truth values. */
    static final Set<String> REFUSED_IN_FLOAT = Set.of(
            "bitwise_and",
            "bitwise_or",
            "bitwise_xor",
            "shift_bits",
            "rshift_bits",
            "cyclic_shift_bits",
            "cyclic_rshift_bits",
            "bits_hamming_distance",
            "toggle_bits",
            "boolean_not",
            "bool_not",
            "not",
            "and_scalar",
            "or_scalar",
            "xor_scalar",
            "not_scalar",
            "eps_scalar");

    private static final String REFUSED = "refused";
    private static final Map<String, String> REASONS = new LinkedHashMap<>();

    static {
        because(
                "control flow, which runs within a graph only",
                "Assert Conditional Enter Return Scope Switch While cond enter expose if invoke return scope switch "
                        + "while next_iteration loop_cond merge exit");
        because(
                "lists of arrays, which live within a graph only",
                "TensorArrayConcatV3 TensorArrayCreateV3 TensorArrayGatherV3 TensorArrayIdentityV3 TensorArrayReadV3 "
                        + "TensorArrayScatterV3 TensorArraySizeV3 TensorArraySplitV3 TensorArrayV3 TensorArrayWriteV3 "
                        + "clone_list create_list delete_list gather_list pick_list read_list scatter_list size_list "
                        + "split_list stack_list tensorarrayconcatv3 tensorarraycreatev3 tensorarraygatherv3 "
                        + "tensorarrayidentityv3 tensorarrayreadv3 tensorarrayscatterv3 tensorarraysizev3 "
                        + "tensorarraysplitv3 tensorarrayv3 tensorarraywritev3 unstack_list write_list");
        because(
                "on text, on the random state or on the console, not on numbers",
                "compat_string_split split_string get_seed set_seed print_affinity print_variable");
        because(
                "tests of ND4J itself",
                "TestOp2i2o testop2i2o test_output_reshape test_scalar testcustom testreduction firas_sparse");
        because(
                "word vectors and t-SNE, whose tables are FLOAT or DOUBLE",
                "skipgram cbow barnes_edge_forces barnes_symmetrized");
        because(
                "throws, in FLOAT, too",
                "BroadcastGradientArgs broadcastgradientargs clipbyavgnorm to_uint32 to_uint64 maxout");
        because("another result at each call, in FLOAT, too", "random_gamma");
        because("of another length for another type: tested apart", "BitCast bitcast create_view");
        because(
                "no op of its own on this executioner",
                "grid_free meta_postulate meta_predicate meta_predicate_inverted meta_reduce");
        because(
                REFUSED,
                "encode_bitmap decode_bitmap encode_threshold decode_threshold batched_gemm set_shape "
                        + "RelativeError stabilize");
        because(
                "in ND4J's classes only, not in its native library",
                "ExternalErrorsFn applygradientdescent deconv3d_tf gradientbackwards pooling3dpool3dnew_bp restorev2 "
                        + "savev2 somepoolingpool2d somepoolingpool2d_bp");
        because("decodes text", "ctc_beam");
    }

    private UntriedOps() {}

    static Set<String> names() {
        return REASONS.keySet();
    }

    /** Reason to names, but for those that are refused. */
    static Map<String, Set<String>> byReason() {
        Map<String, Set<String>> reasons = new TreeMap<>();
        REASONS.forEach((name, reason) ->
                reasons.computeIfAbsent(reason, r -> new TreeSet<>()).add(name));
        reasons.remove(REFUSED);
        return reasons;
    }

    private static void because(String reason, String names) {
        Arrays.stream(names.split(" ")).forEach(name -> REASONS.put(name, reason));
    }
}

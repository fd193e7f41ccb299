package org.dl4jsr.backend;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.nd4j.linalg.ops.transforms.Transforms;

/** How the custom ops of ND4J are called: arguments that mean something for each. */
final class CustomOpCases {

    private final Random random = new Random(1);
    private final List<OpCase> cases = new ArrayList<>();

    private CustomOpCases() {}

    static List<OpCase> all() {
        var cases = new CustomOpCases();
        cases.elementwise();
        cases.reductions();
        cases.shapes();
        cases.indices();
        cases.products();
        cases.convolutions();
        cases.recurrent();
        cases.losses();
        cases.updaters();
        cases.images();
        cases.linearAlgebra();
        cases.randomNumbers();
        cases.integers();
        cases.others();
        return cases.cases;
    }

    private void elementwise() {
        each(
                "lrelu elu selu sigmoid hardsigmoid hardtanh tanh rationaltanh rectifiedtanh softplus softsign "
                        + "cube thresholdedrelu softmax log_softmax floor rint square identity stop_gradient "
                        + "is_non_decreasing is_strictly_increasing is_numeric_tensor zero_fraction crelu identity_n noop "
                        + "to_double to_float16 to_float32 to_int32 to_int64 zeros_as ones_as l2_loss hashcode",
                x(4, 6));
        only("relu relu6", x(4, 6)).forEach(c -> add(c.reals(0)));
        each("log1p lgamma digamma", positive(4, 6));
        each("lrelu elu thresholdedrelu", x(4, 6)).forEach(c -> add(c.reals(0.3)));
        each(
                "relu_bp relu6_bp lrelu_bp elu_bp selu_bp sigmoid_bp hardsigmoid_bp hardtanh_bp tanh_bp rationaltanh_bp "
                        + "rectifiedtanh_bp softplus_bp softsign_bp cube_bp thresholdedrelu_bp softmax_bp log_softmax_bp "
                        + "identity_bp",
                x(4, 6),
                x(4, 6));
        each("lrelu_bp elu_bp thresholdedrelu_bp", x(4, 6), x(4, 6)).forEach(c -> add(c.reals(0.3)));
        each("crelu_bp", x(4, 6), x(4, 12));
        each("prelu", x(4, 6), x(6));
        each("prelu_bp", x(4, 6), x(6), x(4, 6));
        String arithmetic = "add subtract multiply divide realdiv reversedivide reversesubtract maximum minimum "
                + "floormod floordiv divide_no_nan squaredsubtract";
        String comparisons = "equals not_equals less less_equal greater greater_equal";
        for (INDArray[] operands : new INDArray[][] {
            {x(4, 6), x(4, 6)},
            {x(4, 6), x(6)},
            {x(4, 1), x(1, 6)},
            {x(4, 6), x()},
            {x(), x(4, 6)},
            {x(5), x(5)},
            {x(), x()}
        }) {
            each(arithmetic + " " + comparisons + " tf_atan2", operands);
            each("Pow", abs(operands[0]), operands[1]);
        }
        each("mod reversemod truncatediv", floats(4, 6).addi(1), floats(4, 6).addi(1)); // computed in whole numbers
        each("assign", x(4, 6), x(4, 6));
        each("assign", x(4, 6), x(6));
        each("assign", x(4, 6), x());
        each("eq_scalar gt_scalar gte_scalar lt_scalar lte_scalar neq_scalar", x(4, 6), x());
        each(
                "add_bp subtract_bp multiply_bp divide_bp realdiv_bp reversedivide_bp reversesubtract_bp maximum_bp "
                        + "minimum_bp floordiv_bp floormod_bp squaredsubtract_bp assign_bp",
                x(4, 6),
                x(4, 6),
                x(4, 6));
        each(
                "add_bp subtract_bp multiply_bp divide_bp reversedivide_bp reversesubtract_bp squaredsubtract_bp",
                x(4, 6),
                x(6),
                x(4, 6));
        each("mod_bp reversemod_bp", floats(4, 6).addi(1), floats(4, 6).addi(1), x(4, 6));
        each("Pow_bp", positive(4, 6), positive(4, 6), x(4, 6));
        each("igamma igammac", positive(3, 4), positive(3, 4));
        each("zeta", positive(3, 4).addi(2), positive(3, 4));
        each("polygamma", floats(3, 4).addi(1), positive(3, 4));
        each("betainc", positive(3, 4), positive(3, 4), positive(3, 4).muli(0.5));
        each("axpy", x(4, 6), x(4, 6)).forEach(c -> add(c.reals(0.3)));
        add(c("clipbyvalue", x(4, 6)).reals(-0.3, 0.4));
        add(c("clipbynorm", x(4, 6)).reals(0.5));
        add(c("clipbynorm", x(4, 6)).reals(0.5).integers(1));
        add(c("clipbynorm_bp", x(4, 6), x(4, 6)).reals(0.5));
        add(c("clipbyavgnorm_bp", x(4, 6), x(4, 6)).reals(0.01));
        add(c("clip_by_global_norm", x(4, 6), x(3)).reals(0.5));
        each("mergeadd mergeavg mergemax mergemaxindex", x(4, 6), x(4, 6), x(4, 6));
        each("mergeadd_bp mergeavg_bp mergemax_bp", x(4, 6), x(4, 6), x(4, 6));
        add(c("cumsum", x(4, 6)).integers(0, 0, 1));
        add(c("cumsum", x(4, 6)).integers(1, 1, 0));
        add(c("cumprod", x(4, 6)).integers(0, 0, 1));
        add(c("cumsum_bp", x(4, 6), x(4, 6)).integers(0, 0, 1));
        add(c("cumprod_bp", x(4, 6), x(4, 6)).integers(0, 0, 1));
        add(c("standardize", x(4, 6)).integers(1));
        add(c("standardize_bp", x(4, 6), x(4, 6)).integers(1));
        add(c("layer_norm", x(4, 6), x(6)).integers(1).flags(true));
        add(c("layer_norm", x(4, 6), x(6), x(6)).integers(1).flags(true));
        add(c("layer_norm_bp", x(4, 6), x(6), x(4, 6)).integers(1).flags(true));
        add(c("layer_norm_bp", x(4, 6), x(6), x(6), x(4, 6)).integers(1).flags(true));
        add(c("check_numerics", x(4, 6), Nd4j.scalar("is not finite")));
        add(c("fake_quant_with_min_max_vars", x(4, 6), scalar(-0.5), scalar(0.5)));
        add(c("fake_quant_with_min_max_args_per_channel", x(4, 6), x(6).subi(2), x(6).addi(2)));
        add(c("compare_and_bitpack", x(4, 8), x()));
        each("weighted_cross_entropy_with_logits", positive(4, 6), x(4, 6), positive(6));
    }

    private void reductions() {
        String names = "reduce_max reduce_mean reduce_min reduce_norm1 reduce_norm2 reduce_norm_max reduce_prod "
                + "reduce_sqnorm reduce_stdev reduce_sum reduce_variance reduce_logsumexp";
        each(names, x(4, 6));
        each(names, x(3, 4, 5)).forEach(c -> add(c.integers(1)));
        each(names, x(3, 4, 5)).forEach(c -> add(c.integers(0, 2).reals(1)));
        String gradients = "reduce_max_bp reduce_mean_bp reduce_min_bp reduce_norm1_bp reduce_norm2_bp "
                + "reduce_norm_max_bp reduce_prod_bp reduce_sqnorm_bp reduce_stdev_bp reduce_sum_bp reduce_variance_bp";
        each(gradients, x(4, 6), x());
        only(gradients, x(4, 6), x(4)).forEach(c -> add(c.integers(1)));
        each("reduce_dot_bp", x(4, 6), x(4, 6), x());
        each("argmax argmin argamax argamin", x(4, 6));
        only("argmax argmin argamax argamin", x(4, 6)).forEach(c -> add(c.integers(1)));
        only("moments", x(4, 6)).forEach(c -> add(c.integers(0)));
        add(c("sufficient_statistics", x(4, 6), Nd4j.createFromArray(0)));
        add(c("normalize_moments", scalar(4), x(6), x(6).addi(20)).reals(0));
        add(c("norm", x(4, 6)).reals(1).integers(1));
        add(c("norm", x(4, 6)).reals(2).integers(0));
        each("ismax", x(4, 6));
        only("ismax", x(4, 6)).forEach(c -> add(c.integers(1)));
        add(c("percentile", x(4, 6)).reals(30));
        add(c("nth_element", x(4, 6), Nd4j.scalar(2)).integers(0));
        add(c("histogram", x(4, 6)).integers(5));
        add(c("histogram_fixed_width", x(4, 6), values(-1, 1), Nd4j.scalar(5)));
        each("evaluate_reduction_shape", Nd4j.createFromArray(4, 6), Nd4j.createFromArray(1));
        only("top_k", x(4, 6)).forEach(c -> add(c.integers(2, 1)));
        add(c("in_top_k", x(4, 6), Nd4j.createFromArray(1, 2, 0, 3)).integers(2));
        add(c("unique", floats(12)));
        add(c("unique_with_counts", floats(12)));
        add(c("listdiff", floats(12), floats(5)));
        each("trace", x(3, 4, 4));
    }

    private void shapes() {
        each("transpose shape_of shapes_of size rank", x(4, 6));
        add(c("flatten", x(4, 6), x(3)).integers('c'));
        add(c("flatten_2d", x(2, 3, 4)).integers(1));
        add(c("size_at", x(4, 6)).integers(1));
        add(c("reshape", x(4, 6)).integers(-99, 3, 8));
        add(c("reshape_as", x(4, 6), x(3, 8)));
        add(c("order", Nd4j.createFromArray(1, 2)).integers('f'));
        add(c("expand_dims", x(4, 6)).integers(1));
        add(c("squeeze", x(4, 1, 6)).integers(1));
        add(c("permute", x(2, 3, 4)).integers(2, 0, 1));
        add(c("concat", x(4, 6), x(4, 3)).integers(1));
        add(c("concat_bp", x(4, 6), x(4, 3), x(4, 9)).integers(1));
        add(c("stack", x(4, 6), x(4, 6)).integers(1));
        each("parallel_stack", x(4, 6), x(4, 6));
        add(c("unstack", x(4, 6)).integers(1));
        add(c("split", x(4, 6)).integers(3, 1));
        add(c("split_v", x(4, 6), Nd4j.createFromArray(2, 4)).integers(1));
        add(c("slice", x(4, 6)).integers(1, 2, 2, 3));
        add(c("slice_bp", x(4, 6), x(2, 3)).integers(1, 2, 2, 3));
        add(c("strided_slice", x(4, 6)).integers(0, 0, 0, 0, 0, 0, 1, 4, 6, 2, 2));
        add(c("strided_slice_bp", x(4, 6), x(2, 3)).integers(0, 0, 0, 0, 0, 0, 1, 4, 6, 2, 2));
        add(c("tear", x(4, 6)).integers(1));
        add(c("tile", x(4, 6)).integers(2, 3));
        add(c("tile_bp", x(4, 6), x(8, 18)).integers(2, 3));
        add(c("tile_to_shape", x(4, 1)).integers(4, 6));
        add(c("tile_to_shape_bp", x(4, 1), x(4, 6)).integers(4, 6));
        add(c("repeat", x(4, 6)).integers(2, 1));
        each("broadcast_to", x(6), Nd4j.createFromArray(4, 6));
        each("broadcast_dynamic_shape", Nd4j.createFromArray(4, 1), Nd4j.createFromArray(1, 6));
        add(c("reverse", x(4, 6)).integers(1));
        add(c("reverse_bp", x(4, 6), x(4, 6)).integers(1));
        add(c("reverse_sequence", x(4, 6), Nd4j.createFromArray(2, 6, 1, 3)).integers(1, 0));
        add(c("roll", x(4, 6)).integers(2, 1));
        add(c("roll", x(4, 6)).integers(5));
        add(c("pad", x(4, 6), Nd4j.createFromArray(new int[][] {{1, 2}, {0, 1}}))
                .reals(0.3)
                .integers(0));
        add(c("mirror_pad", x(4, 6), Nd4j.createFromArray(new int[][] {{1, 1}, {2, 1}}))
                .integers(0));
        add(c("meshgrid", x(3), x(4)).flags(true));
        each("diag", x(5));
        each("diag_part", x(5, 5));
        each("matrix_diag", x(3, 5));
        each("matrix_diag_part", x(3, 4, 4));
        each("matrix_set_diag", x(3, 4, 4), x(3, 4));
        add(c("band_part", x(5, 6)).integers(1, 2));
        each("triu", x(5, 6));
        each("triu_bp", x(5, 6), x(5, 6));
        add(c("tri").integers(4, 5).types(DataType.BFLOAT16));
        add(c("eye").integers('c', 4, 5).types(DataType.BFLOAT16));
        add(c("fill", Nd4j.createFromArray(4, 6)).reals(0.3).types(DataType.BFLOAT16));
        add(c("fill_as", x(4, 6)).reals(0.3));
        add(c("lin_space").reals(0.1, 0.9).integers(7).types(DataType.BFLOAT16));
        add(c("lin_space", scalar(0.1), scalar(0.9), Nd4j.scalar(7)));
        add(c("range").reals(0.1, 3, 0.3).types(DataType.BFLOAT16));
        add(c("range", scalar(0.1), scalar(3), scalar(0.3)));
        add(c("create", Nd4j.createFromArray(4, 6))
                .integers('c', DataType.BFLOAT16.toInt())
                .flags(true));
        add(c("cast", x(4, 6)).integers(DataType.DOUBLE.toInt()));
        add(c("cast", x(4, 6)).integers(DataType.INT32.toInt()));
        add(c("cast", Nd4j.createFromArray(1, 259, 3)).integers(DataType.BFLOAT16.toInt()));
        add(c("min_max_datatype").integers(DataType.BFLOAT16.toInt(), 1));
        each("invert_permutation", Nd4j.createFromArray(2, 0, 1));
        add(c("space_to_depth", x(2, 4, 4, 3)).integers(2, 1));
        add(c("depth_to_space", x(2, 2, 2, 12)).integers(2, 1));
        add(c("space_to_batch", x(1, 4, 4, 3), zeros(2, 2)).integers(2));
        add(c("batch_to_space", x(4, 2, 2, 3), zeros(2, 2)).integers(2));
        add(c("space_to_batch_nd", x(1, 4, 4, 3), Nd4j.createFromArray(2, 2), zeros(2, 2)));
        add(c("batch_to_space_nd", x(4, 2, 2, 3), Nd4j.createFromArray(2, 2), zeros(2, 2)));
        add(c("sequence_mask", Nd4j.createFromArray(1, 3, 2)).integers(5));
        add(c("onehot", Nd4j.createFromArray(1, 3, 2))
                .integers(-1, 4)
                .reals(0.9, 0.1)
                .types(DataType.BFLOAT16));
    }

    private void indices() {
        INDArray rows = Nd4j.createFromArray(2, 0, 2);
        add(c("gather", x(4, 6), rows).integers(0));
        each("gather_nd", x(4, 6), Nd4j.createFromArray(new int[][] {{1, 5}, {3, 0}}));
        add(c("embedding_lookup", x(4, 6), rows).integers(0));
        // locked: FLOAT, unlike BF16, otherwise loses some of the rows that come twice, now and then
        locked("scatter_add scatter_sub scatter_max scatter_min", x(4, 6), rows, x(3, 6));
        locked("scatter_mul scatter_div scatter_upd", x(4, 6), Nd4j.createFromArray(2, 0, 3), x(3, 6));
        INDArray pairs = Nd4j.createFromArray(new int[][] {{1, 5}, {3, 0}, {1, 5}});
        locked("scatter_nd_add scatter_nd_sub scatter_nd_update", x(4, 6), pairs, x(3));
        locked("scatter_nd", pairs, x(3), Nd4j.createFromArray(4, 6));
        add(c("scatter_update", x(4, 6), x(2, 6)).integers(0, 1, 1, 2, 0, 3));
        each("select", mask(4, 6), x(4, 6), x(4, 6));
        each("where_np", mask(4, 6), x(4, 6), x(4, 6));
        each("Where", x(4, 6));
        each("Where", mask(4, 6));
        add(c("choose", x(12)).reals(0.2).integers(2));
        INDArray segments = Nd4j.createFromArray(0, 0, 1, 2);
        each("segment_max segment_mean segment_min segment_prod segment_sum", x(4, 6), segments);
        each(
                "segment_max_bp segment_mean_bp segment_min_bp segment_prod_bp segment_sum_bp",
                x(4, 6),
                segments,
                x(3, 6));
        INDArray unsorted = Nd4j.createFromArray(2, 0, 1, 0);
        INDArray count = Nd4j.scalar(3);
        each(
                "unsorted_segment_max unsorted_segment_mean unsorted_segment_min unsorted_segment_prod "
                        + "unsorted_segment_sum unsorted_segment_sqrt_n",
                x(4, 6),
                unsorted,
                count);
        only(
                        "unsorted_segment_max_bp unsorted_segment_mean_bp unsorted_segment_min_bp unsorted_segment_prod_bp "
                                + "unsorted_segment_sum_bp unsorted_segment_sqrt_n_bp",
                        x(4, 6),
                        unsorted,
                        x(3, 6))
                .forEach(c -> add(c.integers(3)));
        add(c("dynamic_partition_bp", x(4), Nd4j.createFromArray(0, 1, 1, 0), x(2), x(2))
                .integers(2));
        add(c("dynamic_partition", x(4, 3), Nd4j.createFromArray(0, 1, 1, 0)).integers(2));
        add(c("dynamic_stitch", Nd4j.createFromArray(0, 2), Nd4j.createFromArray(1, 3), x(2, 6), x(2, 6)));
        add(c("bincount", Nd4j.createFromArray(1, 2, 1, 0)));
        add(c("confusion_matrix", Nd4j.createFromArray(1, 2, 0), Nd4j.createFromArray(1, 1, 0))
                .integers(3));
        add(c(
                "compat_sparse_to_dense",
                Nd4j.createFromArray(new int[][] {{0, 1}, {2, 3}}),
                Nd4j.createFromArray(4, 6),
                x(2),
                x()));
    }

    private void products() {
        each("matmul", x(4, 6), x(6, 5));
        add(c("matmul", x(6, 4), x(5, 6)).integers(1, 1));
        add(c("matmul", x(2, 4, 6), x(2, 6, 5)));
        add(c("matmul", x(4, 6), x(6)));
        add(c("matmul_bp", x(4, 6), x(6, 5), x(4, 5)));
        add(c("matmul_bp", x(6, 4), x(6, 5), x(4, 5)).integers(1, 0, 0));
        add(c("tensormmul", x(2, 3, 4), x(4, 3, 5)).integers(2, 1, 2, 2, 1, 0));
        add(c("tensormmul_bp", x(2, 3, 4), x(3, 4, 5), x(2, 5)).integers(2, 1, 2, 2, 0, 1));
        add(c("xw_plus_b", x(4, 6), x(6, 5), x(5)));
        add(c("tensormmul", x(2, 3, 4), x(5, 4)).integers(1, 2, 1, 1));
        add(c("xw_plus_b_bp", x(4, 6), x(6, 5), x(5), x(4, 5)));
        add(c("relu_layer", x(4, 6), x(6, 5), x(5)));
        add(c("biasadd", x(4, 6), x(6)));
        add(c("biasadd", x(2, 3, 4, 5), x(3)).flags(true));
        add(c("biasadd_bp", x(4, 6), x(6), x(4, 6)));
        add(c("dot_product_attention", x(2, 4, 3), x(2, 4, 5), x(2, 4, 5)).integers(1, 0));
        add(c("dot_product_attention_bp", x(2, 4, 3), x(2, 4, 5), x(2, 4, 5), x(2, 4, 3))
                .integers(1));
        INDArray[] attention = {x(2, 4, 3), x(2, 4, 5), x(2, 4, 5), x(2, 3, 4), x(2, 3, 4), x(2, 3, 4), x(6, 5)};
        add(c("multi_head_dot_product_attention", attention).integers(1, 0));
        add(c(
                        "multi_head_dot_product_attention_bp",
                        attention[0],
                        attention[1],
                        attention[2],
                        attention[3],
                        attention[4],
                        attention[5],
                        attention[6],
                        x(2, 5, 3))
                .integers(1));
    }

    private void convolutions() {
        INDArray image = x(2, 3, 8, 8);
        int[] window = {3, 3, 1, 1, 0, 0, 1, 1, 1, 0};
        add(c("conv2d", image, x(3, 3, 3, 5), x(5)).integers(window));
        add(c("conv2d_bp", image, x(3, 3, 3, 5), x(5), x(2, 5, 8, 8)).integers(window));
        add(c("conv2d_input_bp", Nd4j.createFromArray(2, 3, 8, 8), x(3, 3, 3, 5), x(2, 5, 8, 8))
                .integers(window));
        add(c("pointwise_conv2d", image, x(1, 1, 3, 5)).integers(0));
        add(c("depthwise_conv2d", image, x(3, 3, 3, 2), x(6)).integers(window));
        add(c("depthwise_conv2d_bp", image, x(3, 3, 3, 2), x(6), x(2, 6, 8, 8)).integers(window));
        add(c("sconv2d", image, x(3, 3, 3, 2), x(1, 1, 6, 4)).integers(window));
        add(c("sconv2d_bp", image, x(2, 4, 8, 8), x(3, 3, 3, 2), x(1, 1, 6, 4)).integers(window));
        add(c("deconv2d", image, x(3, 3, 5, 3), x(5)).integers(window));
        add(c("deconv2d_bp", image, x(3, 3, 5, 3), x(5), x(2, 5, 8, 8)).integers(window));
        add(c("deconv2d_tf", Nd4j.createFromArray(2, 8, 8, 3), x(3, 3, 3, 5), x(2, 8, 8, 5))
                .integers(3, 3, 1, 1, 0, 0, 1, 1, 1, 1));
        add(c("conv1d", x(2, 3, 8), x(3, 3, 5), x(5)).integers(3, 1, 0, 1, 1, 0));
        add(c("conv1d_bp", x(2, 3, 8), x(3, 3, 5), x(5), x(2, 5, 8)).integers(3, 1, 0, 1, 1, 0));
        INDArray volume = x(1, 2, 5, 5, 5);
        int[] window3 = {3, 3, 3, 1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 0};
        add(c("conv3dnew", volume, x(3, 3, 3, 2, 4), x(4)).integers(window3));
        add(c("conv3dnew_bp", volume, x(3, 3, 3, 2, 4), x(4), x(1, 4, 5, 5, 5)).integers(window3));
        add(c("deconv3d", volume, x(3, 3, 3, 4, 2), x(4)).integers(window3));
        add(c("deconv3d_bp", volume, x(3, 3, 3, 4, 2), x(4), x(1, 4, 5, 5, 5)).integers(window3));
        add(c("dilation2d", x(1, 6, 6, 2), x(3, 3, 2)).integers(1, 1, 1, 1, 1, 1, 1, 1, 1));
        int[] pool = {2, 2, 2, 2, 0, 0, 1, 1, 0, 1, 0};
        for (String name : new String[] {"avgpool2d", "maxpool2d", "pnormpool2d"}) {
            int[] arguments = name.startsWith("p") ? new int[] {2, 2, 2, 2, 0, 0, 1, 1, 0, 2, 0} : pool;
            add(c(name, image).integers(arguments));
            add(c(name + "_bp", image, x(2, 3, 4, 4)).integers(arguments).reals(1e-5));
        }
        add(c("max_pool_with_argmax", x(2, 8, 8, 3)).integers(2, 2, 2, 2, 0, 0, 1, 1, 0));
        int[] pool3 = {2, 2, 2, 2, 2, 2, 0, 0, 0, 1, 1, 1, 0, 1, 0};
        for (String name : new String[] {"avgpool3dnew", "maxpool3dnew"}) {
            add(c(name, x(1, 2, 4, 4, 4)).integers(pool3));
            add(c(name + "_bp", x(1, 2, 4, 4, 4), x(1, 2, 2, 2, 2)).integers(pool3));
        }
        add(c("upsampling2d", image).integers(2, 2, 1));
        add(c("upsampling2d_bp", image, x(2, 3, 16, 16)).integers(1));
        add(c("upsampling3d", volume).integers(2, 2, 2, 1));
        add(c("upsampling3d_bp", volume, x(1, 2, 10, 10, 10)).integers(1));
        add(c("im2col", image).integers(3, 3, 1, 1, 0, 0, 1, 1, 1).reals(0));
        add(c("im2col_bp", image, x(2, 3, 3, 3, 8, 8)).integers(3, 3, 1, 1, 0, 0, 1, 1, 1));
        add(c("col2im", x(2, 3, 3, 3, 8, 8)).integers(1, 1, 1, 1, 8, 8, 1, 1, 1));
        add(c("extract_image_patches", x(2, 8, 8, 3)).integers(3, 3, 1, 1, 1, 1, 0));
        INDArray[] norm = {image, x(3), positive(3), x(3), x(3)};
        add(c("batchnorm", norm).integers(1, 1, 1).reals(1e-3));
        add(c("batchnorm_bp", image, norm[1], norm[2], norm[3], norm[4], x(2, 3, 8, 8))
                .integers(1, 1, 1)
                .reals(1e-3));
        add(c("fused_batch_norm", x(2, 4, 4, 3), x(3), x(3)).integers(0, 1));
        add(c("lrn", image).reals(1, 1, 0.5).integers(2));
        add(c("lrn_bp", image, x(2, 3, 8, 8)).reals(1, 1, 0.5).integers(2));
    }

    private void recurrent() {
        int in = 3;
        int units = 4;
        int batch = 2;
        INDArray step = x(batch, in);
        INDArray h = x(batch, units);
        INDArray cell = x(batch, units);
        add(c(
                        "lstmCell",
                        step,
                        h,
                        cell,
                        x(in, 4 * units),
                        x(units, 4 * units),
                        x(3 * units),
                        x(units, units),
                        x(4 * units))
                .integers(0, 0)
                .reals(0, 0, 1));
        add(c(
                        "lstm",
                        x(5, batch, in),
                        h,
                        cell,
                        x(in, 4 * units),
                        x(units, 4 * units),
                        x(3 * units),
                        x(units, units),
                        x(4 * units))
                .integers(0, 0)
                .reals(0, 0, 1));
        add(c("lstmBlockCell", step, cell, h, x(in + units, 4 * units), x(units), x(units), x(units), x(4 * units))
                .integers(0)
                .reals(1, 0));
        add(c(
                        "lstmBlock",
                        Nd4j.scalar(5L),
                        x(5, batch, in),
                        cell,
                        h,
                        x(in + units, 4 * units),
                        x(units),
                        x(units),
                        x(units),
                        x(4 * units))
                .integers(0, 0)
                .reals(1, 0));
        add(c("lstmLayer", x(5, batch, in), x(in, 4 * units), x(units, 4 * units), x(4 * units), h, cell)
                .integers(0, 0, 2, 0, 0)
                .flags(true, false, true, true, false, true, true, true)
                .reals(0));
        add(c(
                        "lstmLayer_bp",
                        x(5, batch, in),
                        x(in, 4 * units),
                        x(units, 4 * units),
                        x(4 * units),
                        h,
                        cell,
                        x(5, batch, units))
                .integers(0, 0, 2, 0, 0)
                .flags(true, false, true, true, false, true, false, false)
                .reals(0));
        add(c("lstmLayerCell", step, x(in, 4 * units), x(units, 4 * units), x(4 * units), h, cell)
                .integers(2, 0, 0)
                .flags(true, false)
                .reals(0));
        add(c("lstmLayerCellBp", step, x(in, 4 * units), x(units, 4 * units), x(4 * units), h, cell, h.dup())
                .integers(2, 0, 0)
                .flags(true, false)
                .reals(0));
        add(c("gruCell", step, h, x(in + units, 2 * units), x(in + units, units), x(2 * units), x(units)));
        add(c(
                "gruCell_bp",
                step,
                h,
                x(in + units, 2 * units),
                x(in + units, units),
                x(2 * units),
                x(units),
                h.dup(),
                h.dup(),
                h.dup(),
                x(batch, units)));
        add(c("gru", x(5, batch, in), h, x(in, 3 * units), x(units, 3 * units), x(3 * units)));
        add(c("gru_bp", x(5, batch, in), h, x(in, 3 * units), x(units, 3 * units), x(3 * units), x(5, batch, units)));
        add(c("sru", x(batch, units, 5), x(3 * units, units), x(2 * units), cell, positive(batch, units)));
        add(c("sruCell", x(batch, units), cell, x(units, 3 * units), x(2 * units)));
        add(c(
                "sru_bi",
                x(5, batch, 2 * units),
                x(2 * units, 6 * units),
                x(4 * units),
                x(batch, 2 * units),
                positive(batch, 2 * units)));
        add(c(
                "sru_bp",
                x(batch, units, 5),
                x(3 * units, units),
                x(1, 2 * units),
                cell,
                x(batch, units, 5),
                cell.dup(),
                x(batch, units, 5),
                positive(batch, units)));
        add(c(
                "sru_bi_bp",
                x(5, batch, 2 * units),
                x(2 * units, 6 * units),
                x(4 * units),
                x(batch, 2 * units),
                x(5, batch, 2 * units),
                x(batch, 2 * units),
                x(5, batch, 2 * units),
                positive(batch, 2 * units)));
        add(c("static_rnn", x(5, batch, in), x(in, units), x(units, units), x(2 * units), h));
        add(c("dynamic_rnn", x(5, batch, in), x(in, units), x(units, units), x(2 * units), h)
                .integers(1));
        INDArray[] both = {
            x(5, batch, in), x(in, units), x(units, units), x(2 * units), x(in, units), x(units, units), x(2 * units)
        };
        add(c("static_bidirectional_rnn", both));
        add(c("dynamic_bidirectional_rnn", both).integers(1));
    }

    private void losses() {
        for (String loss : new String[] {
            "absolute_difference_loss",
            "hinge_loss",
            "huber_loss",
            "log_loss",
            "log_poisson_loss",
            "mean_pairwssqerr_loss",
            "mean_sqerr_loss",
            "sigm_cross_entropy_loss",
            "softmax_cross_entropy_loss",
            "cosine_distance_loss"
        }) {
            boolean rows = loss.startsWith("softmax");
            INDArray weights = rows ? positive(4, 1) : loss.startsWith("cosine") ? positive(4, 1) : positive(4, 6);
            INDArray predictions = loss.equals("log_loss") ? positive(4, 6) : x(4, 6);
            for (int reduction = loss.startsWith("mean_pairw") ? 1 : 0; reduction <= 3; reduction++) {
                int[] integers = loss.startsWith("cosine") ? new int[] {reduction, 1} : new int[] {reduction};
                INDArray labels = rows ? onehot(4, 6) : bits(4, 6);
                INDArray w = loss.startsWith("mean_pairw") ? positive(4, 1) : weights;
                add(c(loss, predictions, w, labels).integers(integers).reals(0.1));
                add(c(loss + "_grad", predictions, rows ? positive(4) : w, labels)
                        .integers(integers)
                        .reals(0.1));
            }
        }
        each(
                "softmax_cross_entropy_loss_with_logits softmax_cross_entropy_loss_with_logits_grad",
                x(4, 6),
                onehot(4, 6));
        each(
                "sparse_softmax_cross_entropy_loss_with_logits sparse_softmax_cross_entropy_loss_with_logits_grad",
                Nd4j.createFromArray(1, 0, 5, 2),
                x(4, 6));
        only(
                        "ctc_loss ctc_loss_grad",
                        Nd4j.createFromArray(new int[][] {{1, 2}, {3, 1}}),
                        x(2, 6, 5),
                        Nd4j.createFromArray(2, 2),
                        Nd4j.createFromArray(6, 5))
                .forEach(c -> add(c.integers(0)));
    }

    private void updaters() {
        INDArray gradient = x(30);
        INDArray first = x(30);
        INDArray second = positive(30);
        add(c("sgd_updater", gradient).reals(0.01));
        add(c("apply_sgd", x(30), gradient).reals(0.01));
        add(c("nesterovs_updater", gradient, first).reals(0.01, 0.9));
        add(c("ada_grad_updater", gradient, second).reals(0.01, 1e-6));
        add(c("rms_prop_updater", gradient, second).reals(0.01, 0.95, 1e-6));
        add(c("ada_delta_updater", gradient, second, positive(30)).reals(0.95, 1e-6));
        for (String name : new String[] {"adam_updater", "nadam_updater", "ada_max_updater", "adabelief_updater"}) {
            add(c(name, gradient, second, first).reals(0.01, 0.9, 0.999, 1e-8).integers(3));
        }
        add(c("ams_grad_updater", gradient, second, first, positive(30))
                .reals(0.01, 0.9, 0.999, 1e-8)
                .integers(3));
    }

    private void images() {
        INDArray image = positive(4, 6, 3);
        add(c("adjust_contrast", image).reals(1.7));
        add(c("adjust_contrast_v2", image).reals(1.7));
        add(c("adjust_hue", image).reals(0.2));
        add(c("adjust_saturation", image).reals(1.7));
        each("hsv_to_rgb rgb_to_hsv rgb_to_grs rgb_to_yiq rgb_to_yuv yiq_to_rgb yuv_to_rgb", image);
        INDArray images = positive(2, 6, 6, 3);
        INDArray size = Nd4j.createFromArray(9, 4);
        each("resize_bilinear resize_nearest_neighbor resize_bicubic resize_area", images, size);
        add(c("image_resize", images, size).integers(1).flags(false, true));
        add(c("resize_images", images, size).integers(0));
        INDArray boxes = Nd4j.createFromArray(new float[][] {{0, 0, 0.5f, 0.5f}, {0.25f, 0.25f, 1, 1}})
                .castTo(DataType.BFLOAT16);
        add(c("crop_and_resize", images, boxes, Nd4j.createFromArray(0, 1), Nd4j.createFromArray(3, 3))
                .integers(0));
        add(c("draw_bounding_boxes", images, boxes.reshape(2, 1, 4), positive(1, 3)));
        add(c("non_max_suppression", boxes, positive(2)).integers(2).reals(0.5));
        add(c("non_max_suppression_v3", boxes, positive(2), Nd4j.scalar(2), scalar(0.5), scalar(0.1)));
        add(c("non_max_suppression_overlaps", positive(2, 2), positive(2), Nd4j.scalar(2), scalar(0.5), scalar(0.1)));
    }

    private void linearAlgebra() {
        INDArray square = x(4, 4).addi(Nd4j.eye(4).muli(3));
        INDArray definite = Nd4j.eye(4).muli(3).addi(0.5).castTo(DataType.BFLOAT16);
        each("cholesky", definite);
        each("matrix_determinant log_matrix_determinant matrix_inverse lu sqrtm", square);
        each("logdet", definite);
        each("qr", x(5, 3));
        add(c("svd", x(5, 3)).integers(0, 1, 16));
        each("eig", square);
        each("solve lstsq", square, x(4, 2));
        each("solve_ls", square, x(4, 2));
        each("triangular_solve", square, x(4, 2));
        each("cross", x(4, 3), x(4, 3));
    }

    private void randomNumbers() {
        INDArray shape = Nd4j.createFromArray(4, 6);
        add(c("random_normal", shape).reals(0.5, 2).types(DataType.BFLOAT16));
        add(c("random_bernoulli", shape).reals(0.4).types(DataType.BFLOAT16));
        add(c("random_exponential", shape).reals(1.5).types(DataType.BFLOAT16));
        add(c("randomuniform", shape).reals(0.5, 2).types(DataType.BFLOAT16));
        add(c("random_poisson", Nd4j.createFromArray(5), positive(3).addi(3)).integers(7));
        add(c("random_multinomial", x(3, 5), Nd4j.scalar(7)));
        add(c("random_shuffle", x(9)).integers(7));
        add(c("random_crop", x(4, 6), Nd4j.createFromArray(2, 3)).integers(7));
        add(c("dropout", x(4, 6)).reals(0.5).integers(7));
        add(c("dropout_bp", x(4, 6), x(4, 6)).reals(0.5).integers(7));
        add(c("alpha_dropout_bp", x(4, 6), x(4, 6)).reals(0.5, 0.1, 0.2, 0.3).integers(7));
    }

    /** Ops on whole numbers or truth values, which refuse BF16 as they refuse FLOAT. */
    private void integers() {
        each(
                "bitwise_and bitwise_or bitwise_xor shift_bits rshift_bits cyclic_shift_bits cyclic_rshift_bits "
                        + "bits_hamming_distance",
                x(4, 6),
                x(4, 6));
        each("toggle_bits", x(4, 6));
        each("boolean_and boolean_or boolean_xor", x(4, 6), x(4, 6));
        each("boolean_not", x(4, 6));
    }

    private void others() {
        add(c("barnes_gains", x(4, 2), x(4, 2), x(4, 2)));
        add(c("knn_mindistance", x(5), x(5).subi(1), x(5).addi(1)));
        add(c("cell_contains", x(3), positive(3), x(3)).integers(3));
    }

    private OpCase c(String name, INDArray... inputs) {
        return new OpCase(name, inputs);
    }

    private void add(OpCase opCase) {
        cases.add(opCase);
    }

    private List<OpCase> only(String names, INDArray... inputs) {
        return Arrays.stream(names.split(" ")).map(name -> c(name, inputs)).toList();
    }

    private void locked(String names, INDArray... inputs) {
        only(names, inputs).forEach(c -> add(c.flags(true)));
    }

    private List<OpCase> each(String names, INDArray... inputs) {
        List<OpCase> group = only(names, inputs);
        cases.addAll(group);
        return group;
    }

    private INDArray x(long... shape) {
        return Bf16Testing.random(random, shape);
    }

    private INDArray positive(long... shape) {
        return abs(x(shape)).addi(0.0625);
    }

    private static INDArray abs(INDArray array) {
        return Transforms.abs(array, true);
    }

    private static INDArray scalar(double value) {
        return Nd4j.scalar(DataType.BFLOAT16, value);
    }

    private static INDArray values(double... values) {
        return Nd4j.createFromArray(values).castTo(DataType.BFLOAT16);
    }

    private INDArray floats(long... shape) {
        return Nd4j.createFromArray(
                        random.ints(Nd4j.create(shape).length(), 0, 4).toArray())
                .reshape(shape)
                .castTo(DataType.BFLOAT16);
    }

    private INDArray mask(long... shape) {
        return x(shape).gt(0);
    }

    private INDArray bits(long... shape) {
        return mask(shape).castTo(DataType.BFLOAT16);
    }

    private static INDArray onehot(int rows, int columns) {
        return Nd4j.eye(Math.max(rows, columns))
                .get(NDArrayIndex.interval(0, rows), NDArrayIndex.interval(0, columns))
                .dup()
                .castTo(DataType.BFLOAT16);
    }

    private static INDArray zeros(long... shape) {
        return Nd4j.zeros(DataType.INT32, shape);
    }
}

package org.dl4jsr.layer;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.deeplearning4j.nn.conf.weightnoise.IWeightNoise;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.BaseLayer;
import org.deeplearning4j.nn.workspace.ArrayType;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Has DL4J's code of a recurrent BF16 layer compute in FP32, by giving it FLOAT copies of the parameters, whose type it
 * goes by. Activations, their gradient and that of the parameters are rounded once, as they leave the layer. A state
 * that is carried on, {@code rnnTimeStep}'s, stays FLOAT. Layers that are not BF16 run as they are. A layer does one
 * pass at a time: two threads in it would leave the copies of one behind as its parameters.
 */
final class Fp32Pass {

    private Fp32Pass() {}

    /** Runs a forward pass. */
    static INDArray forward(
            BaseLayer<?> layer, boolean training, LayerWorkspaceMgr workspaceMgr, Supplier<INDArray> pass) {
        if (!applies(layer)) {
            return pass.get();
        }
        DataType type = training ? DataType.BFLOAT16 : typeAtInference(layer, workspaceMgr);
        // with weight noise DL4J keeps some of the parameters that it is given for the backward pass
        boolean remain = layer.layerConf().getWeightNoise() != null;
        ArrayType place = remain ? ArrayType.ACTIVATIONS : ArrayType.FF_WORKING_MEM;
        INDArray output = withWideParameters(layer, place, workspaceMgr, pass);
        return type == DataType.FLOAT ? output : cast(output, type, ArrayType.ACTIVATIONS, workspaceMgr);
    }

    /** Activations have the type of the parameters, which weight noise may make FLOAT: a policy's, for outputs. */
    private static DataType typeAtInference(BaseLayer<?> layer, LayerWorkspaceMgr workspaceMgr) {
        IWeightNoise noise = layer.layerConf().getWeightNoise();
        if (noise == null) {
            return DataType.BFLOAT16;
        }
        String any = layer.paramTable().keySet().iterator().next();
        return noise.getParameter(layer, any, layer.getIterationCount(), layer.getEpochCount(), false, workspaceMgr)
                .dataType();
    }

    /** Runs a backward pass, which takes the gradient of what the layer gives. */
    static Pair<Gradient, INDArray> backward(
            BaseLayer<?> layer,
            INDArray epsilon,
            LayerWorkspaceMgr workspaceMgr,
            Function<INDArray, Pair<Gradient, INDArray>> pass) {
        if (!applies(layer)) {
            return pass.apply(epsilon);
        }
        INDArray dOutput = cast(epsilon, DataType.FLOAT, ArrayType.BP_WORKING_MEM, workspaceMgr);
        Pair<Gradient, INDArray> result;
        INDArray gradients;
        synchronized (layer) {
            gradients = layer.getGradientsViewArray();
            INDArray wide = workspaceMgr.create(ArrayType.BP_WORKING_MEM, DataType.FLOAT, gradients.shape());
            layer.setBackpropGradientsViewArray(wide);
            try {
                result = withWideParameters(layer, ArrayType.BP_WORKING_MEM, workspaceMgr, () -> pass.apply(dOutput));
            } finally {
                layer.setBackpropGradientsViewArray(gradients);
            }
            gradients.assign(wide);
        }
        Map<String, INDArray> views =
                layer.layerConf().initializer().getGradientsFromFlattened(layer.conf(), gradients);
        result.getFirst().gradientForVariable().replaceAll((name, gradient) -> views.get(name));
        result.setSecond(cast(result.getSecond(), DataType.BFLOAT16, ArrayType.ACTIVATION_GRAD, workspaceMgr));
        return result;
    }

    private static boolean applies(BaseLayer<?> layer) {
        return layer.params().dataType() == DataType.BFLOAT16;
    }

    private static <T> T withWideParameters(
            BaseLayer<?> layer, ArrayType place, LayerWorkspaceMgr workspaceMgr, Supplier<T> pass) {
        synchronized (layer) {
            Map<String, INDArray> parameters = layer.paramTable();
            var wide = new LinkedHashMap<String, INDArray>();
            parameters.forEach(
                    (name, parameter) -> wide.put(name, cast(parameter, DataType.FLOAT, place, workspaceMgr)));
            layer.setParamTable(wide);
            try {
                return pass.get();
            } finally {
                layer.setParamTable(parameters);
            }
        }
    }

    private static INDArray cast(INDArray array, DataType type, ArrayType place, LayerWorkspaceMgr workspaceMgr) {
        return workspaceMgr
                .createUninitialized(place, type, array.shape(), array.ordering())
                .assign(array);
    }
}

package org.dl4jsr.layer;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Map;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.dl4jsr.backend.Bf16Executioner;
import org.nd4j.linalg.factory.Nd4j;

/** Which layer of DL4J's has one on kernels, and how one becomes the other. */
public final class KernelLayers {

    private static final Map<Class<? extends Layer>, Class<? extends Layer>> ON_KERNELS = Map.of(
            LSTM.class,
            KernelLstm.class,
            BatchNormalization.class,
            KernelBatchNormalization.class,
            ConvolutionLayer.class,
            KernelConvolution.class,
            SubsamplingLayer.class,
            KernelSubsampling.class,
            DenseLayer.class,
            KernelDense.class,
            OutputLayer.class,
            KernelOutput.class,
            RnnOutputLayer.class,
            KernelRnnOutput.class,
            ActivationLayer.class,
            KernelActivation.class,
            Convolution1DLayer.class,
            KernelConvolution1D.class,
            EmbeddingSequenceLayer.class,
            KernelEmbeddingSequence.class);

    private KernelLayers() {}

    /** {@code layer}, or one on kernels with its settings. Subclasses that users make stay as they are. */
    public static Layer onKernels(Layer layer) {
        Class<? extends Layer> type = ON_KERNELS.get(layer.getClass());
        return type == null ? layer : copy(layer, create(type), layer.getClass());
    }

    /** {@code layer}, or the one of DL4J's with its settings; also of one that was frozen since. */
    public static Layer stock(Layer layer) {
        if (layer instanceof FrozenLayer frozen) {
            return copy(frozen, new FrozenLayer(stock(frozen.getLayer())), Layer.class);
        }
        Class<?> stock = layer.getClass().getSuperclass();
        boolean onKernels = ON_KERNELS.get(stock) == layer.getClass();
        return onKernels ? copy(layer, create(stock.asSubclass(Layer.class)), stock) : layer;
    }

    /** Whether the device in force has their kernels. */
    static boolean areSupported() {
        return Nd4j.getExecutioner() instanceof Bf16Executioner ours
                && ours.device().arrayKernels().isPresent();
    }

    private static Layer create(Class<? extends Layer> type) {
        try {
            return type.getDeclaredConstructor().newInstance();
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(
                    "No " + type + " can be made: is this the DL4J that dl4j-sr is made for?", e);
        }
    }

    /** {@code copy}, with all the fields of {@code layer} that {@code common}, a class of both, has. */
    private static Layer copy(Layer layer, Layer copy, Class<?> common) {
        try {
            for (Class<?> c = common; c != Object.class; c = c.getSuperclass()) {
                for (Field field : c.getDeclaredFields()) {
                    if (!Modifier.isStatic(field.getModifiers())) {
                        field.setAccessible(true);
                        field.set(copy, field.get(layer));
                    }
                }
            }
            return copy;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(
                    "Layer " + layer + " cannot be copied: is this the DL4J that dl4j-sr is made for?", e);
        }
    }
}

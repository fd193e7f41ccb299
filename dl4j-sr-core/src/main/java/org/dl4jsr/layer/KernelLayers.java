package org.dl4jsr.layer;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Collection;
import java.util.Map;
import org.deeplearning4j.nn.api.ParamInitializer;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.graph.ElementWiseVertex;
import org.deeplearning4j.nn.conf.graph.GraphVertex;
import org.deeplearning4j.nn.conf.layers.ActivationLayer;
import org.deeplearning4j.nn.conf.layers.BatchNormalization;
import org.deeplearning4j.nn.conf.layers.Convolution1DLayer;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.Deconvolution2D;
import org.deeplearning4j.nn.conf.layers.Deconvolution3D;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.EmbeddingSequenceLayer;
import org.deeplearning4j.nn.conf.layers.GlobalPoolingLayer;
import org.deeplearning4j.nn.conf.layers.GravesBidirectionalLSTM;
import org.deeplearning4j.nn.conf.layers.GravesLSTM;
import org.deeplearning4j.nn.conf.layers.LSTM;
import org.deeplearning4j.nn.conf.layers.Layer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.RecurrentAttentionLayer;
import org.deeplearning4j.nn.conf.layers.RnnOutputLayer;
import org.deeplearning4j.nn.conf.layers.SelfAttentionLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.conf.layers.misc.FrozenLayer;
import org.deeplearning4j.nn.conf.layers.recurrent.Bidirectional;
import org.deeplearning4j.nn.conf.layers.recurrent.SimpleRnn;
import org.deeplearning4j.nn.conf.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.optimize.api.TrainingListener;
import org.dl4jsr.backend.Bf16Executioner;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Which layer of DL4J's has one of ours, on kernels or in FP32, and how one becomes the other. */
public final class KernelLayers {

    @SuppressWarnings("deprecation") // GravesLSTM, GravesBidirectionalLSTM
    private static final Map<Class<? extends Layer>, Class<? extends Layer>> OURS = Map.ofEntries(
            Map.entry(LSTM.class, KernelLstm.class),
            Map.entry(GravesLSTM.class, Fp32GravesLstm.class),
            Map.entry(GravesBidirectionalLSTM.class, Fp32GravesBidirectionalLstm.class),
            Map.entry(SimpleRnn.class, Fp32SimpleRnn.class),
            Map.entry(BatchNormalization.class, KernelBatchNormalization.class),
            Map.entry(ConvolutionLayer.class, KernelConvolution.class),
            Map.entry(Deconvolution2D.class, KernelDeconvolution2D.class),
            Map.entry(Deconvolution3D.class, KernelDeconvolution3D.class),
            Map.entry(SubsamplingLayer.class, KernelSubsampling.class),
            Map.entry(GlobalPoolingLayer.class, KernelGlobalPooling.class),
            Map.entry(DenseLayer.class, KernelDense.class),
            Map.entry(OutputLayer.class, KernelOutput.class),
            Map.entry(RnnOutputLayer.class, KernelRnnOutput.class),
            Map.entry(ActivationLayer.class, KernelActivation.class),
            Map.entry(Convolution1DLayer.class, KernelConvolution1D.class),
            Map.entry(EmbeddingSequenceLayer.class, KernelEmbeddingSequence.class),
            Map.entry(SelfAttentionLayer.class, KernelSelfAttention.class),
            Map.entry(RecurrentAttentionLayer.class, KernelRecurrentAttention.class));

    private KernelLayers() {}

    /** {@code layer}, or the one of ours with its settings. Subclasses that users make stay as they are. */
    public static Layer ours(Layer layer) {
        Class<? extends Layer> type = OURS.get(layer.getClass());
        return type == null ? layer : copy(layer, create(type), layer.getClass());
    }

    /** {@code layer}, or the one of DL4J's with its settings; also of those that it wraps, or that were frozen since. */
    public static Layer stock(Layer layer) {
        if (layer instanceof FrozenLayer frozen) {
            return copy(frozen, new FrozenLayer(stock(frozen.getLayer())), Layer.class);
        }
        if (layer instanceof Bidirectional) {
            var both = (Bidirectional) layer.clone();
            both.setFwd(stock(both.getFwd()));
            both.setBwd(stock(both.getBwd()));
            return both;
        }
        if (layer instanceof BaseWrapperLayer) {
            var wrapper = (BaseWrapperLayer) layer.clone();
            wrapper.setUnderlying(stock(wrapper.getUnderlying()));
            return wrapper;
        }
        Class<?> stock = layer.getClass().getSuperclass();
        boolean ours = OURS.get(stock) == layer.getClass();
        return ours ? copy(layer, create(stock.asSubclass(Layer.class)), stock) : layer;
    }

    /** {@code vertex}, or the one of ours with its settings. */
    public static GraphVertex ours(GraphVertex vertex) {
        return vertex.getClass() == ElementWiseVertex.class
                ? new KernelElementWise(((ElementWiseVertex) vertex).getOp())
                : vertex;
    }

    /** {@code vertex}, or the one of DL4J's with its settings. */
    public static GraphVertex stock(GraphVertex vertex) {
        return vertex instanceof KernelElementWise ours ? new ElementWiseVertex(ours.getOp()) : vertex;
    }

    /** {@code layer} with what its configuration's {@code instantiate} was given for it. */
    static <L extends org.deeplearning4j.nn.api.Layer> L instantiated(
            L layer,
            ParamInitializer initializer,
            NeuralNetConfiguration conf,
            Collection<TrainingListener> listeners,
            int index,
            INDArray parameters,
            boolean initialize) {
        layer.setListeners(listeners);
        layer.setIndex(index);
        layer.setParamsViewArray(parameters);
        layer.setParamTable(initializer.init(conf, parameters, initialize));
        layer.setConf(conf);
        return layer;
    }

    /** Whether the device in force has kernels for them. */
    static boolean areSupported() {
        return Nd4j.getExecutioner() instanceof Bf16Executioner ours
                && ours.device().arrayKernels().isPresent();
    }

    private static Layer create(Class<? extends Layer> type) {
        try {
            Constructor<? extends Layer> constructor = type.getDeclaredConstructor();
            constructor.setAccessible(true); // SimpleRnn's is private
            return constructor.newInstance();
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

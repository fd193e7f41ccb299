package org.dl4jsr.backend;

import java.util.List;
import java.util.Map;
import org.dl4jsr.op.Device;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ndarray.INDArrayStatistics;
import org.nd4j.linalg.api.ops.BroadcastOp;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.IndexAccumulation;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.ops.RandomOp;
import org.nd4j.linalg.api.ops.ReduceOp;
import org.nd4j.linalg.api.ops.ScalarOp;
import org.nd4j.linalg.api.ops.TransformOp;
import org.nd4j.linalg.api.ops.impl.scatter.ScatterUpdate;
import org.nd4j.linalg.api.rng.Random;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;
import org.nd4j.linalg.cpu.nativecpu.ops.NativeOpExecutioner;
import org.nd4j.linalg.factory.Nd4j;

/** ND4J's CPU executioner behind {@link OpDispatch}. ND4J creates it by name. */
public class CpuExecutioner extends NativeOpExecutioner implements Bf16Executioner {

    private final CpuDevice device;
    private final OpDispatch dispatch;
    private final OpDispatch withoutShortcuts;

    /** ND4J calls this. */
    public CpuExecutioner() {
        this(CpuDevice.INSTANCE);
    }

    /** For arrays in {@code device}'s memory. */
    protected CpuExecutioner(CpuDevice device) {
        this.device = device;
        dispatch = new OpDispatch(
                this,
                device,
                new ElementwiseShortcuts(this, device),
                new NormShortcut(this, device),
                new MoverShortcuts(device),
                new WindowShortcuts(device),
                new ConvolutionShortcuts(device),
                new VolumeShortcuts(device),
                new AttentionShortcuts(device),
                new DropoutShortcut(device));
        withoutShortcuts = new OpDispatch(this, device);
    }

    @Override
    public Device device() {
        return device;
    }

    /** All ways to run an op of the old kind end here or in one of the following. */
    @Override
    public INDArray exec(Op op, OpContext context) {
        if (op instanceof ScalarOp || !(op instanceof TransformOp)) {
            return super.exec(op, context); // which calls the method for the kind
        }
        return dispatch.run(op, context, () -> {
            super.exec(op, context);
            return getZ(op, context);
        });
    }

    @Override
    public INDArray exec(ScalarOp op, OpContext context) {
        return dispatch.run(op, context, () -> super.exec(op, context));
    }

    @Override
    public INDArray exec(ReduceOp op, OpContext context) {
        return dispatch.run(op, context, () -> super.exec(op, context));
    }

    @Override
    public INDArray exec(IndexAccumulation op, OpContext context) {
        return dispatch.run(op, context, () -> super.exec(op, context));
    }

    @Override
    public INDArray exec(BroadcastOp op, OpContext context) {
        return dispatch.run(op, context, () -> super.exec(op, context));
    }

    @Override
    public INDArray exec(RandomOp op, OpContext context, Random random) {
        OpDispatch fitting = random == Nd4j.getRandom() ? dispatch : withoutShortcuts; // which draw from that one
        return fitting.run(op, context, () -> super.exec(op, context, random));
    }

    @Override
    public INDArray[] exec(CustomOp op) {
        return dispatch.run(op, () -> super.exec(op));
    }

    @Override
    public INDArray[] exec(CustomOp op, OpContext context) {
        return dispatch.run(op, context, () -> super.exec(op, context));
    }

    @Override
    public List<LongShapeDescriptor> calculateOutputShape(CustomOp op, OpContext context) {
        return dispatch.shapes(op, context, () -> super.calculateOutputShape(op, context));
    }

    @Override
    public void scatterUpdate(
            ScatterUpdate.UpdateOp op, INDArray array, INDArray indices, INDArray updates, int[] axis) {
        dispatch.scatterUpdate(
                array, indices, updates, (target, source) -> super.scatterUpdate(op, target, indices, source, axis));
    }

    /** With the op's name in what ND4J says of NaN or infinity found. */
    @Override
    public void profilingConfigurableHookOut(Op op, OpContext context, long start) {
        dispatch.naming(op.opName(), () -> super.profilingConfigurableHookOut(op, context, start));
    }

    @Override
    public void profilingConfigurableHookOut(CustomOp op, OpContext context, long start) {
        dispatch.naming(op.opName(), () -> super.profilingConfigurableHookOut(op, context, start));
    }

    @Override
    public INDArrayStatistics inspectArray(INDArray array) {
        return super.inspectArray(Bf16Arrays.isBFloat16(array) ? array.castTo(DataType.FLOAT) : array);
    }

    @Override
    public DataBuffer createShapeInfo(
            long[] shape, long[] stride, long elementWiseStride, char order, DataType type, boolean empty) {
        DataBuffer info = super.createShapeInfo(shape, stride, elementWiseStride, order, type, empty);
        return FlatBufferArrays.permutes(shape, stride, type) ? new PermutedShape(info) : info;
    }

    @Override
    public DataBuffer createShapeInfo(
            long[] shape, long[] stride, long elementWiseStride, char order, DataType type, long extras) {
        DataBuffer info = super.createShapeInfo(shape, stride, elementWiseStride, order, type, extras);
        return FlatBufferArrays.permutes(shape, stride, type) ? new PermutedShape(info) : info;
    }

    /** Refuses BF16: what a graph does within the native library cannot be promoted. */
    @Override
    public Map<String, INDArray> executeGraph(long id, Map<String, INDArray> arrays, Map<String, Integer> indices) {
        dispatch.refuseGraph(arrays);
        return super.executeGraph(id, arrays, indices);
    }
}

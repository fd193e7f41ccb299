package org.dl4jsr.backend.cuda;

import java.util.List;
import java.util.Map;
import org.dl4jsr.backend.Bf16Arrays;
import org.dl4jsr.backend.Bf16Executioner;
import org.dl4jsr.backend.OpDispatch;
import org.dl4jsr.op.Device;
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
import org.nd4j.linalg.jcublas.context.CudaContext;
import org.nd4j.linalg.jcublas.ops.executioner.CudaExecutioner;

/**
 * ND4J's CUDA executioner behind {@link OpDispatch}. ND4J creates it by name. All ways to run an op end in one of
 * these methods; those that return a context have no caller that looks at it.
 */
public final class GpuExecutioner extends CudaExecutioner implements Bf16Executioner {

    private final OpDispatch dispatch = new OpDispatch(this, GpuDevice.INSTANCE);

    @Override
    public Device device() {
        return GpuDevice.INSTANCE;
    }

    @Override
    protected CudaContext invoke(TransformOp op, OpContext context) {
        dispatch.run(op, context, () -> {
            super.invoke(op, context);
            return getZ(op, context);
        });
        return null;
    }

    @Override
    protected CudaContext invoke(ScalarOp op, OpContext context) {
        dispatch.run(op, context, () -> {
            super.invoke(op, context);
            return getZ(op, context);
        });
        return null;
    }

    @Override
    protected CudaContext invoke(BroadcastOp op, OpContext context) {
        dispatch.run(op, context, () -> {
            super.invoke(op, context);
            return getZ(op, context);
        });
        return null;
    }

    @Override
    protected CudaContext invoke(ReduceOp op, OpContext context, int[] dimensions) {
        dispatch.run(op, context, () -> {
            super.invoke(op, context, dimensions);
            return getZ(op, context);
        });
        return null;
    }

    @Override
    protected CudaContext invoke(IndexAccumulation op, OpContext context, int[] dimensions) {
        dispatch.run(op, context, () -> {
            super.invoke(op, context, dimensions);
            return getZ(op, context);
        });
        return null;
    }

    @Override
    public INDArray exec(BroadcastOp op) {
        return dispatch.run(op, null, () -> super.exec(op));
    }

    @Override
    public INDArray exec(ReduceOp op) {
        return dispatch.run(op, null, () -> super.exec(op));
    }

    @Override
    public INDArray exec(IndexAccumulation op) {
        return dispatch.run(op, null, () -> super.exec(op));
    }

    @Override
    public INDArray exec(RandomOp op, OpContext context, Random random) {
        return dispatch.run(op, context, () -> super.exec(op, context, random));
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

    /** Refuses BF16: what a graph does within the native library cannot be promoted. */
    @Override
    public Map<String, INDArray> executeGraph(long id, Map<String, INDArray> arrays, Map<String, Integer> indices) {
        dispatch.refuseGraph(arrays);
        return super.executeGraph(id, arrays, indices);
    }
}

package org.dl4jsr.backend.cuda;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.backend.Bf16Arrays;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.kernel.Kernels;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.cuda.CudaDevice;
import org.dl4jsr.kernel.cuda.CudaKernels;
import org.dl4jsr.kernel.cuda.CudaMatmul;
import org.dl4jsr.kernel.cuda.CudaStream;
import org.dl4jsr.kernel.cuda.CudaTransformerKernels;
import org.dl4jsr.op.Device;
import org.dl4jsr.op.KernelOp;
import org.nd4j.jita.allocator.impl.AllocationPoint;
import org.nd4j.jita.allocator.impl.AtomicAllocator;
import org.nd4j.jita.allocator.pointers.CudaPointer;
import org.nd4j.linalg.api.memory.MemoryWorkspace;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * nd4j-cuda's arrays in the memory of the calling thread's GPU. Kernels run on the stream of ND4J's own ops, so that the
 * two keep their order. ND4J keeps a second copy of an array in the host's memory and counts which was written last.
 */
final class GpuDevice extends Device {

    static final GpuDevice INSTANCE = new GpuDevice();

    private record StreamKey(int device, long stream) {}

    /** One a stream; ND4J has a stream a thread and GPU. */
    private final Map<StreamKey, KernelSet> sets = new ConcurrentHashMap<>();

    private GpuDevice() {}

    @Override
    public Kernels hostKernels() {
        throw new UnsupportedOperationException(
                "Networks on nd4j-cuda cannot train in parallel: train them on nd4j-native");
    }

    @Override
    protected KernelSet set() {
        AtomicAllocator allocator = AtomicAllocator.getInstance();
        int device = allocator.getDeviceId();
        Pointer handle = allocator.getDeviceContext().getCublasStream(); // ND4J's name for the stream of all ops
        return sets.computeIfAbsent(new StreamKey(device, handle.address()), key -> {
            var stream = new CudaStream(CudaDevice.of(device), handle);
            return new KernelSet(
                    new CudaKernels(stream),
                    new CudaTransformerKernels(stream),
                    new CudaMatmul(stream, false),
                    new CudaMatmul(stream, true),
                    Optional.empty(),
                    Optional.empty());
        });
    }

    @Override
    public long address(INDArray array) {
        if (array == null) {
            return 0;
        }
        AtomicAllocator allocator = AtomicAllocator.getInstance();
        AllocationPoint point = allocator.getAllocationPoint(array);
        allocator.getFlowController().synchronizeToDevice(point);
        return point.getDevicePointer().address();
    }

    @Override
    public void written(List<INDArray> arrays) {
        arrays.forEach(array -> AtomicAllocator.getInstance().tickDeviceWrite(array));
    }

    /** ND4J moves elements between strided arrays of one type, the kernels cast dense ones. */
    @Override
    public boolean copy(INDArray source, INDArray target) {
        if (!Bf16Arrays.isCastable(source) || !Bf16Arrays.isCastable(target)) {
            return false;
        }
        StridedArray from = KernelOp.strided(this, source).squeezed();
        StridedArray to = KernelOp.strided(this, target).squeezed();
        if (!Arrays.equals(from.shape(), to.shape())) {
            return false;
        }
        if (from.liesAs(to)) {
            copyDense(from, target, to);
            return true;
        }
        if (from.type() == to.type()) {
            return false;
        }
        try (MemoryWorkspace none = Nd4j.getMemoryManager().scopeOutOfWorkspaces()) {
            INDArray dense = KernelOp.isDense(source) ? source : source.dup('c');
            INDArray cast = KernelOp.isDense(target)
                    ? target
                    : Nd4j.createUninitialized(target.dataType(), target.shape(), 'c');
            copyDense(KernelOp.strided(this, dense), cast, KernelOp.strided(this, cast));
            if (cast != target) {
                target.assign(cast);
                cast.close();
            }
            if (dense != source) {
                dense.close();
            }
        }
        return true;
    }

    private void copyDense(StridedArray from, INDArray target, StridedArray to) {
        if (from.type() == to.type()) {
            AtomicAllocator allocator = AtomicAllocator.getInstance();
            allocator.memcpyDevice(
                    target.data(), new CudaPointer(from.address()), from.bytes(), 0, allocator.getDeviceContext());
        } else {
            kernels().cast(to.type(), from.address(), to.address(), to.length());
        }
        written(List.of(target));
    }
}

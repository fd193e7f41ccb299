package org.dl4jsr.backend.unified;

import java.util.Arrays;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.dl4jsr.backend.CpuDevice;
import org.dl4jsr.backend.DeviceChoice;
import org.dl4jsr.kernel.FloatType;
import org.dl4jsr.kernel.KernelSet;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.composed.GrowingMemory;
import org.dl4jsr.kernel.composed.MultiHeadAttention;
import org.dl4jsr.kernel.cuda.DeviceMemory;
import org.dl4jsr.kernel.cuda.UnifiedGpu;
import org.dl4jsr.kernel.cuda.UnifiedMemory;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.cpu.nativecpu.buffer.BaseCpuDataBuffer;

/** A GPU over nd4j-native's arrays. */
final class UnifiedDevice extends CpuDevice {

    /** ND4J creates the classes of this package by name, each by itself: here they meet. */
    static final UnifiedDevice INSTANCE = new UnifiedDevice();

    private final UnifiedGpu gpu = DeviceChoice.gpu();

    private UnifiedDevice() {}

    UnifiedMemory memory() {
        return gpu.memory();
    }

    @Override
    protected KernelSet set() {
        return gpu.set();
    }

    @Override
    protected GrowingMemory scratch() {
        return DeviceMemory.growing(gpu.stream());
    }

    @Override
    protected MultiHeadAttention attention() {
        return gpu.attention();
    }

    @Override
    public OptionalLong memoryLeft() {
        return OptionalLong.of(memory().left());
    }

    @Override
    public OptionalLong memoryTaken() {
        return OptionalLong.of(memory().taken());
    }

    @Override
    public void await() {
        gpu.stream().await();
    }

    @Override
    public Supplier<float[]> read(INDArray floats) {
        return floats.length() * Float.BYTES > UnifiedMemory.LARGEST_FOR_READING
                ? super.read(floats)
                : memory().read((int) floats.length(), block -> copyFloats(address(floats), block, floats.length()))
                        ::values;
    }

    private void copyFloats(long source, long target, long length) {
        copy(
                StridedArray.rowMajor(FloatType.FLOAT, source, length),
                StridedArray.rowMajor(FloatType.FLOAT, target, length));
    }

    /** Does not wait: for kernels. */
    @Override
    public long address(INDArray array) {
        if (array == null) {
            return 0;
        }
        long address = ((BaseCpuDataBuffer) array.data())
                .getOpaqueDataBuffer()
                .primaryBuffer()
                .address();
        if (array.data() instanceof UnifiedIntBuffer integers) {
            integers.give();
        }
        if (!memory().contains(address)) {
            throw new IllegalArgumentException("Array of type " + array.dataType() + " and shape "
                    + Arrays.toString(array.shape()) + " lies in memory that the GPU does not share; dup() it");
        }
        return address;
    }

    @Override
    protected void copy(StridedArray source, StridedArray target) {
        StridedArray from = source.squeezed();
        StridedArray to = target.squeezed();
        boolean isSmall = to.bytes() <= UnifiedMemory.LARGEST_FOR_READING; // lies in the host's memory, as a rule
        if (!from.liesAs(to) || from.type() == to.type() && isSmall) {
            set().arrays().orElseThrow().copy(from, to);
        } else if (from.type() == to.type()) {
            memory().copy(from.address(), to.address(), to.bytes());
        } else {
            kernels().cast(to.type(), from.address(), to.address(), to.length());
        }
    }
}

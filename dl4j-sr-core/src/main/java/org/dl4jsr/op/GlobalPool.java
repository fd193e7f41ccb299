package org.dl4jsr.op;

import java.util.Arrays;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The maximum or the average of each channel of a sequence or an image, for devices with {@link Device#arrayKernels}. */
public final class GlobalPool extends KernelOp {

    private final INDArray x;
    private final boolean average;
    private final INDArray y;

    /**
     * @param x BFLOAT16 [batch, channels, time] or [batch, channels, height, width], of any strides
     * @param average whether it is not the maximum
     * @param y BFLOAT16 [batch, channels], of any strides, written
     */
    public GlobalPool(INDArray x, boolean average, INDArray y) {
        super(StepPart.POOLING, new INDArray[] {x}, new INDArray[] {y});
        this.x = requireImages("x", x);
        this.average = average;
        this.y = requireShape("y", y, DataType.BFLOAT16, x.size(0), x.size(1));
    }

    @Override
    public String opName() {
        return "dl4jsr_global_pool";
    }

    @Override
    public void run(Device device) {
        StridedArray images = images(device, x);
        StridedArray pooled = images(device, y);
        if (average) {
            device.arrayKernels().orElseThrow().averagePool(images, pooled, window(images), false);
        } else {
            device.arrayKernels().orElseThrow().maxPool(images, pooled, window(images));
        }
    }

    static INDArray requireImages(String name, INDArray array) {
        if (array.dataType() != DataType.BFLOAT16 || array.isEmpty() || array.rank() < 3 || array.rank() > 4) {
            throw new IllegalArgumentException(name + " is " + array.dataType() + " " + Arrays.toString(array.shape())
                    + ", expected BFLOAT16 of 3 or 4 dimensions");
        }
        return array;
    }

    /** An array of two to four dimensions with four. */
    static StridedArray images(Device device, INDArray array) {
        long[] shape = Arrays.copyOf(array.shape(), 4);
        long[] strides = Arrays.copyOf(array.stride(), 4);
        Arrays.fill(shape, array.rank(), 4, 1);
        Arrays.fill(strides, array.rank(), 4, 1);
        return new StridedArray(type(array), device.address(array), shape, strides);
    }

    /** The only window of each image. */
    static Window window(StridedArray images) {
        return new Window(images.rows(), images.columns(), 1, 1, 0, 0, 1, 1);
    }
}

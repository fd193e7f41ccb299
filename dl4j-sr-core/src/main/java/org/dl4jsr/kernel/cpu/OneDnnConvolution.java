package org.dl4jsr.kernel.cpu;

import java.util.Arrays;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.stream;
import org.dl4jsr.kernel.Convolution;
import org.dl4jsr.kernel.Pointers;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;

/**
 * Convolution by oneDNN on the CPU, which has the windows in registers and no copy of them. It wants the channels of
 * images last in memory, and copies them where they are not. Primitives are cached per thread and shape. Where it has
 * but its reference implementation, the product of matrices is taken.
 */
final class OneDnnConvolution implements Convolution {

    /** Shapes that a thread keeps ready; the least recently used goes first. */
    private static final int PLANS_PER_THREAD = 128;

    private final engine engine;
    private final Convolution otherwise;
    private final StridedCopy copies;
    private final ThreadLocal<Workplace> workplaces = ThreadLocal.withInitial(Workplace::new);

    /**
     * @param otherwise where oneDNN has nothing fast
     * @param copies of a bias with gaps
     */
    OneDnnConvolution(Convolution otherwise, StridedCopy copies) {
        this.otherwise = otherwise;
        this.copies = copies;
        engine = OneDnnLibrary.engine();
    }

    @Override
    public boolean runsGroups(StridedArray x, StridedArray weights, StridedArray y, Window window) {
        Workplace workplace = workplaces.get();
        return workplace.plan(x, weights, true, y, window).isFast()
                && workplace.plan(x, weights, false, y, window).isFast();
    }

    @Override
    public void forward(StridedArray x, StridedArray weights, StridedArray bias, StridedArray y, Window window) {
        Workplace workplace = workplaces.get();
        OneDnnConvolutionPlan plan = workplace.plan(x, weights, bias != null, y, window);
        if (plan.isFast()) {
            StridedArray dense = bias == null || bias.isDense() ? bias : copies.rowMajor(bias, workplace.bias);
            plan.forward(workplace.stream, x, weights, dense, y);
        } else {
            otherwise.forward(x, weights, bias, y, window);
        }
    }

    @Override
    public void backward(
            StridedArray x,
            StridedArray weights,
            StridedArray dy,
            StridedArray dx,
            StridedArray dWeights,
            StridedArray dBias,
            Window window) {
        Workplace workplace = workplaces.get();
        OneDnnConvolutionPlan ofWeights = workplace.plan(x, dWeights, dBias != null, dy, window);
        OneDnnConvolutionPlan ofData = dx == null ? null : workplace.plan(dx, weights, dBias != null, dy, window);
        if (ofWeights.isFast() && (ofData == null || ofData.isFast())) {
            ofWeights.backwardWeights(workplace.stream, x, dy, dWeights, dBias);
            if (ofData != null) {
                ofData.backwardData(workplace.stream, dy, weights, dx);
            }
        } else {
            otherwise.backward(x, weights, dy, dx, dWeights, dBias, window);
        }
    }

    /** What one thread needs. */
    private final class Workplace {

        private final stream stream;
        private final Scratch bias = new Scratch();
        private final OneDnnConvolutionPlan.Reordered reordered = new OneDnnConvolutionPlan.Reordered();
        private final OneDnnPlans<Key, OneDnnConvolutionPlan> plans = new OneDnnPlans<>(PLANS_PER_THREAD);

        Workplace() {
            try (var scope = Pointers.scope()) {
                stream = new stream(engine).retainReference();
            }
        }

        OneDnnConvolutionPlan plan(StridedArray x, StridedArray weights, boolean bias, StridedArray y, Window window) {
            return plans.get(
                    new Key(x, weights, bias, y, window),
                    () -> new OneDnnConvolutionPlan(engine, x, weights, bias, y, window, reordered));
        }
    }

    /** What a plan depends on: shapes, strides, the window, and whether there is a bias. */
    private record Key(long[] content, Window window, boolean bias) {

        Key(StridedArray x, StridedArray weights, boolean bias, StridedArray y, Window window) {
            this(new long[24], window, bias);
            StridedArray[] arrays = {x, weights, y};
            for (int i = 0; i < arrays.length; i++) {
                System.arraycopy(arrays[i].shape(), 0, content, 8 * i, 4);
                System.arraycopy(arrays[i].strides(), 0, content, 8 * i + 4, 4);
            }
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Key key
                    && Arrays.equals(content, key.content)
                    && window.equals(key.window)
                    && bias == key.bias;
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(content) + 31 * window.hashCode();
        }
    }
}

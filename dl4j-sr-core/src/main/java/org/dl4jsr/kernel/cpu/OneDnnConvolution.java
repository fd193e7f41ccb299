package org.dl4jsr.kernel.cpu;

import java.util.Arrays;
import java.util.Optional;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.stream;
import org.dl4jsr.kernel.Convolution;
import org.dl4jsr.kernel.Pointers;
import org.dl4jsr.kernel.StridedArray;
import org.dl4jsr.kernel.Window;

/**
 * Convolution, or the transposed one, by oneDNN on the CPU, which has the windows in registers and no copy of them. It
 * wants the channels of images last in memory, and copies them where they are not. Primitives are cached per thread and
 * shape. Where it has but its reference implementation of a convolution, the product of matrices is taken.
 */
final class OneDnnConvolution implements Convolution {

    /** Shapes that a thread keeps ready; the least recently used goes first. */
    private static final int PLANS_PER_THREAD = 128;

    private final engine engine;
    private final Kind kind;
    private final Convolution otherwise;
    private final StridedCopy copies;
    private final Convolution transposed;
    private final ThreadLocal<Workplace> workplaces = ThreadLocal.withInitial(Workplace::new);

    /** Makes the primitives for arrays of these shapes and strides. */
    private interface Kind {
        OneDnnConvolutionPasses make(
                engine engine,
                StridedArray x,
                StridedArray weights,
                boolean bias,
                StridedArray y,
                Window window,
                OneDnnConvolutionPasses.Reordered reordered);
    }

    /**
     * @param otherwise where oneDNN has nothing fast
     * @param copies of a bias with gaps
     */
    OneDnnConvolution(Convolution otherwise, StridedCopy copies) {
        this(OneDnnConvolutionPlan::new, otherwise, copies, new OneDnnConvolution(copies));
    }

    /** The transposed one, for what it runs on alone. */
    private OneDnnConvolution(StridedCopy copies) {
        this(OneDnnDeconvolutionPlan::new, null, copies, null);
    }

    private OneDnnConvolution(Kind kind, Convolution otherwise, StridedCopy copies, Convolution transposed) {
        this.kind = kind;
        this.otherwise = otherwise;
        this.copies = copies;
        this.transposed = transposed;
        engine = OneDnnLibrary.engine();
    }

    @Override
    public boolean runs(StridedArray x, StridedArray weights, StridedArray y, Window window) {
        if (otherwise != null && otherwise.runs(x, weights, y, window)) {
            return true;
        }
        Workplace workplace = workplaces.get();
        return workplace.plan(x, weights, true, y, window).isFast()
                && workplace.plan(x, weights, false, y, window).isFast();
    }

    @Override
    public Optional<Convolution> transposed() {
        return Optional.ofNullable(transposed);
    }

    @Override
    public void forward(StridedArray x, StridedArray weights, StridedArray bias, StridedArray y, Window window) {
        Workplace workplace = workplaces.get();
        OneDnnConvolutionPasses plan = workplace.plan(x, weights, bias != null, y, window);
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
        OneDnnConvolutionPasses ofWeights = workplace.plan(x, dWeights, dBias != null, dy, window);
        OneDnnConvolutionPasses ofData = dx == null ? null : workplace.plan(dx, weights, dBias != null, dy, window);
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
        private final OneDnnConvolutionPasses.Reordered reordered = new OneDnnConvolutionPasses.Reordered();
        private final OneDnnPlans<Key, OneDnnConvolutionPasses> plans = new OneDnnPlans<>(PLANS_PER_THREAD);

        Workplace() {
            try (var scope = Pointers.scope()) {
                stream = new stream(engine).retainReference();
            }
        }

        OneDnnConvolutionPasses plan(
                StridedArray x, StridedArray weights, boolean bias, StridedArray y, Window window) {
            return plans.get(
                    new Key(x, weights, bias, y, window),
                    () -> kind.make(engine, x, weights, bias, y, window, reordered));
        }
    }

    /** What a plan depends on: shapes, strides, the window, and whether there is a bias. */
    private record Key(long[] content, Window window, boolean bias) {

        Key(StridedArray x, StridedArray weights, boolean bias, StridedArray y, Window window) {
            this(new long[6 * x.rank()], window, bias);
            int at = 0;
            for (StridedArray array : new StridedArray[] {x, weights, y}) {
                System.arraycopy(array.shape(), 0, content, at, array.rank());
                System.arraycopy(array.strides(), 0, content, at + array.rank(), array.rank());
                at += 2 * array.rank();
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

package org.dl4jsr.updater;

import java.lang.ref.WeakReference;
import java.util.List;
import java.util.Map;
import org.deeplearning4j.nn.api.Model;
import org.dl4jsr.backend.Bf16Arrays;
import org.dl4jsr.kernel.StepStatistics;
import org.nd4j.linalg.api.buffer.DataBuffer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.shade.guava.collect.MapMaker;

/**
 * What fused updaters did in one network: skipped steps, gradient norm, clipping. It lives as long as the network's
 * gradient array, is not part of a saved model, and starts anew in a clone; set the counters after a restore where a
 * run must go on exactly as it would have.
 */
public final class UpdaterStatus {

    /** By identity of the gradient's buffer: {@code DataBuffer.equals} reads contents. */
    private static final Map<DataBuffer, UpdaterStatus> BY_GRADIENT =
            new MapMaker().weakKeys().makeMap();

    private volatile long skippedSteps;
    private volatile int consecutiveSkips;
    private volatile double lastGradientNorm = Double.NaN;
    private volatile double lastClipScale = Double.NaN;
    private WeakReference<Model> model = new WeakReference<>(null);
    private long[] boundaries;
    private StepStatistics[] statistics;
    private RandomKey random;
    private volatile SharedWrite shared;

    private UpdaterStatus() {}

    /**
     * The status of a network; all zero if it has not been trained yet. From here on messages about this network name
     * layers and parameters.
     *
     * @param model an initialised MultiLayerNetwork or ComputationGraph
     */
    public static UpdaterStatus of(Model model) {
        UpdaterStatus status = of(NetworkParts.gradient(model));
        synchronized (status) {
            status.model = new WeakReference<>(model);
        }
        return status;
    }

    static UpdaterStatus of(INDArray gradient) {
        return BY_GRADIENT.computeIfAbsent(Bf16Arrays.root(gradient), buffer -> new UpdaterStatus());
    }

    /** Steps skipped so far because a gradient was not finite. */
    public long skippedSteps() {
        return skippedSteps;
    }

    /** Steps skipped in a row up to now; 0 after a step that was taken. */
    public int consecutiveSkips() {
        return consecutiveSkips;
    }

    /**
     * The norm of the last gradient over all parameters that fused updaters own, before clipping; NaN before the first
     * step and not finite after a skipped one.
     */
    public double lastGradientNorm() {
        return lastGradientNorm;
    }

    /** The factor that clipping put on the last gradient; 1 for none, 0 if skipped, NaN before the first step. */
    public double lastClipScale() {
        return lastClipScale;
    }

    /** Sets the counters, as they were when the network was saved. */
    public synchronized void restore(long skippedSteps, int consecutiveSkips) {
        if (consecutiveSkips < 0 || skippedSteps < consecutiveSkips) {
            throw new IllegalArgumentException("skippedSteps is " + skippedSteps + " and consecutiveSkips is "
                    + consecutiveSkips + ", expected 0 <= consecutiveSkips <= skippedSteps");
        }
        this.skippedSteps = skippedSteps;
        this.consecutiveSkips = consecutiveSkips;
    }

    /** Notes a step that was taken. */
    synchronized void taken(double gradientNorm, double clipScale) {
        consecutiveSkips = 0;
        lastGradientNorm = gradientNorm;
        lastClipScale = clipScale;
    }

    /** Notes a step that was skipped. */
    synchronized void skipped(double gradientNorm) {
        skippedSteps++;
        consecutiveSkips++;
        lastGradientNorm = gradientNorm;
        lastClipScale = 0;
    }

    /** Makes the network's writes shared with other ranks, or, by null, its own again. */
    void share(SharedWrite write) {
        shared = write;
    }

    /** Who has a part in the network's writes; null where it is alone. */
    SharedWrite shared() {
        return shared;
    }

    /** The key of the next write's random bits; see {@link RandomKey#of}. */
    synchronized RandomKey nextRandom(int iteration, double squaredGradient, double squaredParameters) {
        random = RandomKey.of(iteration, squaredGradient, squaredParameters, random);
        return random;
    }

    /** Where element {@code element} of the flattened parameters belongs, as far as it is known. */
    synchronized String describe(long element) {
        Model network = model.get();
        if (network != null) {
            for (ParameterRange range : ParameterRange.of(network)) {
                if (range.start() <= element && element < range.end()) {
                    return "parameter " + range.parameter() + " of layer " + range.layer() + " (element " + element
                            + " of the flattened parameters)";
                }
            }
        }
        return "element " + element + " of the flattened parameters (UpdaterStatus.of(network), called before, has"
                + " messages name layer and parameter)";
    }

    /** Asks for the next step's statistics between each two neighbours of {@code boundaries}. */
    synchronized void request(long[] boundaries) {
        this.boundaries = boundaries.clone();
        statistics = null;
    }

    /** The boundaries asked for, or null; the request is done with that. */
    synchronized long[] takeRequest() {
        long[] request = boundaries;
        boundaries = null;
        return request;
    }

    synchronized void setStatistics(StepStatistics[] statistics) {
        this.statistics = statistics;
    }

    /** What the step after {@link #request} did, or null if it was skipped or has not come. */
    synchronized List<StepStatistics> statistics() {
        return statistics == null ? null : List.of(statistics);
    }
}

package org.dl4jsr.examples.bench;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import org.bytedeco.javacpp.Pointer;
import org.dl4jsr.examples.io.Bytes;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.TextTable;
import org.dl4jsr.examples.run.RunConfig;
import org.dl4jsr.policy.StepProfile;

/**
 * Where the time of a step goes, part by part, against the least it could take: the part's products at the machine's
 * best rate of products, or a copy of as many bytes a call, whichever is more. Measured in a process of its own.
 */
public final class ProfileRun {

    private static final int STEPS = 10;
    private static final double WARMUP_SECONDS = 8;

    private ProfileRun() {}

    /** The table for people, measured in a process of its own. */
    public static String of(RunConfig config) throws IOException, InterruptedException {
        return MeasuringProcess.output(ProfileRun.class, config);
    }

    /** @param args the {@link RunConfig} in JSON */
    public static void main(String[] args) throws IOException {
        MeasuringProcess.measure(args[0], config -> text(config, WARMUP_SECONDS));
    }

    static String text(RunConfig config, double warmupSeconds) {
        TrainingStep step = new TrainingStep(config);
        step.run();
        double secondsToFirst = ManagementFactory.getRuntimeMXBean().getUptime() / 1e3;
        step.msEach(warmupSeconds);

        StepProfile fastest = null;
        double msPerStep = Double.POSITIVE_INFINITY;
        long heapBefore = allocatedOnHeap();
        long outsideBefore = Pointer.totalBytes();
        for (int i = 0; i < STEPS; i++) {
            StepProfile profile = StepProfile.of(step);
            double ms = profile.nanoseconds() / 1e6;
            if (ms < msPerStep) {
                msPerStep = ms;
                fastest = profile;
            }
        }
        long heap = (allocatedOnHeap() - heapBefore) / STEPS;
        long outside = (Pointer.totalBytes() - outsideBefore) / STEPS;

        double peak = MachineSpeed.operationsPerSecond(config.bf16Policy().dataType());
        TextTable table = new TextTable().row("part", "calls", "ms", "share", "GFLOP/s", "GB/s", "floor, ms", "ratio");
        double msOfParts = 0;
        double floorOfParts = 0;
        for (StepProfile.Part part : fastest.parts()) {
            double ms = part.nanoseconds() / 1e6;
            double bandwidth = MachineSpeed.bytesPerSecond(part.bytes() / part.calls());
            double floor = Math.max(part.operations() / peak, part.bytes() / bandwidth) * 1e3;
            table.row(
                    part.name(),
                    part.calls(),
                    Texts.format("%.2f", ms),
                    Texts.format("%.1f%%", 100 * ms / msPerStep),
                    part.operations() == 0 ? "-" : Texts.format("%.0f", part.operations() / 1e6 / ms),
                    Texts.format("%.1f", part.bytes() / 1e6 / ms),
                    Texts.format("%.2f", floor),
                    Texts.format("%.2f", ms / floor));
            msOfParts += ms;
            floorOfParts += floor;
        }
        double rest = msPerStep - msOfParts;
        table.row(
                "Java, DL4J, data",
                "-",
                Texts.format("%.2f", rest),
                Texts.format("%.1f%%", 100 * rest / msPerStep),
                "-",
                "-",
                "-",
                "-");
        table.row(
                "whole step",
                "-",
                Texts.format("%.2f", msPerStep),
                "100.0%",
                Texts.format("%.0f", config.model().flopsPerToken() * config.tokensPerStep() / 1e6 / msPerStep),
                "-",
                Texts.format("%.2f", floorOfParts),
                Texts.format("%.2f", msPerStep / floorOfParts));
        return Texts.format(
                        "%s, %s, batch %d x %d, context %d: the fastest of %d steps, %,.0f tok/s%n%n%s%n",
                        config.model().preset(),
                        config.policy(),
                        config.budget().batch(),
                        config.budget().accumulate(),
                        config.model().context(),
                        STEPS,
                        1e3 * config.tokensPerStep() / msPerStep,
                        table)
                + Texts.format(
                        "Floors: %.0f GFLOP/s, the best product of matrices of %d, or a copy of as many bytes.%nMemory"
                                + " a step: %s on Java's heap, %s kept outside. The first step was done after %.1f s.%n",
                        peak / 1e9, MachineSpeed.SIZE, Bytes.format(heap), Bytes.format(outside), secondsToFirst);
    }

    private static long allocatedOnHeap() {
        return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }
}

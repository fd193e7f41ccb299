package org.dl4jsr.examples.bench;

import java.io.IOException;
import org.dl4jsr.examples.io.Bytes;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.TextTable;
import org.dl4jsr.examples.run.MachineMemory;
import org.dl4jsr.examples.run.MemoryPlan;
import org.dl4jsr.examples.run.RunConfig;

/** How speed and memory of training change as one dimension grows. */
public final class Growth {

    private Growth() {}

    /** Measures {@code config} with every value of {@code dimension}: a table with a line each. */
    public static TextTable of(RunConfig config, Dimension dimension) throws IOException, InterruptedException {
        TextTable table = new TextTable()
                .row(
                        dimension,
                        "tokens a step",
                        "parameters",
                        "ms/step",
                        "tok/s",
                        "GFLOP/s",
                        "model state",
                        "peak memory");
        for (int value : dimension.values) {
            RunConfig grown = dimension.of(config, value);
            MachineMemory.require(grown);
            ThroughputRun.Result result = ThroughputRun.of(grown);
            table.row(
                    value,
                    grown.tokensPerStep(),
                    grown.model().parameters(),
                    Texts.format("%.1f", result.msPerStep()),
                    Texts.format("%.0f", result.tokensPerSecond(grown)),
                    Texts.format("%.0f", result.gflops(grown)),
                    Bytes.format(MemoryPlan.of(grown).modelState()),
                    Bytes.format(result.peakBytes()));
        }
        return table;
    }
}

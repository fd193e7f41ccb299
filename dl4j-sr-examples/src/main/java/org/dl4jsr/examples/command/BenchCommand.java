package org.dl4jsr.examples.command;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.dl4jsr.examples.bench.Dimension;
import org.dl4jsr.examples.bench.Growth;
import org.dl4jsr.examples.bench.ProfileRun;
import org.dl4jsr.examples.bench.StepsInTurn;
import org.dl4jsr.examples.bench.ThroughputComparison;
import org.dl4jsr.examples.io.AtomicFile;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.DirectoryLock;
import org.dl4jsr.examples.run.Environment;
import org.dl4jsr.examples.run.MachineMemory;
import org.dl4jsr.examples.run.RunConfig;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code bench}: speed and memory of training under each policy, where the time goes, and how cost grows. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures speed and memory of training under each policy.")
public final class BenchCommand implements Callable<Integer> {

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Option(
            names = "--policies",
            paramLabel = "NAME",
            split = ",",
            description = "Policies, the first one being the measure (default: ${DEFAULT-VALUE}).")
    private List<String> policies = List.of("fp32", "bf16-o1", "bf16-o2", "bf16-sr");

    @Option(names = "--profile", description = "Show instead where a step's time goes, against the least it could be.")
    private boolean profile;

    @Option(
            names = "--grow",
            paramLabel = "NAME",
            split = ",",
            description = "Show instead how cost grows with width, depth, context, batch: one at a time, one round.")
    private List<String> grow;

    @Option(
            names = "--in-turn",
            description = "Compare instead step by step, all in one process, which needs the memory of all.")
    private boolean inTurn;

    @Option(names = "--out", paramLabel = "DIR", description = "Write bench.csv there.")
    private Path out;

    @Override
    public Integer call() throws IOException, InterruptedException {
        long kinds = Stream.of(profile, grow != null, inTurn, out != null)
                .filter(asked -> asked)
                .count();
        if (kinds > 1) {
            throw new BadInput("bench takes one of --profile, --grow, --in-turn and --out, not " + kinds + " of them");
        }
        PolicyNames.requireSome(policies);
        RunConfig base = model.config();
        List<RunConfig> configs =
                policies.stream().distinct().map(base::withPolicy).toList();
        configs.forEach(MachineMemory::require);
        if (inTurn) {
            MachineMemory.requireTogether(configs);
            Environment.requireRuntime();
            System.out.print(StepsInTurn.of(configs));
        } else if (profile) {
            for (RunConfig config : configs) {
                System.out.println(ProfileRun.of(config));
            }
        } else if (grow != null) {
            growth(configs);
        } else {
            throughput(configs);
        }
        return 0;
    }

    private void growth(List<RunConfig> configs) throws IOException, InterruptedException {
        List<Dimension> dimensions = grow.stream().map(Dimension::named).toList();
        for (RunConfig config : configs) {
            System.out.println(config.model().preset() + ", " + config.policy());
            for (Dimension dimension : dimensions) {
                System.out.println();
                System.out.print(Growth.of(config, dimension));
            }
        }
    }

    private void throughput(List<RunConfig> configs) throws IOException, InterruptedException {
        if (out == null) {
            System.out.print(ThroughputComparison.of(configs));
            return;
        }
        Path csv = out.resolve("bench.csv");
        try (DirectoryLock lock = DirectoryLock.of(out)) {
            AtomicFile.requireNew(csv);
            ThroughputComparison comparison = ThroughputComparison.of(configs);
            System.out.print(comparison);
            AtomicFile.write(csv, comparison.toCsv());
            System.out.println();
            System.out.println("Written: " + csv);
        }
    }
}

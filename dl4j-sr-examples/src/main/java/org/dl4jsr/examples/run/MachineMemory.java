package org.dl4jsr.examples.run;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Bytes;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.policy.Bf16Runtime;

/** The memory of this machine, of the container that Java runs in, or of the GPU. */
public final class MachineMemory {

    private static final Pattern AVAILABLE = Pattern.compile("MemAvailable:\\s+(\\d+) kB");

    private MachineMemory() {}

    /** Bytes that a run can have: of the GPU that runs it, or of this machine without swapping. */
    static long available() {
        return leftOfGpu().orElseGet(MachineMemory::availableToCpu);
    }

    /** Bytes of that memory that a run of this plan takes: Java's lie in this machine's, whatever runs the ops. */
    static long needed(MemoryPlan plan) {
        return leftOfGpu().isPresent() ? plan.arrays() : plan.total();
    }

    private static OptionalLong leftOfGpu() {
        if (!Bf16Runtime.isOnGpu()) {
            return OptionalLong.empty(); // without ND4J: bench and a driver of workers never start it
        }
        Environment.requireRuntime();
        return Bf16Runtime.gpuMemoryLeft();
    }

    private static long availableToCpu() {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        try {
            Matcher matcher = AVAILABLE.matcher(Files.readString(Path.of("/proc/meminfo")));
            if (matcher.find()) {
                return Math.min(1024 * Long.parseLong(matcher.group(1)), system.getTotalMemorySize());
            }
        } catch (IOException e) {
            // not Linux: Java's own figure, which leaves out what caches hold
        }
        return system.getFreeMemorySize();
    }

    /** Throws where the run would not fit into this machine or into DL4J, which counts updater state in an int. */
    public static void require(RunConfig config) {
        require(config, 1);
    }

    /** Throws where the runs, all at a time in this process, would not fit into this machine. */
    public static void requireTogether(List<RunConfig> configs) {
        List<MemoryPlan> plans = configs.stream().map(MemoryPlan::of).toList();
        long needed = needed(plans.get(0))
                + plans.stream().skip(1).mapToLong(MemoryPlan::arrays).sum();
        if (needed > available()) {
            throw new BadInput("Not enough memory: " + configs.size() + " policies in turn need about "
                    + Bytes.format(needed) + " and " + Bytes.format(available())
                    + " are available; name fewer policies, or leave --in-turn out");
        }
    }

    /** As {@link #require(RunConfig)} for a run of so many ranks on this machine. */
    static void require(RunConfig config, int ranks) {
        long needed = ranks * needed(MemoryPlan.of(config, ranks));
        if (!MemoryPlan.fitsDl4j(config)) {
            throw new BadInput(Texts.format(
                    "%s under %s has %,d elements of updater state, which would need about %s of memory, and DL4J can"
                            + " hold %,d: choose a smaller --preset",
                    config.model().preset(),
                    config.policy(),
                    MemoryPlan.updaterElements(config),
                    Bytes.format(needed),
                    Integer.MAX_VALUE));
        }
        long available = available();
        if (needed > available) {
            throw new BadInput("Not enough memory: " + config.model().preset() + " under " + config.policy()
                    + " with batch "
                    + config.budget().batch() + " and context " + config.model().context() + " needs about "
                    + Bytes.format(needed)
                    + " and " + Bytes.format(available) + " are available; a smaller --batch, --context or --preset"
                    + " needs less (see plan --preset " + config.model().preset() + ")");
        }
    }
}

package org.dl4jsr.examples.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.run.RunConfig;

/** A size of a model or of its input, with the values over which {@link Growth} shows how cost grows. */
public enum Dimension {
    WIDTH((config, value) -> config.withModel(config.model().withWidth(value)), 192, 384, 768, 1536),
    DEPTH((config, value) -> config.withModel(config.model().withLayers(value)), 2, 6, 12, 24),
    CONTEXT((config, value) -> config.withModel(config.model().withContext(value)), 128, 256, 512, 1024),
    BATCH((config, value) -> config.withBudget(config.budget().withBatch(value)), 1, 2, 4, 8, 16, 32);

    final List<Integer> values;
    private final BiFunction<RunConfig, Integer, RunConfig> change;

    Dimension(BiFunction<RunConfig, Integer, RunConfig> change, Integer... values) {
        this.change = change;
        this.values = List.of(values);
    }

    /** {@code config} with this size, all others as they are; heads grow with the width. */
    RunConfig of(RunConfig config, int value) {
        return change.apply(config, value);
    }

    public static Dimension named(String name) {
        return Arrays.stream(values())
                .filter(dimension -> dimension.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new BadInput("Unknown dimension '" + name + "': choose from "
                        + Arrays.stream(values()).map(Dimension::toString).collect(Collectors.joining(", "))));
    }

    /** The name on the command line. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}

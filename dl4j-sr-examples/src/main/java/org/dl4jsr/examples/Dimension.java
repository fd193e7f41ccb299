package org.dl4jsr.examples;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A size of a model or of its input, with the values over which {@code bench --grow} shows how cost grows. */
enum Dimension {
    WIDTH(192, 384, 768, 1536) {
        @Override
        RunConfig of(RunConfig config, int value) {
            int heads = Math.max(1, value * config.heads() / config.width());
            return config.with(config.layers(), heads, value, config.context(), config.batch());
        }
    },
    DEPTH(2, 6, 12, 24) {
        @Override
        RunConfig of(RunConfig config, int value) {
            return config.with(value, config.heads(), config.width(), config.context(), config.batch());
        }
    },
    CONTEXT(128, 256, 512, 1024) {
        @Override
        RunConfig of(RunConfig config, int value) {
            return config.with(config.layers(), config.heads(), config.width(), value, config.batch());
        }
    },
    BATCH(1, 2, 4, 8, 16, 32) {
        @Override
        RunConfig of(RunConfig config, int value) {
            return config.with(config.layers(), config.heads(), config.width(), config.context(), value);
        }
    };

    final List<Integer> values;

    Dimension(Integer... values) {
        this.values = List.of(values);
    }

    /** {@code config} with this size, all others as they are; heads grow with the width. */
    abstract RunConfig of(RunConfig config, int value);

    static Dimension named(String name) {
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

package org.dl4jsr.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class DimensionTest {

    @Test
    void eachGrowsAlone() {
        RunConfig config = TestRuns.config("bf16-sr", 2, 1, 1).with(6, 6, 384, 256, 8);
        assertEquals(config.with(6, 24, 1536, 256, 8), Dimension.named("width").of(config, 1536));
        assertEquals(config.with(24, 6, 384, 256, 8), Dimension.named("depth").of(config, 24));
        assertEquals(config.with(6, 6, 384, 1024, 8), Dimension.named("context").of(config, 1024));
        assertEquals(config.with(6, 6, 384, 256, 32), Dimension.named("batch").of(config, 32));
    }
}

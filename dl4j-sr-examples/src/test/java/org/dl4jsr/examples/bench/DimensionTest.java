package org.dl4jsr.examples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.dl4jsr.examples.run.ModelShape;
import org.dl4jsr.examples.run.Preset;
import org.dl4jsr.examples.run.RunConfig;
import org.junit.jupiter.api.Test;

class DimensionTest {

    @Test
    void eachGrowsAlone() {
        RunConfig small = Preset.SMALL.config();
        assertEquals(
                small.withModel(new ModelShape("small", 6, 24, 1536, 256, 256, false)),
                Dimension.named("width").of(small, 1536));
        assertEquals(
                small.withModel(new ModelShape("small", 24, 6, 384, 256, 256, false)),
                Dimension.named("depth").of(small, 24));
        assertEquals(
                small.withModel(new ModelShape("small", 6, 6, 384, 1024, 256, false)),
                Dimension.named("context").of(small, 1024));
        assertEquals(
                small.withBudget(small.budget().withBatch(32)),
                Dimension.named("batch").of(small, 32));
    }
}

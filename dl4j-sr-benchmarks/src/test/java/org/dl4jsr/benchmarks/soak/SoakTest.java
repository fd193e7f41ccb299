package org.dl4jsr.benchmarks.soak;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Training leaves nothing behind; the long run, and what came of it, is {@link Soak#main}. */
@Tag("slow")
class SoakTest {

    @Test
    void memoryDoesNotGrow() {
        var soak = new Soak();
        soak.run(600);
        Soak.Memory before = Soak.Memory.now();
        soak.run(500);
        Soak.Memory after = Soak.Memory.now();
        String change = before + " became " + after;
        assertTrue(after.heap() < before.heap() + 2, change);
        // Java's heap included, which touches new pages now and then; 128 KiB lost in each iteration would show
        assertTrue(after.resident() < before.resident() + 64, change);
    }
}

package org.dl4jsr.examples.torture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.dl4jsr.examples.torture.Kills.Kill;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A small part of {@link Torture}. */
@Tag("slow")
class TortureTest {

    @TempDir
    private Path directory;

    @Test
    void killedRunsEndAsIfUndisturbed() throws Exception {
        Kills kills = new Kills(directory);
        List<String> calls = kills.calls();
        long start = System.nanoTime();
        System.err.println(kills.milliseconds() + " " + calls.size());
        int rename = call(calls, "rename .*checkpoint-00000040.json");
        assertEquals(2, kills.run("renamed", List.of(Kill.atCall(rename, false), Kill.atCall(5, false))));
        System.err.println((System.nanoTime()-start)/1e9);
        assertTrue(rename > 0);
    }

    private static int call(List<String> calls, String pattern) {
        for (int i = 0; i < calls.size(); i++) {
            if (calls.get(i).matches(pattern)) {
                return i + 1;
            }
        }
        throw new AssertionError("No call " + pattern + " in " + calls);
    }
}

package org.dl4jsr.examples.torture;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
    void aRunThatIsKilledWhereItHurtsEndsAsIfUndisturbed() throws Exception {
        Kills runs = new Kills(directory, true);
        int sealed = call(runs.calls(), "rename .*/checkpoint-00000040.json");
        int halfWritten = call(runs.calls(), "write .*/checkpoint-00000020.zip.tmp");
        assertEquals(2, runs.run("killed", List.of(Kill.atCall(sealed, false), Kill.atCall(halfWritten, true))));
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

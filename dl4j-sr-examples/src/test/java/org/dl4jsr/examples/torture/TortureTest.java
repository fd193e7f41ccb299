package org.dl4jsr.examples.torture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.dl4jsr.examples.AppProcess.Outcome;
import org.dl4jsr.examples.torture.KillAtCall.How;
import org.dl4jsr.examples.torture.Kills.Kill;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A small part of {@link Torture}. */
@Tag("slow")
class TortureTest {

    @TempDir
    private Path directory;

    @Test
    @EnabledIf("org.dl4jsr.examples.torture.KillAtCall#isPossible")
    void aDisturbedRunEndsAsIfUndisturbed() throws Exception {
        Kills runs = new Kills(directory, true);
        assertSyncedBeforeRenamed(runs.calls());
        int written = call(runs.calls(), "write .*/checkpoint-00000020.zip.tmp");
        int sealed = call(runs.calls(), "rename .*/checkpoint-00000020.json");
        List<Kill> kills = List.of(
                Kill.atCall(written, How.HALFWAY), Kill.atCall(sealed, How.BEFORE), Kill.atCall(sealed, How.FULL_DISK));
        assertEquals(kills, runs.run("disturbed", kills));
    }

    @Test
    void badInputIsOneLine() throws Exception {
        BadInputs inputs = new BadInputs(directory, 2, 1);
        for (int i = 0; i < inputs.size(); i++) {
            inputs.run(i);
        }
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            value = {
                "0, ``",
                "0, Error: x",
                "1, Exception in thread \"main\" java.lang.Error: x",
                "1, `Error: x\n\tat org.dl4jsr.Main`",
                "2, `Error: x\nand more`",
                "2, `Error: x\nError: y`",
                "137, Error: x",
            })
    void whatIsNotOneLineFails(int exitCode, String error) {
        assertThrows(AssertionError.class, () -> BadInputs.requireOneLine("", new Outcome(exitCode, error)));
    }

    /** What a power failure would need: a file's bytes are on the disk before its name is, and then its name. */
    private static void assertSyncedBeforeRenamed(List<String> calls) {
        int renames = 0;
        for (int i = 0; i < calls.size(); i++) {
            if (calls.get(i).startsWith("rename ")) {
                Path file = Path.of(calls.get(i).substring("rename ".length()));
                assertEquals("fsync " + file + ".tmp", calls.get(i - 1));
                assertEquals("fsync " + file.getParent(), calls.get(i + 1));
                renames++;
            }
        }
        assertTrue(renames > 6, "" + calls);
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

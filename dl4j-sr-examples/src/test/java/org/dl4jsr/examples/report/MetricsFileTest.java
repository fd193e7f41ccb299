package org.dl4jsr.examples.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsFileTest {

    @TempDir
    private Path directory;

    @Test
    void rowsAreWrittenReadAndTruncated() throws IOException {
        Path path = directory.resolve("metrics.csv");
        MetricsFile file = new MetricsFile(path);
        file.truncateAfter(0);
        for (long step = 10; step <= 30; step += 10) {
            file.append(row(step));
        }
        Files.writeString(path, "40,5120,1.2", StandardOpenOption.APPEND);
        assertEquals(List.of(row(10), row(20), row(30)), file.rows());

        file.truncateAfter(20);
        assertEquals(
                """
                step,tokens,train_loss,val_loss,val_perplexity,bits_per_byte,lr,grad_norm,stagnation,skipped,tok_per_s
                10,1280,2.500000,,,,0.00100000,1.25000,0.125000,0,17000.5
                20,2560,2.500000,,,,0.00100000,1.25000,0.125000,0,17000.5
                """,
                Files.readString(path));
        assertTrue(file.rows().stream().noneMatch(MetricsRow::validated));
    }

    private static MetricsRow row(long step) {
        return new MetricsRow(step, 128 * step, 2.5, Double.NaN, Double.NaN, Double.NaN, 1e-3, 1.25, 0.125, 0, 17000.5);
    }
}

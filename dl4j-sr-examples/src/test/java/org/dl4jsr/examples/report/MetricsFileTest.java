package org.dl4jsr.examples.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsFileTest {

    @TempDir
    private Path directory;

    private Path path;
    private MetricsFile file;
    private String sha256OfTwo;

    @BeforeEach
    void threeRows() {
        path = directory.resolve("metrics.csv");
        file = new MetricsFile(path);
        file.clear();
        file.append(row(10));
        file.append(row(20));
        sha256OfTwo = file.sha256();
        file.append(row(30));
    }

    @Test
    void rowsAreWrittenReadAndDropped() throws IOException {
        Files.writeString(path, "40,5120,1.2", StandardOpenOption.APPEND);
        assertEquals(List.of(row(10), row(20), row(30)), file.rows());

        assertTrue(file.goBackTo(25, row(20), sha256OfTwo));
        assertEquals(
                """
                step,tokens,train_loss,val_loss,val_perplexity,bits_per_byte,lr,grad_norm,stagnation,skipped,tok_per_s
                10,1280,2.500000,,,,0.00100000,1.25000,0.125000,0,17000.5
                20,2560,2.500000,,,,0.00100000,1.25000,0.125000,0,17000.5
                """,
                Files.readString(path));
        assertTrue(file.rows().stream().noneMatch(MetricsRow::validated));
    }

    @Test
    void whatIsNotAsItWasIsSaid() throws IOException {
        Files.writeString(path, Files.readString(path).replaceFirst("2.500000", "2.400000"));
        assertFalse(file.goBackTo(25, row(20), sha256OfTwo));
        assertEquals(2, file.rows().size());

        Files.write(path, new byte[] {(byte) 0xFF, 0, '\n', ',', '\n'});
        assertFalse(file.goBackTo(25, row(20), sha256OfTwo));
        assertEquals(List.of(row(20)), file.rows());

        Files.delete(path);
        assertFalse(file.goBackTo(25, row(20), sha256OfTwo));
        assertEquals(List.of(row(20)), file.rows());
    }

    @Test
    void theLastRowIsPutBack() throws IOException {
        String whole = Files.readString(path);
        Files.writeString(path, whole.substring(0, whole.indexOf("\n20,") + 1));
        assertTrue(file.goBackTo(25, row(20), sha256OfTwo));
    }

    private static MetricsRow row(long step) {
        return new MetricsRow(step, 128 * step, 2.5, Double.NaN, Double.NaN, Double.NaN, 1e-3, 1.25, 0.125, 0, 17000.5);
    }
}

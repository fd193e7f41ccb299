package org.dl4jsr.examples.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.dl4jsr.examples.io.AtomicFile;
import org.dl4jsr.examples.io.BadInput;

/** {@code metrics.csv}: a header and a line each {@link MetricsRow}, appended as training goes. */
public final class MetricsFile {

    private final Path path;

    public MetricsFile(Path path) {
        this.path = path;
    }

    public Path path() {
        return path;
    }

    /** Drops the rows after {@code step}, and a line that a crash cut off; a missing file gets its header. */
    public void truncateAfter(long step) {
        StringBuilder kept = new StringBuilder(MetricsRow.HEADER).append('\n');
        if (Files.exists(path)) {
            for (MetricsRow row : rows()) {
                if (row.step() <= step) {
                    kept.append(row.toCsv()).append('\n');
                }
            }
        }
        AtomicFile.write(path, kept.toString());
    }

    public void append(MetricsRow row) {
        try {
            Files.writeString(path, row.toCsv() + "\n", StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new BadInput(
                    "Cannot write " + path + ": " + BadInput.reason(e)
                            + "; the checkpoints are kept: make room and --resume",
                    e);
        }
    }

    /** The whole rows; what follows the last line end is none. */
    public List<MetricsRow> rows() {
        try {
            String text = Files.readString(path, StandardCharsets.UTF_8);
            List<MetricsRow> rows = new ArrayList<>();
            text.substring(0, text.lastIndexOf('\n') + 1)
                    .lines()
                    .skip(1)
                    .forEach(line -> rows.add(MetricsRow.fromCsv(line)));
            return rows;
        } catch (IOException | IllegalArgumentException e) {
            throw new BadInput("Cannot read " + path + ": " + BadInput.reason(e), e);
        }
    }
}

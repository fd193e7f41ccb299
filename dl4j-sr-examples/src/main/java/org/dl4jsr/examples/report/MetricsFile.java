package org.dl4jsr.examples.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.dl4jsr.examples.io.AtomicFile;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Sha256;
import org.dl4jsr.examples.io.Texts;

/** {@code metrics.csv}: a header and a line each {@link MetricsRow}, appended as training goes. */
public final class MetricsFile {

    private final Path path;

    public MetricsFile(Path path) {
        this.path = path;
    }

    public Path path() {
        return path;
    }

    /** Begins anew: a header and nothing else. */
    public void clear() {
        AtomicFile.write(path, MetricsRow.HEADER + "\n");
    }

    /**
     * Goes back to what it was at {@code step}: drops later rows, a line that a crash cut off, and what is no row; where
     * the last row of that time is missing, it is put back.
     *
     * @param last the last row of that time, or null for none
     * @param sha256 as {@link #sha256} was then
     * @return whether it is what it was
     */
    public boolean goBackTo(long step, MetricsRow last, String sha256) {
        List<MetricsRow> kept = new ArrayList<>();
        for (MetricsRow row : rows()) {
            boolean inOrder =
                    kept.isEmpty() || row.step() > kept.get(kept.size() - 1).step();
            if (row.step() <= step && inOrder) {
                kept.add(row);
            }
        }
        if (last != null) {
            kept.removeIf(row -> row.step() >= last.step());
            kept.add(last);
        }
        StringBuilder text = new StringBuilder(MetricsRow.HEADER).append('\n');
        kept.forEach(row -> text.append(row.toCsv()).append('\n'));
        AtomicFile.write(path, text.toString());
        return sha256().equals(sha256);
    }

    public void append(MetricsRow row) {
        try {
            Files.writeString(path, row.toCsv() + "\n", StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw AtomicFile.failure(path, e);
        }
    }

    /** Of the whole file. */
    public String sha256() {
        Sha256 sha256 = new Sha256();
        sha256.update(text());
        return sha256.hex();
    }

    /** The whole rows; lines that are none are left out. */
    public List<MetricsRow> rows() {
        String text = text();
        List<MetricsRow> rows = new ArrayList<>();
        text.substring(0, text.lastIndexOf('\n') + 1).lines().forEach(line -> MetricsRow.parsed(line)
                .ifPresent(rows::add));
        return rows;
    }

    /** The file's text; what is not UTF-8 in it is replaced. Empty where there is no file. */
    private String text() {
        try {
            return Files.exists(path) ? Texts.read(path) : "";
        } catch (IOException e) {
            throw new BadInput("Cannot read " + path + ": " + BadInput.reason(e), e);
        }
    }
}

package org.dl4jsr.examples.report;

import java.util.ArrayList;
import java.util.List;

/** Rows of text in aligned columns; the first column to the left, the others to the right where they are numbers. */
public final class TextTable {

    private final List<List<String>> rows = new ArrayList<>();

    public TextTable row(Object... cells) {
        List<String> row = new ArrayList<>();
        for (Object cell : cells) {
            row.add(String.valueOf(cell));
        }
        rows.add(row);
        return this;
    }

    public List<List<String>> rows() {
        return rows;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int column = 0; column < row.size(); column++) {
                String cell = row.get(column);
                String padding = " ".repeat(width(column) - cell.length());
                line.append(column == 0 || !isNumeric(column) ? cell + padding : padding + cell)
                        .append("  ");
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }

    private int width(int column) {
        return rows.stream()
                .filter(row -> column < row.size())
                .mapToInt(row -> row.get(column).length())
                .max()
                .orElse(0);
    }

    /** Whether all cells under the header start as a number does. */
    private boolean isNumeric(int column) {
        return rows.size() > 1
                && rows.stream().skip(1).filter(row -> column < row.size()).allMatch(row -> row.get(column)
                        .matches("[-+±]?\\d.*|-|"));
    }
}

package org.dl4jsr.examples.report;

import java.util.List;
import java.util.Optional;
import org.dl4jsr.examples.io.Texts;

/**
 * One line of {@code metrics.csv}. NaN stands for "not measured here" and is an empty field.
 *
 * @param step steps done
 * @param tokens tokens trained on
 * @param trainLoss mean of the steps since the line before, nats a token
 * @param valLoss nats a token
 * @param valPerplexity exp(valLoss)
 * @param bitsPerByte of the validation text
 * @param lr learning rate of the last step
 * @param gradNorm global norm of the last step's gradient, before clipping
 * @param stagnation share of weights whose update round-to-nearest would have lost
 * @param skipped steps skipped so far because of a gradient that was not finite
 * @param tokPerS tokens a second since the line before, validation not counted
 */
public record MetricsRow(
        long step,
        long tokens,
        double trainLoss,
        double valLoss,
        double valPerplexity,
        double bitsPerByte,
        double lr,
        double gradNorm,
        double stagnation,
        long skipped,
        double tokPerS) {

    static final String HEADER = "step,tokens,train_loss,val_loss,val_perplexity,bits_per_byte,lr,grad_norm,stagnation,"
            + "skipped,tok_per_s";

    public String toCsv() {
        return step + "," + tokens + "," + number("%.6f", trainLoss) + "," + number("%.6f", valLoss) + ","
                + number("%.4f", valPerplexity) + "," + number("%.6f", bitsPerByte) + "," + number("%.6g", lr) + ","
                + number("%.6g", gradNorm) + "," + number("%.6f", stagnation) + "," + skipped + ","
                + number("%.1f", tokPerS);
    }

    /** The row that {@code line} is; empty where it is no whole row. */
    public static Optional<MetricsRow> parsed(String line) {
        String[] fields = line.split(",", -1);
        if (fields.length != HEADER.split(",").length) {
            return Optional.empty();
        }
        try {
            return Optional.of(new MetricsRow(
                    Long.parseLong(fields[0]),
                    Long.parseLong(fields[1]),
                    number(fields[2]),
                    number(fields[3]),
                    number(fields[4]),
                    number(fields[5]),
                    number(fields[6]),
                    number(fields[7]),
                    number(fields[8]),
                    Long.parseLong(fields[9]),
                    number(fields[10])));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** Whether this line holds a validation. */
    public boolean validated() {
        return !Double.isNaN(valLoss);
    }

    /** Tokens a second over all of a run's rows. */
    static double tokensPerSecond(List<MetricsRow> rows) {
        double seconds = 0;
        long before = 0;
        for (MetricsRow row : rows) {
            seconds += (row.tokens - before) / row.tokPerS;
            before = row.tokens;
        }
        return before / seconds;
    }

    /** For people who watch. */
    public String toLine() {
        return Texts.format(
                "step %,d  %,d tokens  training loss %.4f  validation loss %.4f  perplexity"
                        + " %.3f  %.4f bits/byte  %,.0f tok/s  stagnant %.1f%%  skipped %d",
                step, tokens, trainLoss, valLoss, valPerplexity, bitsPerByte, tokPerS, 100 * stagnation, skipped);
    }

    private static String number(String format, double value) {
        return Double.isNaN(value) ? "" : Texts.format(format, value);
    }

    private static double number(String field) {
        return field.isEmpty() ? Double.NaN : Double.parseDouble(field);
    }
}

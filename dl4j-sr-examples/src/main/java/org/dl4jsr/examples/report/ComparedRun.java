package org.dl4jsr.examples.report;

import java.util.List;
import org.dl4jsr.examples.io.Texts;

/**
 * One run of a comparison.
 *
 * @param rows its metrics; the last row is validated unless the run {@link #failed}
 * @param failure why the run ended early, or null
 */
public record ComparedRun(String policy, double learningRate, long seed, List<MetricsRow> rows, String failure) {

    public static final String CSV_HEADER = "policy,seed,tokens,val_loss,val_perplexity,bits_per_byte,tok_per_s";
    public static final String SWEEP_CSV_HEADER =
            "policy,lr,seed,tokens,val_loss,val_perplexity,bits_per_byte,tok_per_s";

    boolean failed() {
        return failure != null;
    }

    /** The last validation loss, NaN for a failed run. */
    double valLoss() {
        return failed() ? Double.NaN : last().valLoss();
    }

    double valPerplexity() {
        return failed() ? Double.NaN : last().valPerplexity();
    }

    double bitsPerByte() {
        return failed() ? Double.NaN : last().bitsPerByte();
    }

    double tokensPerSecond() {
        return MetricsRow.tokensPerSecond(rows);
    }

    public String toCsv() {
        return policy + "," + seed + "," + results();
    }

    public String toSweepCsv() {
        return policy + "," + learningRate + "," + seed + "," + results();
    }

    private String results() {
        long tokens = rows.isEmpty() ? 0 : last().tokens();
        return failed()
                ? tokens + ",,,,"
                : Texts.format(
                        "%d,%.6f,%.4f,%.6f,%.1f", tokens, valLoss(), valPerplexity(), bitsPerByte(), tokensPerSecond());
    }

    private MetricsRow last() {
        return rows.get(rows.size() - 1);
    }
}

package org.dl4jsr.examples;

import java.util.List;
import java.util.Locale;

/**
 * One run of a comparison.
 *
 * @param rows its metrics; the last row is validated unless the run {@link #failed}
 * @param failure why the run ended early, or null
 */
record ComparedRun(RunConfig config, List<MetricsRow> rows, String failure) {

    static final String CSV_HEADER = "policy,seed,tokens,val_loss,val_perplexity,bits_per_byte,tok_per_s";
    static final String SWEEP_CSV_HEADER = "policy,lr,seed,tokens,val_loss,val_perplexity,bits_per_byte,tok_per_s";

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

    String toCsv() {
        return config.policy() + "," + config.seed() + "," + results();
    }

    String toSweepCsv() {
        return config.policy() + "," + config.learningRate() + "," + config.seed() + "," + results();
    }

    private String results() {
        long tokens = rows.isEmpty() ? 0 : last().tokens();
        return failed()
                ? tokens + ",,,,"
                : String.format(
                        Locale.ROOT,
                        "%d,%.6f,%.4f,%.6f,%.1f",
                        tokens,
                        valLoss(),
                        valPerplexity(),
                        bitsPerByte(),
                        tokensPerSecond());
    }

    private MetricsRow last() {
        return rows.get(rows.size() - 1);
    }
}

package org.dl4jsr.examples.run;

import java.util.List;
import java.util.Optional;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.report.MetricsRow;

/** Watches the validation loss for what a user should hear of: divergence and overfitting. */
final class LossWatch {

    /** Validations with a loss above the lowest one that count as overfitting. */
    private static final int RISES = 2;

    /** Loss of a model that knows nothing, nats a token. */
    private final double guessing;

    private MetricsRow best;
    private MetricsRow last;
    private int rises;

    /** @param tokens different ones that the tokenizer has */
    LossWatch(int tokens) {
        guessing = Math.log(tokens);
    }

    /** The same, of a run that has these rows already. */
    static LossWatch of(int tokens, List<MetricsRow> rows) {
        LossWatch watch = new LossWatch(tokens);
        rows.stream().filter(MetricsRow::validated).forEach(watch::add);
        return watch;
    }

    /** Takes notice of a validated row; returns what is to be said at once. */
    Optional<String> add(MetricsRow row) {
        boolean lower = best == null || row.valLoss() < best.valLoss();
        boolean learning = last == null || row.trainLoss() < last.trainLoss();
        rises = lower ? 0 : rises + 1;
        best = lower ? row : best;
        last = row;
        if (hasDiverged()) {
            return Optional.of(divergence());
        }
        return rises == RISES && learning ? Optional.of(overfitting()) : Optional.empty();
    }

    /** What is to be said at the end. */
    Optional<String> summary() {
        if (last == null) {
            return Optional.empty();
        }
        if (hasDiverged()) {
            return Optional.of(divergence());
        }
        return rises >= RISES ? Optional.of(overfitting()) : Optional.empty();
    }

    /** Worse than guessing, or not a number. */
    private boolean hasDiverged() {
        return !(last.valLoss() <= guessing);
    }

    private String divergence() {
        return Texts.format(
                "Training has diverged: a validation loss of %.4f, where guessing has %.4f; a lower --lr may help",
                last.valLoss(), guessing);
    }

    private String overfitting() {
        return Texts.format(
                "Overfitting: the validation loss is %.4f, and was lowest with %.4f at step %d;"
                        + " more text or fewer --tokens help",
                last.valLoss(), best.valLoss(), best.step());
    }
}

package org.dl4jsr.examples.run;

import org.dl4jsr.examples.io.BadInput;

/**
 * How much is trained on, and how much at once.
 *
 * @param tokens to train on; rounded up to whole steps
 * @param batch windows a forward and backward pass
 * @param accumulate passes a step
 */
public record TrainingBudget(long tokens, int batch, int accumulate) {

    private static final long MOST_TOKENS = 1_000_000_000_000_000L;
    private static final int MOST = 1 << 16;

    public TrainingBudget {
        BadInput.requireRange("--tokens", tokens, MOST_TOKENS);
        BadInput.requireRange("--batch", batch, MOST);
        BadInput.requireRange("--accumulate", accumulate, MOST);
    }

    /** Throws where so many ranks cannot share a step. */
    public void requireWorkers(int workers) {
        if (workers < 1 || workers > accumulate) {
            throw new BadInput("--workers " + workers + " with --accumulate " + accumulate
                    + ": expected 1 or more workers, and no more than passes a step, since each takes one at least");
        }
    }

    public TrainingBudget withTokens(long newTokens) {
        return new TrainingBudget(newTokens, batch, accumulate);
    }

    public TrainingBudget withBatch(int newBatch) {
        return new TrainingBudget(tokens, newBatch, accumulate);
    }

    public TrainingBudget withAccumulate(int newAccumulate) {
        return new TrainingBudget(tokens, batch, newAccumulate);
    }
}

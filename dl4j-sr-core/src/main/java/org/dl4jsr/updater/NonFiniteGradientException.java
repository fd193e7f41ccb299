package org.dl4jsr.updater;

/**
 * Training has stopped, because too many gradients in a row were NaN or infinite; see
 * {@link SrAdam.Builder#maxConsecutiveSkips}. The message names the parameter, by its number where neither
 * {@link UpdaterStatus#of} nor a {@link RoundingStatsListener} nor {@code DataParallel} has met the network: DL4J tells
 * an updater nothing of it. The weights are those of the last step that was finite.
 */
public final class NonFiniteGradientException extends IllegalStateException {

    private static final long serialVersionUID = 1;

    NonFiniteGradientException(String message) {
        super(message);
    }
}

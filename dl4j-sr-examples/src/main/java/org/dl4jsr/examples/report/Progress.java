package org.dl4jsr.examples.report;

import java.io.PrintStream;
import java.time.Duration;
import me.tongfei.progressbar.ProgressBar;
import org.dl4jsr.examples.io.Terminal;
import org.dl4jsr.examples.io.Texts;

/** How far training is, on standard error: a bar where that is a terminal, else a line now and then. */
public final class Progress implements Display, AutoCloseable {

    private static final Duration BETWEEN_LINES = Duration.ofSeconds(10);

    private final PrintStream out = System.err;
    /** Weight of the newest step in the mean of their times. */
    private static final double NEWEST = 0.1;

    private final int steps;
    private final int tokensPerStep;
    private final int firstStep;
    private final long start = System.nanoTime();
    private final ProgressBar bar;
    private long lastLine = start;
    private double secondsAStep;

    /**
     * @param firstStep steps done before
     * @param steps of the whole run
     */
    public Progress(int firstStep, int steps, int tokensPerStep) {
        this.firstStep = firstStep;
        this.steps = steps;
        this.tokensPerStep = tokensPerStep;
        bar = Terminal.progressBar()
                .map(builder -> builder.setInitialMax(steps)
                        .startsFrom(firstStep, Duration.ZERO)
                        .build())
                .orElse(null);
    }

    /**
     * {@inheritDoc}
     *
     * <p>Speed is that of the last steps, without validation and checkpoints; the time left is judged by all that was
     * done.
     */
    @Override
    public void step(long step, double loss, double learningRate, long nanoseconds) {
        long now = System.nanoTime();
        double stepsPerSecond = (step - firstStep) / ((now - start) / 1e9);
        double newest = nanoseconds / 1e9;
        secondsAStep = secondsAStep == 0 ? newest : (1 - NEWEST) * secondsAStep + NEWEST * newest;
        String message = Texts.format(
                "loss %.4f  lr %s  %,.0f tok/s", loss, Texts.number(learningRate), tokensPerStep / secondsAStep);
        if (bar != null) {
            bar.setExtraMessage("  " + message);
            bar.stepTo(step);
        } else if (now - lastLine >= BETWEEN_LINES.toNanos()) {
            lastLine = now;
            Duration left = Duration.ofSeconds((long) ((steps - step) / stepsPerSecond));
            out.println(Texts.format("step %,d of %,d  %s  %s left", step, steps, message, Texts.time(left)));
        }
    }

    @Override
    public void line(String text) {
        if (bar != null) {
            bar.pause();
            out.print("\r\u001b[K");
            out.println(text);
            bar.resume();
        } else {
            out.println(text);
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}

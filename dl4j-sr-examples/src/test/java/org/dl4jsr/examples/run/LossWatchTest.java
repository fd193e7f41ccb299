package org.dl4jsr.examples.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.dl4jsr.examples.report.MetricsRow;
import org.junit.jupiter.api.Test;

class LossWatchTest {

    private final LossWatch watch = new LossWatch(256);

    @Test
    void aHealthyRunSaysNothing() {
        assertEquals(Optional.empty(), watch.summary());
        assertEquals(Optional.empty(), watch.add(row(10, 3, 3.1)));
        assertEquals(Optional.empty(), watch.add(row(20, 2, 2.2)));
        assertEquals(Optional.empty(), watch.add(row(30, 1.9, 2.21)));
        assertEquals(Optional.empty(), watch.add(row(40, 1.8, 2.1)));
        assertEquals(Optional.empty(), watch.summary());
    }

    @Test
    void divergenceIsSaidAtOnceAndAtTheEnd() {
        watch.add(row(10, 3, 3.1));
        String text = watch.add(row(20, 9, 25.9)).orElseThrow();
        assertTrue(
                text.startsWith("Training has diverged: a validation loss of 25.9000, where guessing has 5.5452"),
                text);
        assertEquals(Optional.of(text), watch.summary());
        assertTrue(watch.add(row(30, 9, Double.NaN)).orElseThrow().contains("NaN"));
        assertEquals(Optional.empty(), watch.add(row(40, 3, 3)));
        assertEquals(Optional.empty(), watch.summary());
    }

    @Test
    void overfittingIsSaidOnceAndAtTheEnd() {
        watch.add(row(10, 3, 3.1));
        watch.add(row(20, 2, 2.2));
        assertEquals(Optional.empty(), watch.add(row(30, 1, 2.3)));
        String text = watch.add(row(40, 0.5, 2.6)).orElseThrow();
        assertTrue(
                text.startsWith("Overfitting: the validation loss is 2.6000, and was lowest with 2.2000 at step 20"),
                text);
        assertEquals(Optional.empty(), watch.add(row(50, 0.4, 2.7)));
        assertTrue(watch.summary().orElseThrow().contains("2.7000"));
    }

    private static MetricsRow row(long step, double trainLoss, double valLoss) {
        return new MetricsRow(step, step, trainLoss, valLoss, 0, 0, 0, 0, 0, 0, 1);
    }
}

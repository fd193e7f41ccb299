package org.dl4jsr.updater;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.nd4j.linalg.schedule.ISchedule;
import org.nd4j.serde.json.JsonMappers;

class WarmupCosineScheduleTest {

    @Test
    void warmsUpLinearlyAndCoolsDownOnACosine() {
        var schedule = new WarmupCosineSchedule(10, 110, 2, 0.5);
        assertEquals(0.2, schedule.valueAt(0, 0), 1e-12);
        assertEquals(1.0, schedule.valueAt(4, 0), 1e-12);
        assertEquals(2.0, schedule.valueAt(9, 0), 1e-12);
        assertEquals(2.0, schedule.valueAt(10, 0), 1e-12);
        assertEquals(0.5 + 1.5 * (2 + Math.sqrt(2)) / 4, schedule.valueAt(35, 3), 1e-12);
        assertEquals(1.25, schedule.valueAt(60, 0), 1e-12);
        assertEquals(0.5, schedule.valueAt(110, 0));
        assertEquals(0.5, schedule.valueAt(1_000_000, 9));
    }

    @Test
    void withoutWarmupItStartsAtThePeak() {
        assertEquals(2, new WarmupCosineSchedule(0, 1, 2, 0).valueAt(0, 0));
    }

    @Test
    void jsonRoundTripAndClone() throws Exception {
        var schedule = new WarmupCosineSchedule(10, 110, 2, 0.5);
        var mapper = JsonMappers.getMapper();
        assertEquals(schedule, mapper.readValue(mapper.writeValueAsString(schedule), ISchedule.class));
        assertEquals(schedule, schedule.clone());
        assertEquals(schedule.hashCode(), schedule.clone().hashCode());
    }

    @Test
    void badValuesAreNamed() {
        assertNamed("warmupSteps is -1", () -> new WarmupCosineSchedule(-1, 10, 1, 0));
        assertNamed("totalSteps is 5", () -> new WarmupCosineSchedule(5, 5, 1, 0));
        assertNamed("peak is 0.0", () -> new WarmupCosineSchedule(1, 5, 0, 0));
        assertNamed("peak is NaN", () -> new WarmupCosineSchedule(1, 5, Double.NaN, 0));
        assertNamed("minimum is 2.0", () -> new WarmupCosineSchedule(1, 5, 1, 2));
        assertNamed("minimum is -1.0", () -> new WarmupCosineSchedule(1, 5, 1, -1));
    }

    private static void assertNamed(String text, Runnable construction) {
        var error = assertThrows(IllegalArgumentException.class, construction::run);
        assertTrue(error.getMessage().contains("WarmupCosineSchedule." + text + ", expected"), error::getMessage);
    }
}

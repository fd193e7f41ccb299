package org.dl4jsr.examples.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import org.dl4jsr.examples.io.BadInput;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EnvironmentTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0 | OMP_NUM_THREADS is '0', expected one whole number from 1 to 9999, or unset",
                "abc | OMP_NUM_THREADS is 'abc', expected one whole number from 1 to 9999, or unset",
                "-1 | OMP_NUM_THREADS is '-1', expected one whole number from 1 to 9999, or unset",
                "'' | OMP_NUM_THREADS is '', expected one whole number from 1 to 9999, or unset",
                "2,1 | OMP_NUM_THREADS is '2,1', expected one whole number from 1 to 9999: set it to 2",
            })
    void badThreadsAreOneLine(String threads, String message) {
        assertEquals(
                message,
                assertThrows(BadInput.class, () -> Environment.check(Map.of("OMP_NUM_THREADS", threads)))
                        .getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "2", " 4 ", "002"})
    void goodThreadsAreTaken(String threads) {
        Environment.check(Map.of("OMP_NUM_THREADS", threads));
    }

    @Test
    void noneIsFine() {
        Environment.check(Map.of());
    }
}

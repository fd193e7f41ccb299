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
                "0 | OMP_NUM_THREADS is '0', expected one whole number from 1 to 32, 16 a processor, or unset",
                "abc | OMP_NUM_THREADS is 'abc', expected one whole number from 1 to 32, 16 a processor, or unset",
                "-1 | OMP_NUM_THREADS is '-1', expected one whole number from 1 to 32, 16 a processor, or unset",
                "'' | OMP_NUM_THREADS is '', expected one whole number from 1 to 32, 16 a processor, or unset",
                "999 | OMP_NUM_THREADS is '999', expected one whole number from 1 to 32, 16 a processor, or unset",
                "33,1 | OMP_NUM_THREADS is '33,1', expected one whole number from 1 to 32, 16 a processor, or unset",
                "99999999999 | OMP_NUM_THREADS is '99999999999', expected one whole number from 1 to 32, 16 a"
                        + " processor, or unset",
                "2,1 | OMP_NUM_THREADS is '2,1', expected one whole number from 1 to 32, 16 a processor: set it to 2",
            })
    void badThreadsAreOneLine(String threads, String message) {
        assertEquals(
                message,
                assertThrows(BadInput.class, () -> Environment.check(Map.of("OMP_NUM_THREADS", threads), 2))
                        .getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "2", " 4 ", "002", "32"})
    void goodThreadsAreTaken(String threads) {
        Environment.check(Map.of("OMP_NUM_THREADS", threads), 2);
    }

    @Test
    void noneIsFine() {
        Environment.check(Map.of(), 2);
    }
}

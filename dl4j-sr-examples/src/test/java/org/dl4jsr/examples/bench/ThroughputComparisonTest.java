package org.dl4jsr.examples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dl4jsr.examples.run.Preset;
import org.dl4jsr.examples.run.RunConfig;
import org.junit.jupiter.api.Test;

class ThroughputComparisonTest {

    @Test
    void theBestRoundsAreCompared() {
        RunConfig fp32 = Preset.NANO.config().withPolicy("fp32");
        RunConfig sr = Preset.NANO.config();
        ThroughputComparison comparison = new ThroughputComparison();
        comparison.add(fp32, new ThroughputRun.Result(128, 3, 400 << 20));
        comparison.add(sr, new ThroughputRun.Result(80, 2, 200 << 20));
        comparison.add(fp32, new ThroughputRun.Result(130, 2, 404 << 20));
        comparison.add(sr, new ThroughputRun.Result(64, 4, 202 << 20));
        List<String> csv = comparison.toCsv().lines().toList();
        assertEquals(ThroughputComparison.CSV_HEADER, csv.get(0));
        long state = 16 * fp32.model().parameters();
        assertTrue(
                csv.get(1).matches("fp32,nano,16000\\.0,128\\.000,2\\.000,[\\d.]+," + state + ",419430400"),
                csv.get(1));
        assertTrue(
                csv.get(2).matches("bf16-sr,nano,32000\\.0,64\\.000,2\\.000,[\\d.]+," + state / 2 + ",209715200"),
                csv.get(2));
        String table = comparison.toString();
        assertTrue(table.contains("nano, batch 16 x 1, context 128; best of 3 rounds"), table);
        assertTrue(table.matches("(?s).*bf16-sr +32,000 +2\\.00 +64\\.0 +2\\.00 .* 0\\.50 .* 0\\.50\\n"), table);
    }
}

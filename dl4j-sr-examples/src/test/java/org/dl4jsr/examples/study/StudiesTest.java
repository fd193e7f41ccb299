package org.dl4jsr.examples.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dl4jsr.examples.report.HtmlReport.Series;
import org.dl4jsr.examples.run.RunConfig;
import org.dl4jsr.examples.run.TestRuns;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Each study at a hundredth of its size: sign and order of the effect. */
@Tag("slow")
class StudiesTest {

    private static final int HUNDREDTH = 100;
    private static final long SEED = 1;

    @TempDir
    private Path directory;

    @Test
    void regularizationIsAPenaltyOnCurvature() {
        Findings findings = new RegularizationStudy().run(SEED, HUNDREDTH);
        double[] formula = y(findings, 0, "1/2 sum h d (ulp - d)");
        double[] measured = y(findings, 0, "SR, 1/2 sum h e^2");
        for (int i = 0; i < formula.length; i++) {
            assertEquals(1, measured[i] / formula[i], 0.05);
        }
        // the order in the rate: SR's error falls by 2^3 for a rate halved, nearest's by 2
        double[] stochastic = y(findings, 1, "SR");
        double[] nearest = y(findings, 1, "nearest");
        int last = stochastic.length - 1;
        assertEquals(3, log2(stochastic[last] / stochastic[last - 2]) / 2, 0.3);
        assertEquals(1, log2(nearest[1] / nearest[0]), 0.1);
        // wells of one ulp lose runs, wells of three keep them
        double[] flat = y(findings, 2, "SR");
        assertTrue(flat[2] > 0.55, () -> "share " + flat[2]);
        assertEquals(0.5, flat[7]);
        assertEquals(0.5, y(findings, 2, "exact")[2]);
    }

    @Test
    void nearestStopsAndStochasticRoundingArrives() {
        Findings findings = new StagnationStudy().run(SEED, HUNDREDTH);
        double[] stochastic = y(findings, 0, "SR");
        double[] exact = y(findings, 0, "FP32");
        assertEquals(exact.length, stochastic.length);
        for (int i = 0; i < exact.length; i++) {
            assertEquals(1, stochastic[i] / exact[i], 0.5);
        }
        assertTrue(y(findings, 0, "nearest").length <= 2);
        // the distance to which an update is half an ulp, less up to an ulp
        double[] nearest = y(findings, 2, "nearest");
        double[] formula = y(findings, 2, "ulp / (2 lr)");
        for (int i = 0; i < nearest.length; i++) {
            assertTrue(nearest[i] <= formula[i] + 0.5 && nearest[i] >= formula[i] - 1, "at rate " + i);
        }
        for (double hover : y(findings, 2, "SR")) {
            assertEquals(0.41, hover, 0.15);
        }
    }

    @Test
    void stochasticRoundingsErrorIsSubsumedAndNearestsIsNot() {
        Findings findings = new ConvergenceStudy().run(SEED, HUNDREDTH);
        double[] formula = y(findings, 0, "formula, centre 64, beta2 0.99");
        double[] stochastic = y(findings, 0, "centre 64, beta2 0.99");
        for (int i = 0; i <= 4; i++) {
            assertEquals(1, stochastic[i] / formula[i], 0.3);
        }
        assertTrue(stochastic[7] < stochastic[0] / 5);
        // nearest does not move from 0.25 at the lowest rate; in rare noise it is off at an ulp, too
        assertEquals(0.0625, y(findings, 1, "centre 1, beta2 0.99")[0], 0.01);
        assertTrue(y(findings, 1, "centre 1, beta2 0.999, rare noise")[4] > 0.01);
    }

    @Test
    void momentsNeedStochasticRounding() {
        Findings findings = new MomentsStudy().run(SEED, HUNDREDTH);
        int at099 = 3;
        int at0997 = 5;
        assertEquals(0.8, y(findings, 0, "nearest")[at099], 0.05);
        assertTrue(y(findings, 1, "nearest")[at0997] > 5);
        assertTrue(y(findings, 2, "nearest")[at0997] > 1.2);
        assertTrue(y(findings, 3, "nearest")[at0997] < 0.3);
        for (int phase = 0; phase < 4; phase++) {
            for (double travel : y(findings, phase, "stochastic")) {
                assertEquals(1, travel, 0.1);
            }
        }
    }

    @Test
    void replicasNeedSharedBits() {
        Findings findings = new ReplicasStudy().run(SEED, HUNDREDTH);
        double[] separate = y(findings, 0, "separate");
        assertEquals(2, separate.length);
        assertTrue(separate[0] > 0 && separate[1] > 1.5 * separate[0], () -> List.of(separate[0], separate[1]) + "");
        for (double shared : y(findings, 0, "shared")) {
            assertEquals(0, shared);
        }
    }

    /** A rate far too high costs more than any difference between the policies at a good one. */
    @Test
    void everyPolicyHasItsLargestStableRate() throws IOException {
        Path text = Files.writeString(directory.resolve("text"), TestRuns.text());
        RunConfig base = TestRuns.config("bf16-sr", 4, 1, 10 * HUNDREDTH);
        RunConfig config = base.withModel(base.model().withLayers(1).withWidth(32))
                .withText(base.text().withPaths(List.of(text.toString())));
        Findings findings = new LearningRateStudy(config, 0.01, 1).run(SEED, HUNDREDTH);
        double[] stochastic = y(findings, 0, "bf16-sr");
        double[] mixed = y(findings, 0, "bf16-o2");
        assertEquals(mixed[0], stochastic[0], 0.1);
        assertTrue(stochastic[1] > stochastic[0] + 0.3, () -> stochastic[0] + " and " + stochastic[1]);
        assertTrue(mixed[1] > mixed[0] + 0.3, () -> mixed[0] + " and " + mixed[1]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"stagnation", "replicas"})
    void theSeedDecidesTheOutcome(String name) {
        Study study = Study.named(name);
        assertEquals(text(study, SEED), text(study, SEED));
        assertNotEquals(text(study, SEED), text(study, SEED + 1));
    }

    private static String text(Study study, long seed) {
        Findings findings = study.run(seed, HUNDREDTH);
        return findings.verdicts() + findings.sections().get(0).table().toString();
    }

    /** The values of one line of a chart. */
    private static double[] y(Findings findings, int chart, String series) {
        List<Series> lines = findings.charts().get(chart).series();
        return lines.stream()
                .filter(line -> line.name().equals(series))
                .findFirst()
                .orElseThrow(() -> new AssertionError("No " + series + " among " + lines))
                .points()
                .stream()
                .mapToDouble(point -> point[1])
                .toArray();
    }

    private static double log2(double value) {
        return Math.log(value) / Math.log(2);
    }
}

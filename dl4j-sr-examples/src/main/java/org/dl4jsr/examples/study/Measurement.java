package org.dl4jsr.examples.study;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.stream.LongStream;
import org.apache.commons.math3.stat.regression.SimpleRegression;
import org.dl4jsr.examples.report.HtmlReport.Series;

/**
 * A quantity over an axis, measured once with each seed.
 *
 * @param x the axis, ascending
 * @param runs [seed][x]
 */
record Measurement(double[] x, List<double[]> runs) {

    /** One run a seed, from {@code seed} up, in parallel; they are in the order of their seeds. */
    static <T> List<T> seeds(long seed, int count, LongFunction<T> run) {
        return LongStream.range(seed, seed + count).parallel().mapToObj(run).toList();
    }

    /** One quantity of runs that measure several. */
    static <T> Measurement of(double[] x, List<T> runs, Function<T, double[]> quantity) {
        return new Measurement(x, runs.stream().map(quantity).toList());
    }

    Estimate at(int index) {
        return Estimate.of(runs.stream().mapToDouble(run -> run[index]).toArray());
    }

    Series series(String name) {
        List<double[]> points = new ArrayList<>();
        for (int i = 0; i < x.length; i++) {
            points.add(at(i).at(x[i]));
        }
        return new Series(name, false, points);
    }

    /** The exponent p of c x^p, fitted over the points from {@code from} to before {@code to}. */
    Estimate slope(int from, int to) {
        return Estimate.of(runs.stream()
                .mapToDouble(run -> {
                    SimpleRegression line = new SimpleRegression();
                    for (int i = from; i < to; i++) {
                        line.addData(Math.log(x[i]), Math.log(Math.abs(run[i])));
                    }
                    return line.getSlope();
                })
                .toArray());
    }
}

package org.dl4jsr.examples.study;

import org.apache.commons.math3.distribution.TDistribution;
import org.apache.commons.math3.stat.StatUtils;
import org.dl4jsr.examples.io.Texts;

/**
 * The mean of independent measurements and half the width of its 95% confidence interval (Student's t), which is NaN
 * for a single one.
 */
record Estimate(double mean, double halfWidth) {

    static Estimate of(double... values) {
        int n = values.length;
        double halfWidth = n < 2
                ? Double.NaN
                : new TDistribution(n - 1).inverseCumulativeProbability(0.975)
                        * Math.sqrt(StatUtils.variance(values) / n);
        return new Estimate(StatUtils.mean(values), halfWidth);
    }

    double low() {
        return mean - halfWidth;
    }

    double high() {
        return mean + halfWidth;
    }

    boolean contains(double value) {
        return low() <= value && value <= high();
    }

    /** A point of a chart. */
    double[] at(double x) {
        return Double.isNaN(halfWidth) ? new double[] {x, mean} : new double[] {x, mean, low(), high()};
    }

    @Override
    public String toString() {
        return Texts.format("%.4g ± %.2g", mean, halfWidth);
    }
}

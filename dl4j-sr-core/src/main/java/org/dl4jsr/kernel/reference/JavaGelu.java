package org.dl4jsr.kernel.reference;

/**
 * GELU in the tanh form (Hendrycks, Gimpel, arXiv 1606.08415), 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))),
 * written as x sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3)), which loses no digits where x is very negative.
 */
public final class JavaGelu {

    private static final double LINEAR = 2 * Math.sqrt(2 / Math.PI);
    private static final double CUBIC = LINEAR * 0.044715;

    private JavaGelu() {}

    public static double value(double x) {
        return x * sigmoid(x * (LINEAR + CUBIC * x * x));
    }

    public static double derivative(double x) {
        double s = sigmoid(x * (LINEAR + CUBIC * x * x));
        return s + x * s * (1 - s) * (LINEAR + 3 * CUBIC * x * x);
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }
}

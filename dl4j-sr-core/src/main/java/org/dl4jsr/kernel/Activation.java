package org.dl4jsr.kernel;

/**
 * The activation functions that the kernels compute. Each is a constant here, with its formula in FP64, which the Java
 * kernels run, and a structure of the same name in activations.h, for the native kernels and a GPU's.
 */
public enum Activation {
    /** The greater of x and 0; its derivative at 0 is 0. */
    RELU {
        @Override
        public double value(double x) {
            return x <= 0 ? 0 : x;
        }

        @Override
        public double derivative(double x) {
            return x > 0 ? 1 : 0;
        }
    },
    /**
     * The Gaussian error linear unit in GPT-2's tanh form (Hendrycks, Gimpel, arXiv 1606.08415), 0.5 x (1 +
     * tanh(sqrt(2 / pi) (x + 0.044715 x^3))), written as x sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3)), which loses no
     * digits where x is very negative.
     */
    GELU {
        private static final double LINEAR = 2 * Math.sqrt(2 / Math.PI);
        private static final double CUBIC = LINEAR * 0.044715;

        @Override
        public double value(double x) {
            return x * sigmoid(x * (LINEAR + CUBIC * x * x));
        }

        @Override
        public double derivative(double x) {
            double s = sigmoid(x * (LINEAR + CUBIC * x * x));
            return s + x * s * (1 - s) * (LINEAR + 3 * CUBIC * x * x);
        }
    };

    public abstract double value(double x);

    public abstract double derivative(double x);

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }
}

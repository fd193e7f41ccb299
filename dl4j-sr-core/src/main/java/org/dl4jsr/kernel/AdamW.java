package org.dl4jsr.kernel;

/**
 * AdamW (Loshchilov and Hutter, arXiv 1711.05101); the moments are m and v:
 *
 * <pre>
 * m = beta1 * m + (1 - beta1) * g
 * v = beta2 * v + (1 - beta2) * (g * g)
 * direction = (m * biasCorrection1) / (sqrt(v * biasCorrection2) + epsilon)
 * </pre>
 *
 * @param beta1 decay of the first moment
 * @param beta2 decay of the second moment
 * @param epsilon added to the root
 * @param biasCorrection1 1 / (1 - beta1^t)
 * @param biasCorrection2 1 / (1 - beta2^t)
 */
public record AdamW(float beta1, float beta2, float epsilon, float biasCorrection1, float biasCorrection2)
        implements Optimizer {

    /** That of step number {@code step} (from 0), with bias corrections for t = step + 1, computed in double. */
    public static AdamW of(double beta1, double beta2, double epsilon, int step) {
        return new AdamW(
                (float) beta1,
                (float) beta2,
                (float) epsilon,
                biasCorrection((float) beta1, step),
                biasCorrection((float) beta2, step));
    }

    /** Of the FP32 decay that the step uses; that of the double one would be 0.7% short at 0.999999. */
    private static float biasCorrection(float beta, int step) {
        return (float) (1 / (1 - Math.pow(beta, step + 1.0)));
    }

    @Override
    public String name() {
        return "AdamW";
    }

    @Override
    public int moments() {
        return 2;
    }

    @Override
    public float[] scalars() {
        return new float[] {beta1, beta2, epsilon, biasCorrection1, biasCorrection2};
    }

    @Override
    public float direction(float gradient, float[] moments) {
        moments[0] = beta1 * moments[0] + (1 - beta1) * gradient;
        moments[1] = beta2 * moments[1] + (1 - beta2) * (gradient * gradient);
        return moments[0] * biasCorrection1 / ((float) Math.sqrt(moments[1] * biasCorrection2) + epsilon);
    }
}

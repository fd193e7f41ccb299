// AdamW (Loshchilov, Hutter, arXiv 1711.05101): org.dl4jsr.kernel.AdamW.
struct AdamW {
    static const int MOMENTS = 2;

    float beta1, beta2, epsilon, biasCorrection1, biasCorrection2;

    template <class Math>
    LANES_METHOD F direction(Math& math, F g, F (&moments)[MOMENTS]) const {
        F &m = moments[0], &v = moments[1];
        m = m * beta1 + g * (1.0f - beta1);
        v = v * beta2 + (g * g) * (1.0f - beta2);
        return math.quotient(m * biasCorrection1, math.root(v * biasCorrection2) + epsilon);
    }
};

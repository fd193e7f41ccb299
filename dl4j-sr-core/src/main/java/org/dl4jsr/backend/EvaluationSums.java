package org.dl4jsr.backend;

/**
 * Sums that ND4J's evaluation classes ask for. They add up counts and errors in the type of the predictions, and of 1001
 * BF16 ones a count would be 1000: their sums stay FLOAT. RegressionEvaluation rounds its labels to BF16 before, which
 * no sum can make good.
 */
final class EvaluationSums {

    private EvaluationSums() {}

    /**
     * Whether the running op is for an evaluation.
     *
     * @throws IllegalArgumentException if that is a RegressionEvaluation
     */
    static boolean areAskedFor() {
        var evaluation = CallStack.innermostOf("org.nd4j.evaluation.");
        if (evaluation.filter(name -> name.endsWith(".RegressionEvaluation")).isPresent()) {
            throw new IllegalArgumentException(
                    "RegressionEvaluation of BFLOAT16 predictions: it rounds labels and errors"
                            + " to them. Use predictions.castTo(DataType.FLOAT), or a network with FLOAT outputs, which"
                            + " Bf16Policy's apply and convert give");
        }
        return evaluation.isPresent();
    }
}

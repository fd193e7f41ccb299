package org.dl4jsr.backend;

/**
 * Sums that ND4J's evaluation classes ask for. They add up counts and errors in the type of the predictions, and of 1001
 * BF16 ones a count would be 1000: their sums stay FLOAT. RegressionEvaluation rounds its labels to BF16 before, which
 * no sum can make good.
 */
final class EvaluationSums {

    private static final StackWalker STACK = StackWalker.getInstance();

    /** Frames between an evaluation and the op that it runs. */
    private static final int DEPTH = 24;

    private EvaluationSums() {}

    /**
     * Whether the running op is for an evaluation.
     *
     * @throws IllegalArgumentException if that is a RegressionEvaluation
     */
    static boolean areAskedFor() {
        String evaluation = STACK.walk(frames -> frames.limit(DEPTH)
                .map(StackWalker.StackFrame::getClassName)
                .filter(name -> name.startsWith("org.nd4j.evaluation."))
                .findFirst()
                .orElse(null));
        if (evaluation != null && evaluation.endsWith(".RegressionEvaluation")) {
            throw new IllegalArgumentException(
                    "RegressionEvaluation of BFLOAT16 predictions: it rounds labels and errors"
                            + " to them. Use predictions.castTo(DataType.FLOAT), or a network with FLOAT outputs, which"
                            + " Bf16Policy's apply and convert give");
        }
        return evaluation != null;
    }
}

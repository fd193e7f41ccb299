package org.dl4jsr.examples.run;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.deeplearning4j.nn.graph.ComputationGraph;
import org.dl4jsr.examples.data.Tokenizer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/**
 * Writes text with a GPT, token by token.
 *
 * @param network a GPT with probabilities as output
 * @param context tokens it sees at once
 * @param temperature 0 takes the likeliest token, 1 the model's own distribution
 * @param topK draws among so many likeliest tokens; 0 for all
 */
public record Sampler(ComputationGraph network, Tokenizer tokenizer, int context, double temperature, int topK) {

    /** Inputs come in few lengths, because kernels are prepared anew for each. */
    private static final int LENGTH_STEP = 64;

    /** Up to {@code count} tokens of text after {@code prompt}: fewer where the model ends the text. */
    public String write(String prompt, int count, long seed) {
        IntStream.Builder tokens = IntStream.builder();
        write(prompt, count, seed, tokens::add);
        return tokenizer.decode(tokens.build().toArray());
    }

    /** The same tokens to {@code each}, as they come. */
    public void write(String prompt, int count, long seed, IntConsumer each) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] start = prompt.isEmpty() ? new int[] {tokenizer.endOfText()} : tokenizer.encode(prompt);
        int[] tokens = Arrays.copyOf(start, start.length + count);
        for (int end = start.length; end < tokens.length; end++) {
            double[] probabilities = probabilities(Arrays.copyOfRange(tokens, Math.max(0, end - context), end));
            tokens[end] = choose(probabilities, random);
            if (tokens[end] == tokenizer.endOfText()) {
                return;
            }
            each.accept(tokens[end]);
        }
    }

    /** Of the token after {@code tokens}. What is padded behind them cannot be seen from the last of them. */
    private double[] probabilities(int[] tokens) {
        int length = Math.min(context, (tokens.length + LENGTH_STEP - 1) / LENGTH_STEP * LENGTH_STEP);
        INDArray input = Nd4j.createFromArray(new int[][] {Arrays.copyOf(tokens, length)});
        INDArray output = network.outputSingle(input);
        INDArray last = output.get(NDArrayIndex.point(0), NDArrayIndex.point(tokens.length - 1), NDArrayIndex.all());
        // the ids after the tokenizer's own are padding
        return Arrays.copyOf(last.castTo(DataType.DOUBLE).toDoubleVector(), tokenizer.vocabulary());
    }

    private int choose(double[] probabilities, SplittableRandom random) {
        int[] likeliest = IntStream.range(0, probabilities.length)
                .boxed()
                .sorted((a, b) -> Double.compare(probabilities[b], probabilities[a]))
                .limit(topK == 0 ? probabilities.length : topK)
                .mapToInt(Integer::intValue)
                .toArray();
        if (temperature == 0) {
            return likeliest[0];
        }
        double[] weights = new double[likeliest.length];
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            // relative to the likeliest, so that a low temperature does not underflow
            weights[i] = Math.pow(probabilities[likeliest[i]] / probabilities[likeliest[0]], 1 / temperature);
            sum += weights[i];
        }
        double point = random.nextDouble() * sum;
        int chosen = 0;
        while (chosen < weights.length - 1 && point >= weights[chosen]) {
            point -= weights[chosen++];
        }
        return likeliest[chosen];
    }
}

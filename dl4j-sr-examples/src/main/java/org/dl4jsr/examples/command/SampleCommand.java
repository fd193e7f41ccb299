package org.dl4jsr.examples.command;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dl4jsr.examples.data.Tokenizer;
import org.dl4jsr.examples.io.BadInput;
import org.dl4jsr.examples.io.Texts;
import org.dl4jsr.examples.io.Utf8Stream;
import org.dl4jsr.examples.run.Sampler;
import org.dl4jsr.examples.run.TrainedModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code sample}: text that a trained model goes on with. */
@Command(
        name = "sample",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Writes text with a model that pretrain has trained.")
public final class SampleCommand implements Callable<Integer> {

    private static final int MOST_TOKENS = 1_000_000;
    private static final String PROMPT = "> ";

    @Option(
            names = "--model",
            paramLabel = "PATH",
            required = true,
            description = "Run directory, or one of its checkpoint-STEP.zip.")
    private Path model;

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            description = "Text to go on with; - for standard input (default: a new text).")
    private String prompt;

    @Option(names = "--interactive", description = "Go on with each line that is typed, until the end of input.")
    private boolean interactive;

    @Option(names = "--tokens", paramLabel = "N", description = "Tokens to write at most (default: ${DEFAULT-VALUE}).")
    private int tokens = 300;

    @Option(
            names = "--temperature",
            paramLabel = "X",
            description = "0 takes the likeliest token, 1 the model's own distribution (default: ${DEFAULT-VALUE}).")
    private double temperature = 0.8;

    @Option(
            names = "--top-k",
            paramLabel = "N",
            description = "Draw among the N likeliest tokens; 0, the default, for all.")
    private int topK;

    @Option(names = "--seed", paramLabel = "N", description = "Of the draws (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Override
    public Integer call() {
        BadInput.requireRange("--tokens", tokens, MOST_TOKENS);
        if (!(temperature >= 0 && temperature <= 100)) {
            throw new BadInput("--temperature " + temperature + " is out of range: expected 0 to 100");
        }
        if (topK < 0) {
            throw new BadInput("--top-k " + topK + " is out of range: expected 0 (all) or more");
        }
        if (interactive && prompt != null) {
            throw new BadInput("--interactive takes its prompts from standard input: leave --prompt away");
        }
        TrainedModel trained = TrainedModel.at(model);
        Sampler sampler = new Sampler(
                trained.network(), trained.tokenizer(), trained.config().model().context(), temperature, topK);
        if (interactive) {
            converse(sampler);
        } else {
            String text = prompt();
            System.out.print(Texts.printable(text));
            write(sampler, text, seed);
        }
        return 0;
    }

    private String prompt() {
        if (!"-".equals(prompt)) {
            return Objects.requireNonNullElse(prompt, "");
        }
        try {
            // echo and editors end a text with a line end that is not meant
            return new String(System.in.readAllBytes(), StandardCharsets.UTF_8).replaceFirst("\\R\\z", "");
        } catch (IOException e) {
            throw new BadInput("Cannot read the prompt from standard input: " + BadInput.reason(e), e);
        }
    }

    /** Each line is a prompt of its own, with a seed of its own. */
    private void converse(Sampler sampler) {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try {
            System.err.print(PROMPT);
            long turn = seed;
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                write(sampler, line, turn++);
                System.err.print(PROMPT);
            }
            System.err.println();
        } catch (IOException e) {
            throw new BadInput("Cannot read standard input: " + BadInput.reason(e), e);
        }
    }

    /** Writes token by token, and a line end. */
    private void write(Sampler sampler, String text, long textSeed) {
        Tokenizer tokenizer = sampler.tokenizer();
        Utf8Stream utf8 = new Utf8Stream();
        sampler.write(text, tokens, textSeed, token -> {
            System.out.print(Texts.printable(utf8.add(tokenizer.bytes(token))));
            if (System.out.checkError()) {
                throw new BadInput("Cannot write to standard output: nobody reads it any more, or the disk is full");
            }
        });
        System.out.println(Texts.printable(utf8.end()));
    }
}

package org.dl4jsr.examples.data;

import java.util.function.Supplier;

/**
 * One text of a corpus.
 *
 * @param path where it is, relative to what the user named; '/' between folders
 * @param text reads it
 */
public record Document(String path, Supplier<String> text) {}

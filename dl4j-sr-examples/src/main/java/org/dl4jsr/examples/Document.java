package org.dl4jsr.examples;

import java.util.function.Supplier;

/**
 * One text of a corpus.
 *
 * @param path where it is, relative to what the user named; '/' between folders
 * @param text reads it
 */
record Document(String path, Supplier<String> text) {}

package org.dl4jsr.examples.data;

/**
 * A file that was read from end to end and is good.
 *
 * @param bytes unpacked
 * @param units what it can be divided between: characters, texts or tokens
 * @param sha256 of the bytes
 */
record ScannedFile(CorpusFile file, long bytes, long units, String sha256) {}

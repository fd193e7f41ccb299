package org.dl4jsr.examples.data;

/**
 * How much text there is.
 *
 * @param bytes in UTF-8
 * @param validationBytes those of them that are for validation
 */
record TextSize(long bytes, long validationBytes) {}

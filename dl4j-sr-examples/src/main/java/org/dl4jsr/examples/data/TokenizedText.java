package org.dl4jsr.examples.data;

/** The tokens of all texts of a corpus, and the size of the texts. */
record TokenizedText(Tokens train, Tokens validation, TextSize size) {}

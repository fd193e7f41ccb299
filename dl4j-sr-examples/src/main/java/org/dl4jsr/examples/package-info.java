/** A GPT pretraining app on Deeplearning4j and dl4j-sr: corpus, tokenizer, presets, trainer, command line, report. */
package org.dl4jsr.examples;

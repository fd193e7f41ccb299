/**
 * A GPT pretraining app on Deeplearning4j and dl4j-sr: the command line. Packages know only those after them: command,
 * bench and study, which do not know each other, run, then report and data, nor do these, then io.
 */
package org.dl4jsr.examples;

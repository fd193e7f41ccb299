/**
 * A GPT pretraining app on Deeplearning4j and dl4j-sr: the command line. Packages know only those after them: command,
 * bench, run, then report and data, which do not know each other, then io.
 */
package org.dl4jsr.examples;

/**
 * What DL4J's users do around a network, with BF16 networks: saving, evaluation, listeners, the training UI, early
 * stopping, averaging, Keras import, many threads and long runs.
 */
package org.dl4jsr.integration;

/** A training run: what it is, its network and trainer, its directory with checkpoints, and what it needs. */
package org.dl4jsr.examples.run;

/** Measurements, each in a process of its own: speed and memory, where a step's time goes, how cost grows. */
package org.dl4jsr.examples.bench;
